"""Building a track cache: one unit of work a video, resumable, on any number of machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import corruption_of
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Executor, Unit
from rvosbench.masks import MaskSequence
from rvosbench.models.backends import TRANSFORMERS
from rvosbench.recipe import digest
from rvosbench.records import Json, Sample, Track
from rvosbench.tracks.cache import Header, TrackCacheError, read_header, write_tracks
from rvosbench.tracks.cached import SUFFIX, Wanted
from rvosbench.tracks.identity import frame_fingerprint, relevant
from rvosbench.tracks.maker import CandidateConfig, TrackMaker

if TYPE_CHECKING:
    from rvosbench.tracks.follow import Follower


@dataclass(frozen=True)
class BuildOptions:
    """What a cache holds besides what a method asks for, and how it is made.

    Attributes:
        truth: add tracks prompted with the truth of every object, for training.
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
        dataset: an opened split; with `truth`, one whose truth is not hidden.
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
    options = options or BuildOptions()
    job = _Build(dataset, config, options)
    # One after the other: drawing a video's sentences can cost as much as tracking one object.
    samples = dataset if options.videos is None else map(dataset.sample, options.videos)
    store = Store(out, SUFFIX)
    units = []
    for sample in samples:
        header = job.header(sample)
        unit = Unit(sample.video.id, _digest(header))
        _adopt(store, unit, header, job.wanted, options.overwrite)
        units.append(unit)
    run_units(units, job, store, executor or local(), on_done)


def _digest(header: Header) -> str:
    facts = [header.recipe, header.video, header.frames, header.expressions, header.token_dtype]
    return digest(facts)


def _adopt(store: Store, unit: Unit, planned: Header, wanted: Wanted, overwrite: bool) -> None:
    """Take a file from another machine as done if it fits; refuse to lose one that does not."""
    place = store.output(unit.key)
    if not place.exists() or store.finished(unit):
        return
    problems = _problems(place, planned, wanted)
    if not problems:
        store.accept(unit, place)
    elif not overwrite:
        raise TrackCacheError(
            f"{place} was made otherwise: {'; '.join(problems)}. Choose another --out, or "
            "--overwrite to replace what does not fit"
        )


def _problems(place: Path, planned: Header, wanted: Wanted) -> list[str]:
    try:
        have = read_header(place)
    except TrackCacheError as error:
        return [str(error)]
    problems = wanted.problems(have)
    names = ("frames", "expressions", "truth", "corruption", "token_dtype")
    problems += [f"{n} differ" for n in names if getattr(have, n) != getattr(planned, n)]
    if (have.grounder is None) != (planned.grounder is None):
        problems.append("it has box tracks" if have.grounder else "it has no box tracks")
    return problems


def _backend(config: CandidateConfig) -> dict[str, Json]:
    """Left out where it is the usual one: caches made before there was a choice stay valid."""
    return {} if config.backend == TRANSFORMERS else {"backend": config.backend}


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
        sample = self.dataset.sample(key)
        made = self.maker.provenance()
        keep = ("image_size", "dtype", "device", "libraries", "backend")
        header = replace(self.header(sample), made={k: made[k] for k in keep if k in made})
        write_tracks(output, header, self._tracks(sample))

    def header(self, sample: Sample) -> Header:
        """What will decide the tracks of a video; opens no model."""
        from rvosbench.models.devices import choose_device, choose_dtype

        boxes = bool(self.config.grounder)
        dtype = choose_dtype(self.config.dtype, choose_device(self.options.device))
        return Header(
            video=sample.video.id,
            frames=frame_fingerprint(sample.video),
            tracker=self.wanted.tracker,
            grounder=self.wanted.grounder,
            prompts=relevant(self.config.prompts, boxes),
            expressions={e.id: e.text for e in sample.expressions} if boxes else None,
            truth=self.options.truth,
            corruption=corruption_of(self.dataset),
            made={"dtype": dtype, **_backend(self.config)},
            token_dtype=self.options.token_dtype,
        )

    @cached_property
    def wanted(self) -> Wanted:
        """What the files must have been made with."""
        return Wanted.of(self.config)

    def _tracks(self, sample: Sample) -> list[Track]:
        follower = self.maker.follower(sample.video)
        tracks = list(self.maker.tracks_with(follower, sample))
        if self.options.truth:
            tracks += self._truth(sample, follower)
        return tracks

    def _truth(self, sample: Sample, follower: Follower) -> list[Track]:
        if not sample.expressions:  # nothing to learn, nor do we know which frames are annotated
            return []
        objects = self.dataset.objects(sample.video.id)
        expression = sample.expressions[0].id
        annotated = self.dataset.target(sample.video.id, expression).annotated
        return object_tracks(follower, objects, annotated)


def object_tracks(
    follower: Follower, objects: Mapping[str, MaskSequence], annotated: Sequence[int]
) -> list[Track]:
    """A track of every object, prompted with its truth where it is largest; for training only.

    Args:
        follower: of the video.
        objects: object id -> masks on the annotated frames.
        annotated: indices of those frames.

    Returns:
        Tracks called `truth-<object id>`; objects that are never visible are left out.
    """
    from rvosbench.tracks.prompts import Prompt, prompt_of

    prompts: dict[int, dict[str, Prompt]] = {}
    for name, masks in objects.items():
        best = int(masks.areas().argmax())
        prompt = prompt_of(annotated[best], masks.words(best), masks.width)
        if prompt.area:
            prompts.setdefault(prompt.frame, {})[name] = prompt
    made = {
        name: track
        for frame in sorted(prompts)
        for name, track in zip(
            prompts[frame],
            follower.tracks(list(prompts[frame].values()), "truth"),
            strict=True,
        )
    }
    return [replace(made[name], id=f"truth-{name}") for name in objects if name in made]
