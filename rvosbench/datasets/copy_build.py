"""Writing a corrupted copy of a dataset: resumable, parallel, the same bytes in any order.

Its files lie where the dataset's own loader looks for them, so that it opens the copy unchanged.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.storage import Storage, encode, libraries
from rvosbench.corruptions.table import TABLE, VERSION
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.datasets.capabilities import corruption_of, frame_folders
from rvosbench.datasets.corrupted_copy import MANIFEST, CorruptedCopy
from rvosbench.datasets.folder import META
from rvosbench.datasets.frames import frames_identity, image_files
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import replacing, write_json
from rvosbench.masks.label_images import VOID, encode_labels
from rvosbench.recipe import Recipe
from rvosbench.records import Json, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES = "JPEGImages"
MASKS = "Annotations"


@dataclass(frozen=True)
class CopyOptions:
    """How a copy is made.

    Attributes:
        storage: of the frames.
        link: expressions and masks are linked, not copied.
        workers: processes; 0 works in this one.
        on_done: called with each finished video and whether it was there already.
    """

    storage: Storage = field(default_factory=Storage)
    link: bool = True
    workers: int = 0
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
    copy, storage, frames = CorruptedCopy(out), options.storage, Path(FRAMES)
    source = None if root is None else frame_folders(dataset)
    if root is not None and source is not None:
        frames = source.resolve().relative_to(root.resolve())
    elif storage.keep_names:
        raise UsageError("--names keep: these frames are generated and have no file names to keep")
    job = _Job(dataset, plan, storage, copy, frames, source)
    recipe = job.recipe()
    units = [
        Unit(v.id, recipe.with_facts(video=v.id, frames=v.identity).digest)
        for v in (sample.video for sample in dataset)
    ]
    with copy.claim(recipe):
        if root is not None and source is not None:
            _bring_rest(root, out, frames, options.link)
        run_units(units, job, copy.store, local(options.workers), options.on_done)
        if source is None:
            videos = {unit.key: copy.record(unit.key)["meta"] for unit in units}
            write_json(out / META, {"videos": videos}, indent=1)
        return copy.finish(job.facts(), [unit.key for unit in units])


@dataclass(frozen=True)
class _Job:
    """Corrupts one video; its output says which files it made, and what the JSON says of it.

    Attributes:
        frames: folder of the frames, below the copy's root.
        source: folder of the source's frames; None for datasets that have no files, whose copy
            takes the form of the dataset `folder`.
    """

    dataset: Dataset
    plan: Plan
    storage: Storage
    copy: CorruptedCopy
    frames: Path
    source: Path | None

    def __call__(self, key: str, output: Path) -> None:
        """Write the video's frames, and masks where the layout is ours, then their sha256."""
        sample = self.dataset.sample(key)
        made = self.copy.place(self.frames / key, self._frames(sample))
        written = frames_identity(sample.video.frame_names, list(made.values()))
        frames, meta = {"copy": written, "clean": sample.video.identity}, None
        if self.source is None:
            meta = _meta_entry(self.dataset, sample)
            images = _label_images(self.dataset, sample)
            masks = ((f"{name}.png", encode_labels(image)) for name, image in images)
            made |= self.copy.place(Path(MASKS) / key, masks)
        write_json(output, {"files": made, "frames": frames, "meta": meta})

    def _frames(self, sample: Sample) -> Iterator[tuple[str, bytes]]:
        video, source, storage = sample.video, self.source, self.storage
        kept = image_files(source / video.id) if source and storage.keep_names else {}
        for index, name in enumerate(video.frame_names):
            frame = corrupted_frame(self.plan, video.id, name, index, video.read(index))
            yield kept[name].name if kept else name + storage.suffix, encode(frame, storage)

    def recipe(self) -> Recipe:
        """What decides every byte of the copy but its frames."""
        stored = {"storage": self.storage.facts(), "libraries": libraries()}
        return Recipe({"corruption": self.plan.signature, **stored, **self._source()})

    def facts(self) -> dict[str, Json]:
        """What the manifest says besides the files."""
        plan = self.plan
        return {
            "corruption": plan.signature + self.storage.mark,
            "name": plan.name,
            "severity": plan.severity,
            "parameters": dict(TABLE[plan.name].level(plan.severity)),
            "mode": plan.mode,
            "version": VERSION,
            "temporal": plan.temporal,
            "seed": plan.seed,
            "moves_pixels": plan.moves_pixels,
            "source": self._source(),
            "storage": self.storage.facts(),
            "libraries": libraries(),
        }

    def _source(self) -> dict[str, Json]:
        return {
            "dataset": self.dataset.name,
            "split": self.dataset.split,
            "fingerprint": self.dataset.fingerprint,
            "layout": "source" if self.source else "folder",
        }


def _check(dataset: Dataset, out: Path, root: Path | None) -> None:
    """Never write into the source, never corrupt twice."""
    if corruption_of(dataset):
        raise UsageError(f"{dataset.name}/{dataset.split} is corrupted already")
    place = out.resolve()
    if root is not None and (place == root.resolve() or root.resolve() in place.parents):
        raise UsageError(f"--out {out} lies in the source {root}: choose a folder outside of it")


def _bring_rest(root: Path, out: Path, frames: Path, link: bool) -> None:
    """Link or copy everything of a dataset but frames: expressions, masks, lists.

    What belongs to other splits stays out: their frames are clean, and a copy that opens as another
    split would pass them off as corrupted. The folder `frames` lies below both.
    """
    out.mkdir(parents=True, exist_ok=True)
    for child in sorted(root.iterdir()):
        if child.name == frames.parts[0]:
            if len(frames.parts) > 1:
                _bring_rest(child, out / child.name, Path(*frames.parts[1:]), link)
        elif root.name != FRAMES and child.name != MANIFEST and not _holds_frames(child):
            _bring(child, out / child.name, link)


def _holds_frames(path: Path) -> bool:
    """Whether it is a folder of frames, or has one within two levels."""
    if not path.is_dir():
        return False
    below = [path, *path.glob("*"), *path.glob("*/*")] if path.name != MASKS else [path]
    return any(folder.name == FRAMES for folder in below)


def _bring(source: Path, target: Path, link: bool) -> None:
    if target.exists() or target.is_symlink():
        return
    with replacing(target) as beside:
        if link:
            try:
                beside.symlink_to(source.resolve(), target_is_directory=source.is_dir())
            except OSError:  # a file system without links
                link = False
        if not link:
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, beside)


def _meta_entry(dataset: Dataset, sample: Sample) -> dict[str, Json]:
    """What the JSON of the dataset `folder` says of one video."""
    expressions, values = {}, _values(dataset, sample)
    for e in sample.expressions:
        entry: dict[str, Json] = {"exp": e.text, "tags": list(e.tags)}
        if values is not None:
            objects = dataset.target(sample.video.id, e.id).objects
            entry["objects"] = [str(values[name]) for name in objects]
        expressions[e.id] = entry
    return {"frames": list(sample.video.frame_names), "expressions": expressions}


def _values(dataset: Dataset, sample: Sample) -> dict[str, int] | None:
    """Object id -> its value in index images, from 1; None on a hidden split."""
    try:
        objects = dataset.objects(sample.video.id)
    except NoGroundTruthError:
        return None
    if len(objects) >= VOID:
        raise DatasetError(
            f"{dataset.name}: video {sample.video.id!r} has {len(objects)} objects, index images "
            f"hold {VOID - 1}"
        )
    return {name: value for value, name in enumerate(objects, start=1)}


def _label_images(dataset: Dataset, sample: Sample) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Frame name and (H, W) index image, of the annotated frames; none on a hidden split."""
    values, video = _values(dataset, sample), sample.video
    if values is None or not sample.expressions:
        return
    target, objects = dataset.target(video.id, sample.expressions[0].id), dataset.objects(video.id)
    for position, index in enumerate(target.annotated):
        image = np.zeros(target.size, np.uint8)
        for name, masks in objects.items():
            mask = masks.frame(position)
            if image[mask].any():
                raise DatasetError(
                    f"{dataset.name}: objects of video {video.id!r} overlap in frame "
                    f"{video.frame_names[index]!r}, which the layout of `folder` cannot hold"
                )
            image[mask] = values[name]
        if target.void is not None:
            image[target.void.frame(position)] = VOID
        yield video.frame_names[index], image
