"""Where a corrupted copy puts its files, so that the dataset's own loader opens it unchanged."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.contracts import Dataset
from rvosbench.corruptions.storage import Storage
from rvosbench.datasets.capabilities import frame_folders
from rvosbench.datasets.corrupted_copy import MANIFEST
from rvosbench.datasets.folder import META
from rvosbench.datasets.frames import image_files
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError
from rvosbench.files.atomic import replacing, write_json
from rvosbench.masks.label_images import VOID
from rvosbench.records import Json, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rvosbench.masks import MaskSequence

FRAMES = "JPEGImages"
MASKS = "Annotations"


@dataclass(frozen=True)
class Layout:
    """How a copy is laid out.

    Attributes:
        frames: folder of the frames, below the copy's root.
        source: folder of the source's frames; None for datasets that have no files, whose copy
            takes the form of the dataset `folder`.
    """

    frames: Path
    source: Path | None

    def file_names(self, sample: Sample, storage: Storage) -> tuple[str, ...]:
        """One file name a frame."""
        if not storage.keep_names:
            return tuple(name + storage.suffix for name in sample.video.frame_names)
        files = image_files(self.source / sample.video.id) if self.source else {}
        return tuple(files[name].name for name in sample.video.frame_names)

    def check_names(self, storage: Storage) -> None:
        """Raises UsageError if file names are to be kept and there are none."""
        if storage.keep_names and self.source is None:
            raise UsageError(
                "--names keep: these frames are generated and have no file names to keep"
            )


def layout_of(dataset: Dataset, root: Path | None) -> Layout:
    """The source's own layout if it has files below `root`, else that of the dataset `folder`."""
    frames = frame_folders(dataset)
    if root is None or frames is None:
        return Layout(Path(FRAMES), None)
    return Layout(frames.resolve().relative_to(root.resolve()), frames)


def bring_rest(root: Path, out: Path, frames: Path, link: bool) -> None:
    """Link or copy everything of a dataset but frames: expressions, masks, lists.

    What belongs to other splits stays out: their frames are clean, and a copy that opens as another
    split would pass them off as corrupted.

    Args:
        root: of the source.
        out: of the copy.
        frames: the frame folder, below both.
        link: symbolic links; False copies.
    """
    out.mkdir(parents=True, exist_ok=True)
    for child in sorted(root.iterdir()):
        if child.name == frames.parts[0]:
            if len(frames.parts) > 1:
                bring_rest(child, out / child.name, Path(*frames.parts[1:]), link)
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


def write_meta(videos: Mapping[str, Json], out: Path) -> None:
    """The JSON of the dataset `folder`, from an entry for each video."""
    write_json(out / META, {"videos": dict(videos)}, indent=1)


def meta_entry(dataset: Dataset, sample: Sample) -> dict[str, Json]:
    """What that JSON says of one video.

    Raises:
        DatasetError: more objects than index images hold.
    """
    expressions = {}
    values = _values(dataset, sample)
    for e in sample.expressions:
        entry: dict[str, Json] = {"exp": e.text, "tags": list(e.tags)}
        if values is not None:
            objects = dataset.target(sample.video.id, e.id).objects
            entry["objects"] = [str(values[name]) for name in objects]
        expressions[e.id] = entry
    return {"frames": list(sample.video.frame_names), "expressions": expressions}


def _values(dataset: Dataset, sample: Sample) -> Mapping[str, int] | None:
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


def label_images(dataset: Dataset, sample: Sample) -> dict[str, NDArray[np.uint8]]:
    """Frame name -> (H, W) index image, on the annotated frames; empty on a hidden split.

    Raises:
        DatasetError: objects that overlap, which index images cannot hold.
    """
    values = _values(dataset, sample)
    if values is None or not sample.expressions:
        return {}
    video = sample.video
    target = dataset.target(video.id, sample.expressions[0].id)
    objects = dataset.objects(video.id)
    images = {}
    for position, index in enumerate(target.annotated):
        image = _label_image(objects, values, position, target.size)
        if image is None:
            raise DatasetError(
                f"{dataset.name}: objects of video {video.id!r} overlap in frame "
                f"{video.frame_names[index]!r}, which the layout of `folder` cannot hold"
            )
        if target.void is not None:
            image[target.void.frame(position)] = VOID
        images[video.frame_names[index]] = image
    return images


def _label_image(
    objects: Mapping[str, MaskSequence],
    values: Mapping[str, int],
    position: int,
    size: tuple[int, int],
) -> NDArray[np.uint8] | None:
    image = np.zeros(size, np.uint8)
    for name, masks in objects.items():
        mask = masks.frame(position)
        if image[mask].any():
            return None
        image[mask] = values[name]
    return image
