"""What storing and transmitting does to frames."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.corruptions.exact.arithmetic import gaussian, to_bytes, unit
from rvosbench.corruptions.kernels import colour
from rvosbench.corruptions.making import Draws, Setting
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Random = np.random.RandomState


def contrast(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Less distance from the channel's mean, by a table of the 256 values."""
    means = np.mean(unit(frame), axis=(0, 1))
    values = np.arange(256)[:, None] / 255.0
    table = to_bytes((values - means) * level["kept"] + means)
    return np.stack([table[:, c][frame[..., c]] for c in range(3)], axis=-1)


def draw_elastic(setting: Setting, rng: Random) -> Draws:
    """Shifts of three corners, (3, 2), and displacements dx, dy of every pixel, (2, H, W)."""
    level, size = setting.level, (setting.height, setting.width)
    corners = rng.uniform(-level["affine"], level["affine"], size=(3, 2)).astype(np.float32)
    field = [
        gaussian(rng.uniform(-1, 1, size=size), level["sigma"], mode="reflect", truncate=3)
        for _ in range(2)
    ]
    return {"corners": corners, "field": (np.stack(field) * level["alpha"]).astype(np.float32)}


def elastic_transform(frame: Frame, level: Level, draws: Draws, rng: Random) -> Frame:
    """A random affine map, then smooth random displacements, both with linear interpolation."""
    from scipy import ndimage

    image = affine(frame.astype(np.float32) / 255.0, draws["corners"])
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    places = [rows + draws["field"][1], columns + draws["field"][0]]
    planes = [
        ndimage.map_coordinates(image[..., c], places, order=1, mode="reflect") for c in range(3)
    ]
    return to_bytes(np.stack(planes, axis=-1))


def affine(image: NDArray[np.float32], corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move three points around the centre by `corners`, the rest with them."""
    import cv2

    height, width = image.shape[:2]
    # (row, column) used as (x, y), as in the original: it only matters for frames not square.
    centre = np.array([height, width], dtype=np.float32) // 2
    reach = min(height, width) // 3
    triangle = np.stack([centre + reach, centre + np.array([reach, -reach]), centre - reach])
    before = triangle.astype(np.float32)
    matrix = cv2.getAffineTransform(before, before + corners)
    moved: NDArray[np.float32] = cv2.warpAffine(
        image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    return moved


def pixelate(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Box filter down and up again."""
    from PIL import Image

    height, width = frame.shape[:2]
    small = (int(width * level["scale"]), int(height * level["scale"]))
    image = Image.fromarray(frame).resize(small, Image.Resampling.BOX)
    return np.array(image.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """JPEG with chroma subsampling, and back."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=int(level["quality"]))
    with Image.open(file) as image:
        return np.array(image)


def saturate(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Other S of HSV."""
    return colour.saturate(frame, level["factor"], level["added"])
