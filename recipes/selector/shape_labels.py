"""Labels of a shape of MotionShapes: what it is and does, in the words of its sentences."""

from __future__ import annotations

from itertools import product

import numpy as np

from rvosbench.demo import facts
from rvosbench.demo.facts import Verdict, both, path_of
from rvosbench.demo.motion import HEADINGS
from rvosbench.demo.scenes import ShapeObject
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES
from sola.data.samples import Floats

MOMENTS = 5
"""Instants, evenly spread, at which place and size are values."""
STRETCHES = 4
"""Parts of the clip whose ways are values."""
SLOW = 0.02
"""Ways below it, in frame sides, are all as long: logarithms of less tell nothing."""


def labels(shape: ShapeObject) -> dict[str, Verdict]:
    """Everything that a sentence may say of one shape alone: true, false, or None for unclear."""
    return {**_looks(shape), **_ways(shape), **_changes(shape), **_orders(shape)}


def values(shape: ShapeObject) -> Floats:
    """What comparisons and relations need, (K,) float32.

    Centre x, centre y (frame sides) and logarithm of the size at `MOMENTS` instants, the way in
    each of `STRETCHES` parts of the clip, and the logarithm of the whole way.
    """
    path = path_of(shape)
    at = np.linspace(0, len(path) - 1, MOMENTS).round().astype(int)
    steps = np.hypot(*np.diff(path, axis=0).T)
    ways = [part.sum() for part in np.array_split(steps, STRETCHES)]
    whole = np.log(max(facts.length(path), SLOW))
    parts = [shape.x[at], shape.y[at], np.log(shape.size[at]), ways, [whole]]
    return np.concatenate(parts).astype(np.float32)


def _looks(shape: ShapeObject) -> dict[str, Verdict]:
    named = {shape.colour, shape.shape, shape.texture}
    # "is": a circle is not what goes in a circle
    return {f"is {name}": name in named for name in (*COLOURS, *SHAPES, *TEXTURES)}


def _ways(shape: ShapeObject) -> dict[str, Verdict]:
    path = path_of(shape)
    return {
        **{way: facts.moves(path, way) for way in HEADINGS},
        "circle": facts.circles(path),
        "clockwise": facts.circles(path, clockwise=True),
        "counterclockwise": facts.circles(path, clockwise=False),
        "back and forth": facts.moves_back_and_forth(path),
        "still": facts.stays_still(shape),
    }


def _changes(shape: ShapeObject) -> dict[str, Verdict]:
    path = path_of(shape)
    return {
        "stop": facts.stops(path),
        "start": facts.starts(path),
        "turn": facts.turns(path),
        "speed up": facts.speeds_up(path),
        "slow down": facts.slows_down(path),
        "grow": facts.grows(shape),
        "shrink": facts.shrinks(shape),
        "spin": facts.spins(shape),
        "leave": facts.leaves(shape),
        "enter": facts.enters(shape),
    }


def _orders(shape: ShapeObject) -> dict[str, Verdict]:
    path = path_of(shape)
    turns, found = facts.turns(path), facts.turn_of(path)
    corners = [
        (first, second)
        for first, second in product(HEADINGS, HEADINGS)
        if (first in ("left", "right")) != (second in ("left", "right"))
    ]
    moves = {way: facts.moves(path, way) for way in HEADINGS}
    return {
        **{f"{a} then {b}": both(turns, found == (a, b)) for a, b in corners},
        **{f"{way} then stop": both(found, facts.stops(path)) for way, found in moves.items()},
        **{f"wait then {way}": both(found, facts.starts(path)) for way, found in moves.items()},
    }
