"""Drawing: shapes with antialiased edges over a textured background, and who owns each pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvosbench.demo.motion import Rng
from rvosbench.demo.scenes import ShapeObject, Shapes
from rvosbench.demo.shapes import COLOURS, REACH, SHAPES, texture_shade

Image = NDArray[np.float32]

NOBODY = -1
"""Owner of a background pixel."""


@dataclass(frozen=True, eq=False)
class Footprint:
    """Where one shape lies in one frame, whatever may hide it.

    `window` cuts the pixels around it out of a frame; on these (h, w), `coverage` is in [0, 1] and
    `u`, `v` are local coordinates as in `shapes`. A shape out of the frame has an empty window.
    """

    window: tuple[slice, slice]
    coverage: Image
    u: Image
    v: Image

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Pixels at least half covered, (h, w)."""
        return np.asarray(self.coverage >= np.float32(0.5))


def _span(centre: float, reach: float, side: int) -> slice:
    first = min(max(0, math.floor(centre - reach)), side)
    return slice(first, max(first, min(side, math.ceil(centre + reach) + 1)))


def footprint(shape: ShapeObject, frame: int, side: int) -> Footprint:
    """The pixels of a shape in a frame of `side` x `side`, edges antialiased over one pixel."""
    x, y = shape.x[frame] * side, shape.y[frame] * side
    radius, angle = shape.size[frame] * side / 2, shape.angle[frame]
    columns, rows = (_span(centre, REACH * radius + 1, side) for centre in (x, y))
    across = ((np.arange(columns.start, columns.stop) + 0.5 - x) / radius).astype(np.float32)
    down = ((np.arange(rows.start, rows.stop) + 0.5 - y) / radius).astype(np.float32)[:, None]
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    u, v = cos * across + sin * down, cos * down - sin * across
    distance = SHAPES[shape.shape](u, v) * np.float32(radius)
    return Footprint((rows, columns), np.clip(np.float32(0.5) - distance, 0, 1), u, v)


def _paint(image: Image, owner: NDArray[np.int8], shape: ShapeObject, frame: int) -> None:
    """Draws one shape over what is there, in place; coverage of at least 0.5 owns the pixel."""
    mark = footprint(shape, frame, image.shape[0])
    shade = texture_shade(shape.texture, mark.u, mark.v)[..., None]
    colour = np.array(COLOURS[shape.colour], dtype=np.float32) * shade
    patch = image[mark.window]
    patch += mark.coverage[..., None] * (colour - patch)
    owner[mark.window][mark.inside] = shape.depth


def _muted_colour(rng: Rng) -> Image:
    """A greyish colour, (3,) in about 45..145."""
    grey = rng.uniform(60, 130)
    return np.asarray(grey + rng.uniform(-16, 16, size=3), dtype=np.float32)


def _interpolation(size: int, cells: int) -> Image:
    """(size, cells) weights that stretch a row of `cells` values smoothly over `size` pixels."""
    position = (np.arange(size) + 0.5) / size * (cells - 1)
    left = np.minimum(position.astype(np.intp), cells - 2)
    part = position - left
    part = part * part * (3 - 2 * part)
    weights = np.zeros((size, cells), dtype=np.float32)
    rows = np.arange(size)
    weights[rows, left], weights[rows, left + 1] = 1 - part, part
    return weights


def _smooth_noise(size: int, rng: Rng) -> Image:
    total = np.zeros((size, size), dtype=np.float32)
    for cells, weight in ((4, 0.6), (9, 0.3), (23, 0.25)):
        stretch = _interpolation(size, cells)
        grid = rng.uniform(-1, 1, size=(cells, cells)).astype(np.float32)
        total += np.float32(weight) * (stretch @ grid @ stretch.T)
    return np.asarray(np.clip(total * np.float32(0.5) + np.float32(0.5), 0, 1), np.float32)


def _ramp(size: int, angle: float) -> Image:
    """Distance along a direction (radians) from the centre, (size, size) in [-0.71, 0.71]."""
    axis = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    across, down = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return np.asarray(across * axis[None, :] + down * axis[:, None], dtype=np.float32)


def _gradient(size: int, rng: Rng) -> Image:
    ramp = _ramp(size, rng.uniform(0, 2 * math.pi))
    return np.asarray(ramp + np.float32(0.35) * (_smooth_noise(size, rng) + 1), np.float32)


def _checker(size: int, rng: Rng) -> Image:
    angle, cells = rng.uniform(0, 2 * math.pi), np.float32(rng.integers(4, 9))
    rows, columns = _ramp(size, angle), _ramp(size, angle + math.pi / 2)
    return np.asarray((np.floor(rows * cells) + np.floor(columns * cells)) % 2, dtype=np.float32)


def _background(size: int, rng: Rng) -> Image:
    """A background (size, size, 3), RGB in about 40..150: muted, so that every shape stands out."""
    patterns = (_smooth_noise, _gradient, _checker)
    pattern = patterns[rng.integers(len(patterns))](size, rng)
    low, high = _muted_colour(rng), _muted_colour(rng)
    grain = _smooth_noise(size, rng)[..., None] * np.float32(18) - np.float32(9)
    return np.asarray(low + (high - low) * pattern[..., None] + grain, dtype=np.float32)


def _brightness(n_frames: int, rng: Rng) -> NDArray[np.float32]:
    """Exposure factor of each frame (T,): a level for the clip and a slow flicker around it."""
    flicker = np.sin(rng.uniform(0, 2 * math.pi) + rng.uniform(0.1, 0.6) * np.arange(n_frames))
    level, depth = rng.uniform(0.88, 1.06), rng.uniform(0, 0.04)
    return np.asarray(level + depth * flicker, dtype=np.float32)


def render(objects: Shapes, size: int, rng: Rng) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draws a scene as a camera with mild sensor noise would see it.

    Args:
        objects: back to front, with `depth` equal to their index; at least one.
        size: side of the square frames, in pixels.
        rng: background, exposure and noise.

    Returns:
        Frames (T, S, S, 3), RGB; visible pixels of each object (N, T, S, S). Masks of different
        objects never overlap; one that is hidden or out of the frame has an empty mask.
    """
    n_frames = len(objects[0].x)
    background = _background(size, rng)
    brightness, noise = _brightness(n_frames, rng), np.float32(rng.uniform(1.5, 5))
    frames = np.empty((n_frames, size, size, 3), dtype=np.uint8)
    masks = np.empty((len(objects), n_frames, size, size), dtype=np.bool_)
    for frame in range(n_frames):
        image, owner = background.copy(), np.full((size, size), NOBODY, dtype=np.int8)
        for shape in objects:
            _paint(image, owner, shape, frame)
        image *= brightness[frame]
        image += noise * rng.standard_normal(image.shape, dtype=np.float32)
        frames[frame] = np.clip(image + np.float32(0.5), 0, 255)
        masks[:, frame] = owner == np.arange(len(objects), dtype=np.int8)[:, None, None]
    return frames, masks


def occlusion(objects: Shapes, masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much of each shape each other one hides: (N, N, T) in [0, 1].

    Entry [i, j, t] is the part of shape i's pixels in the frame that show shape j instead; 0 where
    shape i is out of the frame.
    """
    count, n_frames, side = masks.shape[:3]
    hidden = np.zeros((count, count, n_frames))
    for i, shape in enumerate(objects):
        for frame in range(n_frames):
            mark = footprint(shape, frame, side)
            covering = masks[(slice(i + 1, None), frame, *mark.window)] & mark.inside
            hidden[i, i + 1 :, frame] = covering.sum(axis=(1, 2)) / max(1, mark.inside.sum())
    return hidden
