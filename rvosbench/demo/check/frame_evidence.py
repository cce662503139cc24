"""What one frame tells of an expression: looks, sizes, places; no motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rvosbench.demo.check.judge import SIDES, anchor_of
from rvosbench.demo.check.parser import Reading
from rvosbench.demo.comparisons import beside
from rvosbench.demo.motion import Floats
from rvosbench.demo.scenes import Shapes
from rvosbench.records import FrameEvidence

Bools = NDArray[np.bool_]

_SEEN_BEHIND = 0.02
"""Part of a shape that another must hide for a frame to show which of them is in front."""


def glimpse(reading: Reading, objects: Shapes, masks: Bools, hidden: Floats) -> FrameEvidence:
    """What the frames, each by itself, tell of whom an expression means.

    One frame shows every look and size, who is on which side of whom, who covers whom, and who is
    cut by the picture's edge and so must be coming or going. It does not show that anything moves.

    Args:
        reading: what the expression says.
        objects: the scene, back to front.
        masks: (N, T, H, W) visible pixels.
        hidden: (N, N, T), as `render.occlusion` gives it.
    """
    seen = np.asarray(masks.any(axis=(2, 3))).T
    anchor = anchor_of(reading, objects)
    covered = [reading.noun.covers(o) and i != anchor for i, o in enumerate(objects)]
    possible = np.asarray(seen & np.array(covered))
    certain = np.zeros_like(possible)
    if not reading.fact:
        certain = possible
    elif reading.fact in ("biggest", "smallest"):
        possible = certain = _extreme(possible, objects, 1 if reading.fact == "biggest" else -1)
    elif reading.fact in ("leave", "enter"):
        certain = possible & _cut(objects)
    elif anchor is not None and reading.fact in SIDES:
        holds = [beside(o, objects[anchor], SIDES[reading.fact]) for o in objects]
        possible = np.where(seen[:, [anchor]], possible & np.stack(holds, axis=1), possible)
        certain = possible & seen[:, [anchor]]
    elif anchor is not None and reading.fact in ("behind", "in front of"):
        covering = hidden[:, anchor] if reading.fact == "behind" else hidden[anchor]
        certain = possible & (covering.T > _SEEN_BEHIND)
    possible, certain = _at_most(reading.most, possible, certain)
    names = tuple(str(i) for i in range(len(objects)))
    return FrameEvidence(names, possible, certain, reading.least, reading.most)


def _extreme(possible: Bools, objects: Shapes, sign: int) -> Bools:
    """The biggest (or, with sign -1, smallest) of the shapes in question, frame by frame."""
    sizes = np.where(possible, sign * np.stack([o.size for o in objects], axis=1), -np.inf)
    return np.asarray(possible & (sizes == sizes.max(axis=1, keepdims=True)))


def _cut(objects: Shapes) -> Bools:
    """Whom the edge of the picture cuts, (T, N)."""
    places = np.stack([[o.x, o.y] for o in objects])  # (N, 2, T)
    reach = np.stack([o.size for o in objects])[:, None] * 0.4
    return np.asarray(((places < reach) | (places > 1 - reach)).any(axis=1).T)


def _at_most(most: int, possible: Bools, certain: Bools) -> tuple[Bools, Bools]:
    """Where more shapes seem certain than are meant, each of them is possible and none certain."""
    crowded = (certain.sum(axis=1) > most)[:, None]
    return np.where(crowded, certain, possible), certain & ~crowded
