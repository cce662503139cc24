"""What storing and transmitting does to frames."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import DrawContext, Draws, ExactRandom
from rvosbench.corruptions.exact import gaussian, to_bytes, unit
from rvosbench.corruptions.kernels.pixels import in_hsv, look_up
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame


def contrast(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Less distance from the channel's mean, by a table of the 256 values."""
    return look_up(frame, flattened(np.mean(unit(frame), axis=(0, 1)), level["kept"]))


def flattened(means: NDArray[np.float64], kept: float) -> NDArray[np.uint8]:
    """What contrast makes of each value of each channel, (256, C), given the means (C,)."""
    values = np.arange(256)[:, None] / 255.0
    return to_bytes((values - means) * kept + means)


def draw_elastic(setting: DrawContext, rng: ExactRandom) -> Draws:
    """Shifts of three corners, (3, 2), and displacements dx, dy of every pixel, (2, H, W)."""
    level, size = setting.level, setting.size
    corners = rng.uniform(-level["affine"], level["affine"], size=(3, 2)).astype(np.float32)
    field = [
        gaussian(rng.uniform(-1, 1, size=size), level["sigma"], mode="reflect", truncate=3)
        for _ in range(2)
    ]
    return {"corners": corners, "field": (np.stack(field) * level["alpha"]).astype(np.float32)}


def elastic_transform(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """A random affine map, then smooth random displacements, both with linear interpolation."""
    from scipy.ndimage import map_coordinates

    image = affine(frame.astype(np.float32) / 255.0, draws["corners"])
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    places = [rows + draws["field"][1], columns + draws["field"][0]]
    planes = [map_coordinates(image[..., c], places, order=1, mode="reflect") for c in range(3)]
    return to_bytes(np.stack(planes, axis=-1))


def affine(image: NDArray[np.float32], corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move three points around the centre by `corners`, the rest with them."""
    import cv2

    height, width = image.shape[:2]
    before = triangle(height, width)
    matrix = cv2.getAffineTransform(before, before + corners)
    moved: NDArray[np.float32] = cv2.warpAffine(
        image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    return moved


def triangle(height: int, width: int) -> NDArray[np.float32]:
    """The three points, (3, 2), that the affine map moves.

    (row, column) stand where (x, y) is meant, as in the original; for square frames it is the same.
    """
    centre = np.array([height, width], dtype=np.float32) // 2
    reach = np.float32(min(height, width) // 3)
    return np.stack([centre + reach, centre + np.array([reach, -reach]), centre - reach])


def pixelate(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Box filter down, then up again, where it repeats pixels."""
    from PIL import Image

    height, width = frame.shape[:2]
    rows, columns = (int(side * level["scale"]) for side in (height, width))
    small = np.asarray(Image.fromarray(frame).resize((columns, rows), Image.Resampling.BOX))
    wide = np.take(small, _repeats(columns, width), axis=1)
    return np.take(wide, _repeats(rows, height), axis=0)


def _repeats(few: int, many: int) -> NDArray[np.int64]:
    """Which of `few` pixels a box of one pixel finds at each of `many` places."""
    return ((np.arange(many) + 0.5) * (few / many) - 0.5 + 0.5).astype(np.int64)


def jpeg_compression(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """JPEG with chroma subsampling, and back."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=int(level["quality"]))
    with Image.open(file) as image:
        return np.array(image)


def saturate(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Other S of HSV."""
    return in_hsv(frame, float(level["factor"]), float(level["added"]), 0.0)
