"""An independent judge: whom an expression means, from the true states of the shapes.

It knows nothing of `facts` and `comparisons`, which the expressions are made with: other measures
of the same things, with a single threshold in the middle where the generator keeps a margin. Where
the two disagree, an expression is ambiguous (or one of them is wrong).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from rvosbench.demo.check.parser import Reading
from rvosbench.demo.motion import HEADINGS, Floats
from rvosbench.demo.scenes import ShapeObject, Shapes

Fact = Callable[[ShapeObject], bool]

SIDES = {"left of": "left", "right of": "right", "above": "up", "below": "down"}
"""Relation -> the heading that leads from the other shape."""


def referents(reading: Reading, objects: Shapes, hidden: Floats) -> tuple[int, ...]:
    """Indices of the shapes that an expression means; empty for none.

    Args:
        reading: what the expression says.
        objects: the scene, back to front.
        hidden: (N, N, T), as `render.occlusion` gives it.

    Raises:
        ValueError: a relation refers to a shape that is not the only one of its description.
    """
    anchor = anchor_of(reading, objects)
    members = [i for i, o in enumerate(objects) if reading.noun.covers(o) and i != anchor]
    if not reading.fact:
        return tuple(members)
    if reading.ranks:
        return _winner(reading.fact, members, objects)
    if anchor is not None:
        return tuple(i for i in members if _related(reading.fact, i, anchor, objects, hidden))
    return tuple(i for i in members if does(reading.fact, objects[i]))


def anchor_of(reading: Reading, objects: Shapes) -> int | None:
    """The one shape that a relation refers to, None without a relation; raises as `referents`."""
    if reading.anchor is None:
        return None
    fitting = [i for i, o in enumerate(objects) if reading.anchor.covers(o)]
    if len(fitting) != 1:
        raise ValueError(f"{len(fitting)} shapes fit {reading.anchor.text()!r}, wanted one")
    return fitting[0]


def _steps(o: ShapeObject) -> Floats:
    """Steps from frame to frame, (T - 1, 2)."""
    return np.diff(np.stack([o.x, o.y], axis=1), axis=0)


def _way(o: ShapeObject, begin: float = 0.0, end: float = 1.0) -> float:
    """Way travelled in a part of the clip, in frame sides."""
    lengths = np.hypot(*_steps(o).T)
    return float(lengths[round(begin * len(lengths)) : round(end * len(lengths))].sum())


def _net(o: ShapeObject, begin: float = 0.0, end: float = 1.0) -> Floats:
    steps = _steps(o)
    return np.asarray(steps[round(begin * len(steps)) : round(end * len(steps))].sum(axis=0))


def _heading(step: Floats) -> str:
    return max(HEADINGS, key=lambda name: float(step @ np.array(HEADINGS[name])))


def _goes(o: ShapeObject, way: str) -> bool:
    net = _net(o)
    straight = float(np.hypot(*net)) > 0.85 * _way(o)
    return _way(o) > 0.12 and straight and _heading(net) == way


def _bending(o: ShapeObject) -> float:
    """Signed change of heading over the clip in radians, clockwise on screen; 0 if it turns back.

    Turning back is a change of heading by half a turn, with no telling which way round.
    """
    steps = _steps(o)
    if _turns_back(o):
        return 0.0
    steps = steps[np.hypot(*steps.T) > 1e-3]
    bearing = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    return float(bearing[-1] - bearing[0]) if len(bearing) else 0.0


def _turns_back(o: ShapeObject) -> bool:
    steps = _steps(o)
    return bool(np.any((steps[1:] * steps[:-1]).sum(axis=1) < -1e-6))


def _stops(o: ShapeObject) -> bool:
    return _way(o, 0, 0.5) > 0.06 and _way(o, 0.7, 1) < 0.025


def _starts(o: ShapeObject) -> bool:
    return _way(o, 0.5, 1) > 0.06 and _way(o, 0, 0.3) < 0.025


def _gains(o: ShapeObject) -> float:
    """Way in the second half over way in the first."""
    return _way(o, 0.5, 1) / max(_way(o, 0, 0.5), 1e-6)


def _is_still(o: ShapeObject) -> bool:
    return _way(o) < 0.05 and 0.8 < _growth(o) < 1.25 and _turned(o) < 2


def _growth(o: ShapeObject) -> float:
    return float(o.size[-1] / o.size[0])


def _turned(o: ShapeObject) -> float:
    return float(np.abs(np.diff(o.angle)).sum())


def _in_frame(o: ShapeObject, frame: int) -> bool:
    return bool(0 < o.x[frame] < 1 and 0 < o.y[frame] < 1)


_FACTS: Mapping[str, Fact] = {
    "still": _is_still,
    "circle": lambda o: abs(_bending(o)) > 1.3 * math.pi,
    "clockwise": lambda o: _bending(o) > 1.3 * math.pi,
    "counterclockwise": lambda o: _bending(o) < -1.3 * math.pi,
    "back and forth": _turns_back,
    "stop": _stops,
    "start": _starts,
    "turn": lambda o: _way(o) > 0.05 and float(np.hypot(*_net(o))) < 0.9 * _way(o),
    "speed up": lambda o: _way(o) > 0.05 and _gains(o) > 1.5,
    "slow down": lambda o: _way(o) > 0.05 and _gains(o) < 1 / 1.5,
    "grow": lambda o: _growth(o) > 1.25,
    "shrink": lambda o: _growth(o) < 0.8,
    "spin": lambda o: _turned(o) > 2,
    "leave": lambda o: _in_frame(o, 0) and not _in_frame(o, -1),
    "enter": lambda o: _in_frame(o, -1) and not _in_frame(o, 0),
}


def does(fact: str, o: ShapeObject) -> bool:
    """Whether a shape does what a clause about it says; `fact` as in `Reading`."""
    if fact in HEADINGS:
        return _goes(o, fact)
    if fact in _FACTS:
        return _FACTS[fact](o)
    first, then = fact.split(" then ")
    if then == "stop":
        return _goes(o, first) and _stops(o)
    if first == "wait":
        return _goes(o, then) and _starts(o)
    ways = _heading(_net(o, 0, 0.3)), _heading(_net(o, 0.7, 1))
    return _FACTS["turn"](o) and ways == (first, then)


def _beside(o: ShapeObject, anchor: ShapeObject, heading: str) -> bool:
    across, down = HEADINGS[heading]
    along = across * (o.x - anchor.x) + down * (o.y - anchor.y)
    return bool(np.median(along) > 0 and along.min() > 0.02)


def _related(fact: str, index: int, other: int, objects: Shapes, hidden: Floats) -> bool:
    o, anchor = objects[index], objects[other]
    if fact in SIDES:
        return _beside(o, anchor, SIDES[fact])
    if fact == "behind":
        return bool(hidden[index, other].max() > 0.2)
    if fact == "in front of":
        return bool(hidden[other, index].max() > 0.2)
    if fact == "faster than":
        return _way(o) > 1.3 * _way(anchor)
    if fact == "slower than":
        return 0.07 < _way(o) < _way(anchor) / 1.3
    gap = np.hypot(o.x - anchor.x, o.y - anchor.y)
    closer = float(gap[0] - gap[-1])
    return closer > 0.1 if fact == "towards" else closer < -0.1


def _onset(o: ShapeObject) -> float:
    """First frame in which a shape is away from where it began; infinite if it stays."""
    away = np.hypot(o.x - o.x[0], o.y - o.y[0]) > 0.02
    return float(np.argmax(away)) if away.any() else math.inf


def _halt(o: ShapeObject) -> float:
    """First frame from which on a shape is where it ends."""
    away = np.hypot(o.x - o.x[-1], o.y - o.y[-1]) > 0.005
    return float(len(away) - np.argmax(away[::-1]))


_MEASURES: Mapping[str, tuple[Callable[[ShapeObject], float], Fact, int]] = {
    "fastest": (_way, lambda o: _way(o) > 0.1, 1),
    "slowest": (_way, lambda o: True, -1),
    "biggest": (lambda o: float(np.median(o.size)), lambda o: True, 1),
    "smallest": (lambda o: float(np.median(o.size)), lambda o: True, -1),
    "first to move": (_onset, lambda o: math.isfinite(_onset(o)), -1),
    "last to move": (_onset, lambda o: math.isfinite(_onset(o)), 1),
    "first to stop": (_halt, _stops, -1),
    "last to stop": (_halt, _stops, 1),
}
"""Ranking -> what is compared, who takes part, and the sign of the winner."""


def _winner(fact: str, members: list[int], objects: Shapes) -> tuple[int, ...]:
    measure, takes_part, sign = _MEASURES[fact]
    rivals = [i for i in members if takes_part(objects[i])]
    return (max(rivals, key=lambda i: sign * measure(objects[i])),) if rivals else ()
