"""Mistakes that a clip's expressions could have: misread, ambiguous, contradicting each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from rvosbench.demo.check.judge import referents
from rvosbench.demo.check.parser import Reading, read
from rvosbench.demo.clips import Clip, ClipExpression


@dataclass(frozen=True)
class _Understood:
    """An expression as written, as read back, and the shapes that its noun covers."""

    written: ClipExpression
    reading: Reading
    members: frozenset[int]


def problems(clip: Clip) -> Iterator[str]:
    """What is wrong with a clip's expressions; nothing, if all is well.

    Every expression is read back and judged by measures of its own (`judge`): the shapes that it
    means must be those that the generator says. Its number must fit, and its category. No two
    expressions may say the same of a shape and disagree, or say of it what cannot both be true.
    """
    understood: list[_Understood] = []
    for written in clip.expressions:
        try:
            one = _understood(written, clip)
        except ValueError as error:
            yield str(error)
            continue
        yield from (f"{written.text!r}: {p}" for p in _alone(one, clip))
        understood.append(one)
    for one, other in combinations(understood, 2):
        if _contradict(one, other):
            yield f"{one.written.text!r} and {other.written.text!r} contradict each other"


def _understood(written: ClipExpression, clip: Clip) -> _Understood:
    reading = read(written.text)
    covered = {i for i, o in enumerate(clip.objects) if reading.noun.covers(o)}
    if reading.anchor is not None:
        covered -= {i for i, o in enumerate(clip.objects) if reading.anchor.covers(o)}
    return _Understood(written, reading, frozenset(covered))


def _alone(expression: _Understood, clip: Clip) -> Iterator[str]:
    written, reading = expression.written, expression.reading
    judged = referents(reading, clip.objects, clip.hidden)
    if judged != written.objects:
        yield f"means shapes {_list(written.objects)}, but by other measures {_list(judged)}"
    count = len(written.objects)
    if count and not reading.least <= count <= reading.most:
        yield f"means {count} shapes, its grammar says {reading.least} to {reading.most}"
    said = (written.category == "no_target", written.category == "multiple")
    if (count == 0, count > 1) != said:
        yield f"means {count} shapes in category {written.category!r}"


def _list(shapes: tuple[int, ...]) -> str:
    return ", ".join(map(str, shapes)) or "none"


_EXCLUSIVE = (
    {"left", "right", "up", "down", "still", "back and forth", "circle"},
    {"clockwise", "counterclockwise"},
    {"grow", "shrink"},
    {"speed up", "slow down"},
    {"leave", "enter"},
    {"fastest", "slowest"},
    {"biggest", "smallest"},
    {"left of", "right of"},
    {"above", "below"},
    {"towards", "away from"},
    {"faster than", "slower than"},
)
"""Of these a shape can do one; rankings and relations for one noun, or one other shape."""


def _contradict(one: _Understood, other: _Understood) -> bool:
    a, b = one.reading, other.reading
    if a.anchor != b.anchor or ((a.ranks or b.ranks) and a.noun != b.noun):
        return False
    mine, theirs = frozenset(one.written.objects), frozenset(other.written.objects)
    if a.fact == b.fact:
        both = one.members & other.members
        return mine & both != theirs & both
    return any({a.fact, b.fact} <= group for group in _EXCLUSIVE) and bool(mine & theirs)
