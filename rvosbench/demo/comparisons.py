"""What shapes do with respect to each other; clear verdicts only, as in `facts`.

Relations of one shape to another, and superlatives: the fastest, the biggest, the first to move.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvosbench.demo import facts
from rvosbench.demo.facts import Verdict, extent, path_of
from rvosbench.demo.motion import HEADINGS, Floats
from rvosbench.demo.scenes import ShapeObject, Shapes


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
    clear = facts.straightness(path) >= 0.95 and aim >= 0.92 and distance[-1] <= 0.6 * distance[0]
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
    if facts.length(other) < 0.1:
        return None
    return facts.grade(facts.length(path) / facts.length(other), 1.1, 1.6)


@dataclass(frozen=True, eq=False)
class Ranking:
    """A comparison of shapes of one kind, won by the largest values.

    Wordings hold NOUN or NOUNS; those in `pair` are for two shapes. `values` (K, N) are K keys by
    all of which the winner must be ahead of every rival by at least `gap`; a shape with NaN is no
    rival; an `unclear` one makes every comparison that it takes part in unclear.
    """

    category: str
    wordings: tuple[str, ...]
    pair: tuple[str, ...]
    values: Floats
    gap: float
    unclear: tuple[bool, ...]

    def winner(self, members: list[int]) -> int | None:
        """The member that wins, None without rivals or without a clear winner."""
        rivals = [i for i in members if not np.isnan(self.values[0, i])]
        if len(rivals) < 2 or any(self.unclear[i] for i in members):
            return None
        best = max(rivals, key=lambda i: float(self.values[0, i]))
        others = self.values[:, [i for i in rivals if i != best]]
        return best if np.all(self.values[:, [best]] - others >= self.gap) else None


def _peak_speed(path: Floats) -> float:
    """Fastest quarter of the clip, frame sides per whole clip."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    window = max(1, len(steps) // 4)
    return float(np.convolve(steps, np.ones(window), "valid").max() * len(steps) / window)


def _speed_rankings(paths: list[Floats]) -> list[Ranking]:
    mean = np.array([facts.length(path) for path in paths])
    peak = np.array([_peak_speed(path) for path in paths])
    logs = np.log(np.maximum([mean, peak], 0.02))
    standing = tuple(bool(way < 0.12) for way in mean)
    moving = np.where(standing, np.nan, logs)
    none = (False,) * len(paths)
    fastest = ("the fastest NOUN", "the NOUN that moves the fastest", "the NOUN moving the fastest")
    faster = ("the faster NOUN", "the faster of the two NOUNS", "the NOUN that moves faster")
    slowest = ("the slowest NOUN", "the NOUN that moves the slowest", "the NOUN moving the slowest")
    slower = ("the slower NOUN", "the slower of the two NOUNS", "the NOUN that moves slower")
    return [
        Ranking("speed", fastest, faster, moving, math.log(1.5), none),
        Ranking("speed", slowest, slower, -logs, math.log(1.5), standing),
    ]


def _size_rankings(objects: Shapes) -> list[Ranking]:
    logs = np.log([[o.size[at] for o in objects] for at in (0, -1)])
    none = (False,) * len(objects)
    biggest = ("the biggest NOUN", "the largest NOUN")
    bigger = ("the bigger NOUN", "the larger NOUN", "the bigger one of the two NOUNS")
    smallest, smaller = ("the smallest NOUN",), ("the smaller NOUN", "the smaller of the two NOUNS")
    return [
        Ranking("appearance", biggest, bigger, logs, math.log(1.4), none),
        Ranking("appearance", smallest, smaller, -logs, math.log(1.4), none),
    ]


def _onset(path: Floats) -> float | None:
    """When a shape begins to move, in [0, 1]; NaN if it never does, None if that is unclear."""
    if extent(path) < 0.03:
        return math.nan
    if extent(path[: max(2, len(path) // 4)]) > 0.03:
        return 0.0
    if not facts.starts(path):
        return None
    moved = np.hypot(*(path - path[0]).T) > 0.015
    return float(np.argmax(moved)) / (len(path) - 1)


def _halt(path: Floats) -> float | None:
    """When a shape stops for good, in [0, 1]; NaN if it does not, None if that is unclear."""
    verdict = facts.stops(path)
    if not verdict:
        return None if verdict is None else math.nan
    onset = _onset(path[::-1])
    return None if onset is None else 1 - onset


_MOVE_FIRST = (
    "the first NOUN to move",
    "the NOUN that moves first",
    "the NOUN that starts moving first",
)
_MOVE_LAST = (
    "the last NOUN to move",
    "the NOUN that starts moving last",
    "the last NOUN to start moving",
)


def _time_ranking(wordings: tuple[str, ...], times: list[float | None], gap: float) -> Ranking:
    values = np.array([[math.nan if time is None else time for time in times]])
    unclear = tuple(time is None for time in times)
    return Ranking("order", wordings, (), values, gap, unclear)


def rankings(objects: Shapes) -> list[Ranking]:
    """All comparisons of a scene's shapes."""
    paths = [path_of(shape) for shape in objects]
    begins, ends = [_onset(path) for path in paths], [_halt(path) for path in paths]
    earlier = [None if time is None else -time for time in begins]
    sooner = [None if time is None else -time for time in ends]
    return [
        *_speed_rankings(paths),
        *_size_rankings(objects),
        _time_ranking(_MOVE_FIRST, earlier, 0.2),
        _time_ranking(_MOVE_LAST, begins, 0.2),
        _time_ranking(("the first NOUN to stop", "the NOUN that stops first"), sooner, 0.12),
        _time_ranking(("the last NOUN to stop", "the NOUN that stops last"), ends, 0.12),
    ]
