"""Writing a corrupted copy of a dataset: resumable, parallel, the same bytes in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.storage import Storage, encode, libraries
from rvosbench.corruptions.table import TABLE, VERSION
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.datasets.capabilities import corruption_of
from rvosbench.datasets.corrupted_copy import CorruptedCopy
from rvosbench.datasets.corrupted_layout import (
    MASKS,
    Layout,
    bring_rest,
    label_images,
    layout_of,
    meta_entry,
    write_meta,
)
from rvosbench.datasets.frames import frames_identity
from rvosbench.errors import UsageError
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import write_json
from rvosbench.masks.label_images import encode_labels
from rvosbench.recipe import Recipe
from rvosbench.records import Json, Sample, Video


@dataclass(frozen=True)
class CopyOptions:
    """How a copy is made.

    Attributes:
        storage: of the frames.
        link: expressions and masks are linked, not copied.
        workers: processes; 0 works in this one.
        on_start: called once with all samples, before any work.
        on_done: called with each finished video and whether it was there already.
    """

    storage: Storage = field(default_factory=Storage)
    link: bool = True
    workers: int = 0
    on_start: Callable[[Sequence[Sample]], None] = lambda samples: None
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None


def write_copy(
    dataset: Dataset, plan: Plan, out: Path, root: Path | None, options: CopyOptions
) -> Path:
    """Write a corrupted copy of a dataset, or finish and repair one that was begun.

    Args:
        dataset: the clean split.
        plan: of the corruption.
        out: the copy's root. Its layout is that of `root`, or that of the dataset `folder` for
            datasets without files.
        root: the source's root; None for datasets without files.
        options: how.

    Returns:
        The manifest's path.

    Raises:
        UsageError: `out` holds something else, lies in the source, or the dataset is corrupted.
        DatasetError: frames that cannot be read.
    """
    _check(dataset, out, root)
    layout, copy = layout_of(dataset, root), CorruptedCopy(out)
    recipe = _recipe(dataset, plan, options.storage, layout)
    layout.check_names(options.storage)
    samples = list(dataset)
    units = [_unit(sample.video, recipe) for sample in samples]
    with copy.claim(recipe):
        options.on_start(samples)
        if root is not None and layout.source is not None:
            bring_rest(root, out, layout.frames, options.link)
        for unit in units:
            if copy.store.finished(unit):
                copy.forget_damaged(unit.key)
        job = _Job(dataset, plan, options.storage, layout, copy)
        run_units(units, job, copy.store, local(options.workers), options.on_done)
        if layout.source is None:
            write_meta({unit.key: copy.record(unit.key)["meta"] for unit in units}, out)
        facts = _facts(dataset, plan, options.storage, layout)
        return copy.finish(facts, [unit.key for unit in units])


@dataclass(frozen=True)
class _Job:
    """Corrupts one video; its output says which files it made, and what the JSON says of it."""

    dataset: Dataset
    plan: Plan
    storage: Storage
    layout: Layout
    copy: CorruptedCopy

    def __call__(self, key: str, output: Path) -> None:
        """Write the video's frames, and masks where the layout is ours, then their sha256."""
        sample = self.dataset.sample(key)
        made = self.copy.place(self.layout.frames / key, self._frames(sample))
        written = frames_identity(sample.video.frame_names, list(made.values()))
        frames, meta = {"copy": written, "clean": sample.video.identity}, None
        if self.layout.source is None:
            meta = meta_entry(self.dataset, sample)
            images = label_images(self.dataset, sample)
            masks = ((f"{name}.png", encode_labels(image)) for name, image in images.items())
            made |= self.copy.place(Path(MASKS) / key, masks)
        write_json(output, {"files": made, "frames": frames, "meta": meta})

    def _frames(self, sample: Sample) -> Iterator[tuple[str, bytes]]:
        video, names = sample.video, self.layout.file_names(sample, self.storage)
        for index, (name, file) in enumerate(zip(video.frame_names, names, strict=True)):
            frame = corrupted_frame(self.plan, video.id, name, index, video.read(index))
            yield file, encode(frame, self.storage)


def _recipe(dataset: Dataset, plan: Plan, storage: Storage, layout: Layout) -> Recipe:
    """What decides every byte of the copy but its frames, see `_unit`."""
    return Recipe(
        {
            "corruption": plan.signature,
            "storage": storage.facts(),
            "libraries": libraries(),
            **_source(dataset, layout),
        }
    )


def _unit(video: Video, recipe: Recipe) -> Unit:
    return Unit(video.id, recipe.with_facts(video=video.id, frames=video.identity).digest)


def _facts(dataset: Dataset, plan: Plan, storage: Storage, layout: Layout) -> dict[str, Json]:
    """What the manifest says besides the files."""
    return {
        "corruption": plan.signature + storage.mark,
        "name": plan.name,
        "severity": plan.severity,
        "parameters": dict(TABLE[plan.name].level(plan.severity)),
        "mode": plan.mode,
        "version": VERSION,
        "temporal": plan.temporal,
        "seed": plan.seed,
        "moves_pixels": plan.moves_pixels,
        "source": _source(dataset, layout),
        "storage": storage.facts(),
        "libraries": libraries(),
    }


def _source(dataset: Dataset, layout: Layout) -> dict[str, Json]:
    return {
        "dataset": dataset.name,
        "split": dataset.split,
        "fingerprint": dataset.fingerprint,
        "layout": "source" if layout.source else "folder",
    }


def _check(dataset: Dataset, out: Path, root: Path | None) -> None:
    """Never write into the source, never corrupt twice."""
    if corruption_of(dataset):
        raise UsageError(f"{dataset.name}/{dataset.split} is corrupted already")
    place = out.resolve()
    if root is not None and (place == root.resolve() or root.resolve() in place.parents):
        raise UsageError(f"--out {out} lies in the source {root}: choose a folder outside of it")
