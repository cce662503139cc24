"""What one shape does with respect to another; clear answers only, as in `facts`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rvosbench.demo.facts import Verdict, extent, grade, length, path_of, straightness
from rvosbench.demo.motion import HEADINGS, Floats
from rvosbench.demo.scenes import ShapeObject


def _gaps(shape: ShapeObject, anchor: ShapeObject, side: str) -> tuple[Floats, Floats]:
    """How far a shape is from the anchor, towards a side (signed) and across it, (T,) each."""
    gap = path_of(shape) - path_of(anchor)
    return gap @ np.array(HEADINGS[side]), np.abs(gap @ np.array(HEADINGS[side])[::-1])


def beside(shape: ShapeObject, anchor: ShapeObject, side: str) -> NDArray[np.bool_]:
    """In which frames a shape is clearly on one side of the anchor, (T,)."""
    along, across = _gaps(shape, anchor, side)
    return np.asarray((along >= 0.06) & (along >= 0.6 * across))


def lies(shape: ShapeObject, anchor: ShapeObject, side: str) -> Verdict:
    """Is on one side of the anchor ("left", "right", "up", "down") during the whole clip."""
    along, _ = _gaps(shape, anchor, side)
    if along.max() <= -0.02:
        return False
    return True if beside(shape, anchor, side).all() else None


def approaches(path: Floats, anchor: Floats) -> Verdict:
    """Moves straight towards an anchor that stays where it is, and comes much closer to it."""
    distance = np.hypot(*(path - anchor).T)
    if distance[0] - distance.min() <= 0.04:
        return False
    way, sight = path[-1] - path[0], anchor[0] - path[0]
    aim = float(way @ sight) / max(1e-6, float(np.hypot(*way) * np.hypot(*sight)))
    clear = straightness(path) >= 0.95 and aim >= 0.92 and distance[-1] <= 0.6 * distance[0]
    clear = clear and distance[0] - distance[-1] >= 0.15 and distance[-1] <= distance.min() + 0.02
    return True if clear else None


def recedes(path: Floats, anchor: Floats) -> Verdict:
    """Moves straight away from an anchor that stays where it is."""
    return approaches(path[::-1], anchor[::-1])


def passes(shape: ShapeObject, hidden: Floats) -> Verdict:
    """Moves past another shape, behind or in front of it.

    Args:
        shape: the one that passes.
        hidden: (T,) how much of the rear one of the two the front one hides, in [0, 1].
    """
    peak = float(hidden.max())
    if peak <= 0.02:
        return False
    clear = peak >= 0.4 and max(hidden[0], hidden[-1]) <= 0.1 and extent(path_of(shape)) >= 0.15
    return True if clear else None


def is_faster(path: Floats, other: Floats) -> Verdict:
    """Travels at least 1.6 times as far as another shape that moves, too."""
    if length(other) < 0.1:
        return None
    return grade(length(path) / length(other), 1.1, 1.6)
