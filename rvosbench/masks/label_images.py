"""Label images: one PNG a frame, whose pixel value is the number of an object or proposal.

The form in which DAVIS, YouTube-VOS and many others keep ground truth, and in which DAVIS takes
predictions. In palette images the value is the palette index, in gray ones the gray value itself;
0 is background, and in ground truth 255 is void (ignored).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rvosbench.errors import MaskError
from rvosbench.files.archives import Tree
from rvosbench.masks.png import read_values
from rvosbench.masks.sequence import MaskSequence, Rle

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOID = 255
"""Value of pixels that are not scored."""


def read_labels(tree: Tree, name: str, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """A label image as (H, W) uint8.

    Args:
        tree: where it lies.
        name: of the file.
        size: the wanted (height, width); None takes any.

    Raises:
        FileError: the file cannot be read.
        MaskError: not a PNG, not a palette, 8-bit gray or 1-bit image, or another size.
    """
    where = f"{tree.path}: {name}"
    values = read_values(tree.read(name), where, size)
    if values.dtype not in (np.uint8, np.bool_):
        raise MaskError(f"{where}: {values.dtype} values, wanted a palette or 8-bit gray image")
    return values.astype(np.uint8, copy=False)


def label_masks(
    tree: Tree, names: Sequence[str | None], size: tuple[int, int] | None = None
) -> tuple[tuple[int, int], dict[int, MaskSequence]]:
    """The size of T label images and label -> its masks (T,), ascending, void among them.

    Args:
        tree: where the images lie.
        names: one image a frame; a frame without one (None) has no labels.
        size: the wanted (height, width); None takes that of the first image.

    Raises:
        FileError, MaskError: as `read_labels`, and if neither `size` nor an image is given.
    """
    frames: list[dict[int, Rle]] = []
    for name in names:
        labels = np.zeros((0, 0), np.uint8) if name is None else read_labels(tree, name, size)
        size = size or (labels.shape if name is not None else None)
        frames.append(split_labels(labels))
    if size is None:
        raise MaskError(f"{tree.path}: no label images")
    values = sorted({value for frame in frames for value in frame})
    return size, {v: MaskSequence.from_rle([f.get(v) for f in frames], size) for v in values}


def split_labels(labels: NDArray[np.uint8]) -> dict[int, Rle]:
    """Value -> RLE of its pixels, for every value of an (H, W) label image but 0."""
    from pycocotools import mask as coco

    values = [int(v) for v in np.flatnonzero(np.bincount(labels.ravel(), minlength=2)) if v]
    if not values:
        return {}
    # Planes of transposed images are what the encoder calls Fortran order, without a copy.
    planes = np.ascontiguousarray(labels.T)[None] == np.array(values, np.uint8)[:, None, None]
    encoded: list[Any] = coco.encode(planes.view(np.uint8).transpose(2, 1, 0))
    return dict(zip(values, encoded, strict=True))


def encode_labels(labels: NDArray[np.uint8]) -> bytes:
    """An (H, W) label image as a palette PNG in the colours of DAVIS."""
    from PIL import Image

    image = Image.fromarray(labels)
    image.putpalette([c for i in range(256) for c in _colour(i)])  # grey becomes palette
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _colour(value: int) -> tuple[int, int, int]:
    """The palette of DAVIS: bits of the value spread over the three channels, highest first."""
    channels = [0, 0, 0]
    for bit in range(8):
        channels[bit % 3] |= (value >> bit & 1) << (7 - bit // 3)
    return channels[0], channels[1], channels[2]
