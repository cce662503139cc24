"""Building a track cache: one unit of work a video, resumable, on any number of machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import corruption_of
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.units import Executor, Unit
from rvosbench.files.claims import claimed
from rvosbench.masks import MaskSequence
from rvosbench.models.runtime import choose_device, choose_dtype
from rvosbench.records import Sample, Track
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import TrackCacheError, write_tracks
from rvosbench.tracks.candidates import CandidateConfig, wanted_header
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.header import Header, frames_hash
from rvosbench.tracks.prompts import Prompt, prompt_of
from rvosbench.tracks.track_maker import TrackMaker


@dataclass(frozen=True)
class BuildOptions:
    """What a cache holds besides what a method asks for, and how it is made.

    Attributes:
        truth: add tracks prompted with the ground truth of every object, for training.
        token_dtype: "float32" or "float16" (half the size; rounds tokens).
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        overwrite: replace files that were made otherwise instead of refusing.
        videos: ids to restrict to; None takes all.
    """

    truth: bool = False
    token_dtype: str = "float32"
    device: str = "auto"
    overwrite: bool = False
    videos: Sequence[str] | None = None


def build_tracks(
    dataset: Dataset,
    config: CandidateConfig,
    out: Path,
    options: BuildOptions | None = None,
    executor: Executor | None = None,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> None:
    """Write the tracks of every video into `out`; a killed run goes on where it stopped.

    Args:
        dataset: an opened split; with `truth`, one whose ground truth is not hidden.
        config: models and prompts.
        out: the cache's folder, one file a video.
        options: what else.
        executor: None works in this process; see `rvosbench.execution.executors.local.local`.
        on_done: called with each video and whether its file was there already.

    Raises:
        TrackCacheError: `out` holds tracks made otherwise, and `overwrite` is not set.
        WeightsError: weights are not there.
        NoGroundTruthError: `truth` on a hidden split.
    """
    options, cache = options or BuildOptions(), TrackCache(out)
    job = _Build(dataset, config, options)
    # One after the other: drawing a video's expressions can cost as much as tracking one object.
    samples = dataset if options.videos is None else map(dataset.sample, options.videos)
    units = []
    for sample in samples:
        header = job.header(sample)
        unit = Unit(sample.video.id, header.recipe.digest)
        if unit.key in cache and not cache.store.finished(unit):
            _adopt(cache, unit, job.misfit(cache, header, sample), options.overwrite)
        units.append(unit)
    out.mkdir(parents=True, exist_ok=True)
    done = all(map(cache.store.finished, units))
    # Machines that make parts of one cache share it; anybody else has to wait.
    with nullcontext() if done else claimed(out, share=job.planned.shared.digest):
        run_units(units, job, cache.store, executor or local(), on_done)


def _adopt(cache: TrackCache, unit: Unit, problems: Sequence[str], overwrite: bool) -> None:
    """Take a file from another machine as done if it fits; refuse to lose one that does not."""
    if not problems:
        cache.store.accept(unit, cache.path(unit.key))
    elif not overwrite:
        raise TrackCacheError(
            f"{cache.path(unit.key)} was made otherwise: {'; '.join(problems)}. Choose another "
            "--out, or --overwrite to replace what does not fit"
        )


@dataclass(frozen=True)
class _Build:
    dataset: Dataset
    config: CandidateConfig
    options: BuildOptions

    @cached_property
    def maker(self) -> TrackMaker:
        """The models, opened on first use in every process."""
        return TrackMaker(self.config, self.options.device)

    def __getstate__(self) -> dict[str, object]:
        return {"dataset": self.dataset, "config": self.config, "options": self.options}

    def __call__(self, key: str, output: Path) -> None:
        """Write the tracks of one video."""
        sample, made = self.dataset.sample(key), self.maker.provenance()
        keep = ("image_size", "dtype", "device", "libraries", "backend")
        header = replace(self.header(sample), made={k: made[k] for k in keep if k in made})
        follower = self.maker.follower(sample.video)
        tracks = [*self.maker.tracks(sample, follower), *self._truth(sample, follower)]
        write_tracks(output, header, tracks)

    @cached_property
    def planned(self) -> Header:
        """What will decide the tracks of any video; opens no model."""
        header = wanted_header(self.config)
        dtype = choose_dtype(self.config.dtype, choose_device(self.options.device))
        return replace(
            header,
            truth=self.options.truth,
            corruption=corruption_of(self.dataset),
            made={**header.made, "dtype": dtype},
            token_dtype=self.options.token_dtype,
        )

    def header(self, sample: Sample) -> Header:
        """What will decide the tracks of a video."""
        texts = {e.id: e.text for e in sample.expressions}
        return replace(
            self.planned,
            video=sample.video.id,
            frames=frames_hash(sample.video),
            expressions=texts if self.config.grounder else None,
        )

    def misfit(self, cache: TrackCache, planned: Header, sample: Sample) -> list[str]:
        """Why the file that a cache has of a video is not the one planned, in words."""
        try:
            have = cache.header(planned.video)
        except TrackCacheError as error:
            return [str(error)]
        wanted = replace(planned, frames=frames_hash(sample.video, have.format))
        any_dtype = {"dtype"} if self.config.dtype == "auto" else set()
        return have.differences(wanted, wanted.recipe.facts.keys() - any_dtype)

    def _truth(self, sample: Sample, follower: Follower) -> list[Track]:
        # Without expressions there is nothing to learn, nor is it known which frames are annotated.
        if not self.options.truth or not sample.expressions:
            return []
        video, expression = sample.video.id, sample.expressions[0].id
        annotated = self.dataset.target(video, expression).annotated
        return object_tracks(follower, self.dataset.objects(video), annotated)


def object_tracks(
    follower: Follower, objects: Mapping[str, MaskSequence], annotated: Sequence[int]
) -> list[Track]:
    """A track of every object, prompted with its truth where it is largest; for training only.

    Args:
        follower: of the video.
        objects: object id -> masks on the annotated frames; those never visible are left out.
        annotated: indices of those frames.

    Returns:
        Tracks called `truth-<object id>`.
    """
    prompts: dict[int, dict[str, Prompt]] = {}
    for name, masks in objects.items():
        best = int(masks.areas().argmax())
        prompt = prompt_of(annotated[best], masks.words(best), masks.width)
        if prompt.area:
            prompts.setdefault(prompt.frame, {})[name] = prompt
    made: dict[str, Track] = {}
    for _, some in sorted(prompts.items()):
        made |= zip(some, follower.tracks(list(some.values()), "truth"), strict=True)
    return [replace(made[name], id=f"truth-{name}") for name in objects if name in made]
