"""Writing a corrupted copy of a dataset: resumable, parallel, the same bytes in any order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.storage import (
    MANIFEST,
    Fault,
    Storage,
    encode,
    faults,
    libraries,
    manifest,
    read_manifest,
    sha256,
)
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.datasets.capabilities import corruption_of
from rvosbench.datasets.corrupted_layout import (
    MASKS,
    Layout,
    bring_rest,
    label_images,
    layout_of,
    meta_entry,
    write_meta,
)
from rvosbench.errors import UsageError
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import discard, write_json
from rvosbench.files.names import file_name
from rvosbench.masks.label_images import encode_labels
from rvosbench.recipe import digest
from rvosbench.records import Json, Sample

STATE = ".corrupt"
"""Folder of a copy that holds what a resumed run needs."""


@dataclass(frozen=True)
class CopyOptions:
    """How a copy is made.

    Attributes:
        storage: of the frames.
        link: sentences and masks are linked, not copied.
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
    layout = layout_of(dataset, root)
    facts = _facts(dataset, plan, options, layout)
    _check(dataset, out, root, facts)
    layout.check_names(options.storage)
    samples = list(dataset)
    units = [_unit(sample, facts, layout) for sample in samples]
    options.on_start(samples)
    write_json(out / STATE / "run.json", {"run": digest(facts)})
    discard(out / MANIFEST)  # a copy is complete when it has one
    if root is not None and layout.source is not None:
        bring_rest(root, out, layout.frames, options.link)
    store = Store(out / STATE / "videos")
    for unit in units:
        if store.finished(unit) and any(faults(out, _record(store, unit)["files"])):
            discard(store.output(unit.key))
    job = _Job(dataset, plan, options.storage, layout, out)
    run_units(units, job, store, local(options.workers), options.on_done)
    records = {unit.key: _record(store, unit) for unit in units}
    if layout.source is None:
        write_meta({video: record["meta"] for video, record in records.items()}, out)
    files = {name: sha for r in records.values() for name, sha in r["files"].items()}
    write_json(out / MANIFEST, manifest(plan, options.storage, _source(dataset, layout), files), 1)
    return out / MANIFEST


def verify_copy(root: Path) -> Iterator[Fault]:
    """Files of a copy that are missing or changed; none if all is well.

    Raises:
        DatasetError: no manifest.
    """
    return faults(root, read_manifest(root)["files"])


@dataclass(frozen=True)
class _Job:
    """Corrupts one video; its output says which files it made, and what the JSON says of it."""

    dataset: Dataset
    plan: Plan
    storage: Storage
    layout: Layout
    out: Path

    def __call__(self, key: str, output: Path) -> None:
        """Write the video's frames, and masks where the layout is ours, then their sha256."""
        sample = self.dataset.sample(key)
        made = self._place(self.layout.frames / key, self._frames(sample))
        meta = None
        if self.layout.source is None:
            meta = meta_entry(self.dataset, sample)
            images = label_images(self.dataset, sample)
            masks = ((f"{name}.png", encode_labels(image)) for name, image in images.items())
            made |= self._place(Path(MASKS) / key, masks)
        write_json(output, {"files": made, "meta": meta})

    def _frames(self, sample: Sample) -> Iterator[tuple[str, bytes]]:
        video, names = sample.video, self.layout.file_names(sample, self.storage)
        for index, (name, file) in enumerate(zip(video.frame_names, names, strict=True)):
            frame = corrupted_frame(self.plan, video.id, name, index, video.read(index))
            yield file, encode(frame, self.storage)

    def _place(self, folder: Path, files: Iterator[tuple[str, bytes]]) -> dict[str, str]:
        """Write a folder beside its place and rename it; path -> sha256."""
        beside = self.out / STATE / "frames" / file_name(folder.as_posix())
        discard(beside)
        beside.mkdir(parents=True)
        made = {}
        for name, content in files:
            (beside / name).write_bytes(content)
            made[(folder / name).as_posix()] = sha256(beside / name)
        place = self.out / folder
        discard(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.replace(place)
        return made


def _facts(dataset: Dataset, plan: Plan, options: CopyOptions, layout: Layout) -> Json:
    return {
        "corruption": plan.signature,
        "storage": options.storage.facts(),
        "libraries": libraries(),
        **_source(dataset, layout),
    }


def _source(dataset: Dataset, layout: Layout) -> dict[str, Json]:
    return {
        "dataset": dataset.name,
        "split": dataset.split,
        "fingerprint": dataset.fingerprint,
        "layout": "source" if layout.source else "folder",
    }


def _unit(sample: Sample, facts: Json, layout: Layout) -> Unit:
    video = sample.video
    return Unit(video.id, digest([facts, video.id, list(video.frame_names), layout.sizes(sample)]))


def _record(store: Store, unit: Unit) -> Json:
    return json.loads(store.output(unit.key).read_text(encoding="utf-8"))


def _check(dataset: Dataset, out: Path, root: Path | None, facts: Json) -> None:
    """Never write into the source, never mix two copies, never corrupt twice."""
    if corruption_of(dataset):
        raise UsageError(f"{dataset.name}/{dataset.split} is corrupted already")
    place = out.resolve()
    if root is not None and (place == root.resolve() or root.resolve() in place.parents):
        raise UsageError(f"--out {out} lies in the source {root}: choose a folder outside of it")
    marker = out / STATE / "run.json"
    if marker.exists():
        if json.loads(marker.read_text(encoding="utf-8")) != {"run": digest(facts)}:
            raise UsageError(
                f"{out} holds another corruption (or one made with other settings or library "
                "versions): choose another --out, or delete it"
            )
    elif out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty and holds no corrupted copy: choose another --out")
