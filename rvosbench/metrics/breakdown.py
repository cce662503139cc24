"""Scores by kind of expression, from the rows of a result: no mask is read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rvosbench.contracts import ExpressionScore
from rvosbench.metrics.values import means
from rvosbench.records import Expression

SMALL, LARGE = 0.01, 0.1
"""Shares of the image below which a target is small, from which it is large (ours)."""

SHORT, LONG = 30, 100
"""Frames below which a video is short, from which it is long (ours)."""


@dataclass(frozen=True)
class Part:
    """A part of a result.

    Attributes:
        by: what the expressions were divided by, such as "size".
        value: of the part, such as "small".
        count: expressions in it.
        j: unweighted mean, likewise `f` and `jf`.
    """

    by: str
    value: str
    count: int
    j: float
    f: float
    jf: float


def breakdown(rows: Iterable[tuple[Expression, ExpressionScore]]) -> list[Part]:
    """Means by category, group, object size, video length and number of targets.

    An expression counts in every category (tag) it has. A division with one part only, or whose
    facts the rows do not hold, is left out.
    """
    found = list(rows)
    parts = []
    for by, values in _DIVISIONS.items():
        divided: dict[str, list[ExpressionScore]] = {}
        for expression, score in found:
            for value in values(expression, score):
                divided.setdefault(value, []).append(score)
        if len(divided) > 1:
            parts += [
                Part(by, value, len(divided[value]), **means(divided[value]))
                for value in sorted(divided, key=_place)
            ]
    return parts


_ORDER = ("no target", "1", "2", "3 or more", "small", "medium", "large", "short", "long")


def _place(value: str) -> tuple[int, str]:
    return _ORDER.index(value) if value in _ORDER else len(_ORDER), value


def _band(value: float | None, low: float, high: float, names: tuple[str, str]) -> Sequence[str]:
    """Below, between or from two bounds; nothing for no value, or where nothing was meant (0)."""
    if not value:
        return []
    return [names[0] if value < low else names[1] if value >= high else "medium"]


def _targets(score: ExpressionScore) -> Sequence[str]:
    number = score.metrics.get("targets")
    if number is None:
        return []
    return ["no target" if number == 0 else str(int(number)) if number < 3 else "3 or more"]


_DIVISIONS: Mapping[str, Callable[[Expression, ExpressionScore], Sequence[str]]] = MappingProxyType(
    {
        "category": lambda expression, score: expression.tags,
        "group": lambda expression, score: [expression.group] if expression.group else [],
        "size": lambda expression, score: _band(
            score.metrics.get("target_share"), SMALL, LARGE, ("small", "large")
        ),
        "length": lambda expression, score: _band(
            score.metrics.get("length"), SHORT, LONG, ("short", "long")
        ),
        "targets": lambda expression, score: _targets(score),
    }
)
