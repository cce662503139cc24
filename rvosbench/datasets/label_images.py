"""Truth in index images: one PNG a frame, whose pixel value is the object's id.

DAVIS and YouTube-VOS store palette images, where the value is the palette index; 0 is background
and 255 is void (ignored). Grey images hold the value itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rvosbench.datasets.frames import image_files
from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError
from rvosbench.masks import MaskSequence, Rle
from rvosbench.records import Json, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOID = 255


@dataclass
class _Latest:
    """The last video read: its expressions are asked for one after the other."""

    key: tuple[str, tuple[str, ...]] | None = None
    target: Target | None = None


@dataclass(frozen=True)
class LabelTruth:
    """Masks from `folder/<video>/<frame>.png`.

    Attributes:
        folder: the split's annotation folder.
        absent_is_empty: an object that no image shows has empty masks (Ref-DAVIS17, where sentences
            exist for objects without masks); otherwise it is an error.
    """

    folder: Path
    absent_is_empty: bool = False
    _latest: _Latest = field(default_factory=_Latest, repr=False, compare=False)

    def target(self, clip: Clip, ids: Sequence[str] | None, size: tuple[int, int] | None) -> Target:
        """The objects `ids` (None: all, ascending) on the frames that have an image.

        Raises:
            AnnotationError: no image, an image of the wrong kind or size, or an unknown object.
        """
        whole = self._whole(clip)
        if size is not None and whole.size != size:
            raise AnnotationError(
                f"{self.folder / clip.id}: masks are {whole.size[0]}x{whole.size[1]}, frames "
                f"{size[0]}x{size[1]} (height x width): were the frames resized?"
            )
        if ids is None:
            return whole
        objects = {i: self._object(clip, whole, i) for i in ids}
        return Target(whole.size, whole.annotated, objects, whole.void)

    def identity(self, clips: Sequence[Clip]) -> Json:
        """Sorted [name, bytes] of the images of the listed frames."""
        return [
            [f"{clip.id}/{name}", path.stat().st_size]
            for clip in clips
            for name, path in sorted(self._files(clip).items())
        ]

    def _files(self, clip: Clip) -> dict[str, Path]:
        """Frame name -> image, in frame order; images of unlisted frames are no truth."""
        found = image_files(self.folder / clip.id)
        pngs = {n: p for n, p in found.items() if p.suffix.lower() == ".png"}
        return {name: pngs[name] for name in clip.frame_names if name in pngs}

    def _whole(self, clip: Clip) -> Target:
        key = (clip.id, clip.frame_names)
        if self._latest.key != key or self._latest.target is None:
            target = self._read(clip)
            self._latest.key, self._latest.target = key, target
            return target
        return self._latest.target

    def _read(self, clip: Clip) -> Target:
        files = self._files(clip)
        if not files:
            raise AnnotationError(
                f"{self.folder / clip.id} has no mask for any of the {len(clip.frame_names)} "
                f"frames of video {clip.id!r} ({clip.frame_names[0]}.png, ...): unpack the "
                "annotations there"
            )
        order = {name: index for index, name in enumerate(clip.frame_names)}
        return _target(list(files.values()), tuple(order[name] for name in files))

    def _object(self, clip: Clip, whole: Target, wanted: str) -> MaskSequence:
        if wanted in whole.objects:
            return whole.objects[wanted]
        if self.absent_is_empty:
            return MaskSequence.empty(len(whole.annotated), whole.size)
        hint = ""
        if not whole.objects and whole.void is not None:
            hint = ". Masks of 0 and 255 only: 255 means void here, write the object's id instead"
        raise AnnotationError(
            f"{self.folder / clip.id}: an expression names object {wanted!r}, the masks hold "
            f"{', '.join(whole.objects) or 'none'}{hint}"
        )


def read_labels(path: Path) -> NDArray[np.uint8]:
    """An index image as (H, W) uint8.

    Raises:
        AnnotationError: broken, or not a palette, grey or 1-bit image.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode not in ("P", "L", "1"):
                raise AnnotationError(
                    f"{path} is a {image.mode} image, wanted a palette or 8-bit grey one whose "
                    "values are object ids: was it saved again by an image editor?"
                )
            return np.array(image, dtype=np.uint8)
    except (OSError, SyntaxError) as error:
        raise AnnotationError(f"{path} cannot be read ({error}): unpack it again") from error


def _target(files: Sequence[Path], annotated: tuple[int, ...]) -> Target:
    frames: list[dict[int, Rle]] = []
    size: tuple[int, int] | None = None
    for path in files:
        labels = read_labels(path)
        found = (labels.shape[0], labels.shape[1])
        size = size or found
        if found != size:
            raise AnnotationError(f"{path} is {found}, the video's first mask is {size}")
        frames.append(split_labels(labels))
    if size is None:
        raise AnnotationError("no index images")
    values = sorted({value for frame in frames for value in frame})
    masks = {v: MaskSequence.from_rle([f.get(v) for f in frames], size) for v in values}
    void = masks.pop(VOID, None)
    return Target(size, annotated, {str(v): m for v, m in masks.items()}, void)


def split_labels(labels: NDArray[np.uint8]) -> dict[int, Rle]:
    """Value -> RLE of its pixels, for every value of an (H, W) index image but 0."""
    from pycocotools import mask as coco

    values = [int(v) for v in np.flatnonzero(np.bincount(labels.ravel(), minlength=2)) if v]
    if not values:
        return {}
    # Planes of transposed images are what the encoder calls Fortran order, without a copy.
    planes = np.ascontiguousarray(labels.T)[None] == np.array(values, np.uint8)[:, None, None]
    encoded: list[Any] = coco.encode(planes.view(np.uint8).transpose(2, 1, 0))
    return dict(zip(values, encoded, strict=True))
