"""Scenes: which shapes there are, how they look, and where their motion takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvosbench.demo.motion import Floats, Motion, Rng, companion, differ, sample_motion
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES

_MARGIN = 0.02
_PLACEMENTS = 8


@dataclass(frozen=True)
class Look:
    """Appearance of a shape: names of `SHAPES`, `COLOURS`, `TEXTURES`, and its size.

    `size` is the nominal diameter as a fraction of the frame's side.
    """

    colour: str
    shape: str
    texture: str
    size: float


@dataclass(frozen=True, eq=False)
class ShapeObject:
    """One shape and its ground-truth state in every frame.

    `x`, `y` (T,) are the centre in frame sides, right and down of the top left corner (outside
    [0, 1] beyond the frame); `size` (T,) the nominal diameter in frame sides; `angle` (T,) in
    radians, clockwise on screen. `depth` grows towards the viewer: a larger one occludes.
    `motion` names the program that moved it.
    """

    colour: str
    shape: str
    texture: str
    depth: int
    motion: str
    x: Floats
    y: Floats
    size: Floats
    angle: Floats

    @property
    def look(self) -> tuple[str, str, str]:
        """Colour, shape and texture: equal for look-alikes."""
        return self.colour, self.shape, self.texture


Shapes: TypeAlias = tuple[ShapeObject, ...]
"""All of a scene, back to front."""


def _sample_look(earlier: list[Look], rng: Rng, sizes: tuple[float, float]) -> Look:
    """A look that often shares its colour or its shape with an earlier one, but not both."""
    colour = list(COLOURS)[rng.integers(len(COLOURS))]
    shape = list(SHAPES)[rng.integers(len(SHAPES))]
    shared = rng.random()
    if earlier and shared < 0.3:
        colour = earlier[rng.integers(len(earlier))].colour
    elif earlier and shared < 0.65:
        shape = earlier[rng.integers(len(earlier))].shape
    texture = TEXTURES[rng.choice(3, p=[0.5, 0.25, 0.25])]
    return Look(colour, shape, texture, float(rng.uniform(*sizes)))


def _sample_looks(
    count: int, rng: Rng, sizes: tuple[float, float], look_alike: float
) -> list[Look]:
    """Looks in random order; two of them are equal with probability `look_alike`."""
    looks: list[Look] = []
    for _ in range(count):
        looks.append(_sample_look(looks, rng, sizes))
    if count > 1 and rng.random() < look_alike:
        looks[1] = looks[0]
    return [looks[i] for i in rng.permutation(count)]


def _sample_motions(looks: list[Look], instants: Floats, rng: Rng) -> list[Motion]:
    """A motion for each look: some go with another shape, look-alikes differ in theirs."""
    motions: list[Motion] = []
    for i, look in enumerate(looks):
        twins = [m for m, other in zip(motions, looks[:i], strict=True) if other == look]
        if motions and not twins and rng.random() < 0.2:
            motions.append(companion(motions[rng.integers(i)], instants, rng))
            continue
        motion = sample_motion(instants, rng)
        while not all(differ(motion, twin) for twin in twins):
            motion = sample_motion(instants, rng)
        motions.append(motion)
    return motions


def _anchor_range(offset: Floats, radius: Floats) -> tuple[float, float]:
    """Where an anchor may lie so that the path stays in the frame (its middle if too long)."""
    low = float(np.max(radius - offset)) + _MARGIN
    high = float(np.min(1 - radius - offset)) - _MARGIN
    return (low, high) if low < high else ((low + high) / 2, (low + high) / 2)


def _crowding(x: Floats, y: Floats, size: Floats, others: list[ShapeObject]) -> float:
    """Mean over frames of how deep a shape would overlap the others; 0 when it never does."""
    depths = [
        np.clip((size + o.size) / 2 - np.hypot(x - o.x, y - o.y), 0, None).mean() for o in others
    ]
    return float(sum(depths))


def _anchor(motion: Motion, size: Floats, rng: Rng) -> tuple[float, float]:
    """An anchor whose path stays in the frame, but for the end of `leave` and start of `enter`."""
    offsets = (motion.dx, motion.dy)
    anchor = [float(rng.uniform(*_anchor_range(o, size / 2))) for o in offsets]
    if motion.kind in ("leave", "enter"):
        at = -1 if motion.kind == "leave" else 0
        ends = [o[at] - o[-1 - at] for o in offsets]
        axis = int(np.argmax(np.abs(ends)))
        outside = 1 + size[at] * 0.75 if ends[axis] > 0 else -size[at] * 0.75
        anchor[axis] = float(outside - offsets[axis][at])
    return anchor[0], anchor[1]


def _meeting(
    motion: Motion, size: Floats, other: ShapeObject, rng: Rng
) -> tuple[float, float] | None:
    """An anchor that brings the path onto another shape's in mid-clip, apart before and after.

    None if the path does not fit into the frame that way.
    """
    frame = int(rng.integers(len(size) // 3, 1 + 2 * len(size) // 3))
    anchor = other.x[frame] - motion.dx[frame], other.y[frame] - motion.dy[frame]
    for value, offset in zip(anchor, (motion.dx, motion.dy), strict=True):
        low, high = _anchor_range(offset, size / 2)
        if not low <= value <= high:
            return None
    x, y = anchor[0] + motion.dx[[0, -1]], anchor[1] + motion.dy[[0, -1]]
    gap = np.hypot(x - other.x[[0, -1]], y - other.y[[0, -1]])
    if np.any(gap < (size + other.size)[[0, -1]] * 0.55):
        return None
    return float(anchor[0]), float(anchor[1])


def _place(
    motion: Motion, size: Floats, others: list[ShapeObject], rng: Rng
) -> tuple[Floats, Floats]:
    """Lays the path into the frame: across another shape's now and then, else where it is free."""
    if others and rng.random() < 0.6 and motion.kind != "still":
        for _ in range(_PLACEMENTS):
            met = _meeting(motion, size, others[rng.integers(len(others))], rng)
            if met is not None:
                return met[0] + motion.dx, met[1] + motion.dy
    anchors = [_anchor(motion, size, rng) for _ in range(_PLACEMENTS)]
    paths = [(ax + motion.dx, ay + motion.dy) for ax, ay in anchors]
    return min(paths, key=lambda path: _crowding(path[0], path[1], size, others))


def sample_scene(
    instants: NDArray[np.float64],
    rng: Rng,
    n_objects: tuple[int, int],
    sizes: tuple[float, float],
    look_alike: float,
) -> Shapes:
    """Draws the shapes of a scene, back to front.

    Args:
        instants: (T,) programme times in [0, 1] at which states are wanted.
        rng: the only source of chance.
        n_objects: least and largest number of shapes.
        sizes: least and largest nominal diameter, in frame sides.
        look_alike: probability that two shapes look the same.
    """
    count = int(rng.integers(n_objects[0], n_objects[1] + 1))
    looks = _sample_looks(count, rng, sizes, look_alike)
    motions = _sample_motions(looks, instants, rng)
    objects: list[ShapeObject] = []
    for depth, (look, motion) in enumerate(zip(looks, motions, strict=True)):
        size = look.size * motion.scale
        x, y = _place(motion, size, objects, rng)
        names = (look.colour, look.shape, look.texture)
        objects.append(ShapeObject(*names, depth, motion.kind, x, y, size, motion.angle))
    return tuple(objects)
