"""Each predicate on hand-made motion: clear cases, their opposites, and cases of doubt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rvosbench.demo import facts
from rvosbench.demo.motion import Floats
from rvosbench.demo.scenes import ShapeObject

T = np.linspace(0, 1, 20)
HALF = np.minimum(2 * T, 1)
LATE = np.maximum(2 * T - 1, 0)


def line(dx: Floats | float, dy: Floats | float) -> Floats:
    return np.stack([0.5 + dx + 0 * T, 0.5 + dy + 0 * T], axis=1)


def ring(turns: float) -> Floats:
    angle = 2 * np.pi * turns * T
    return line(0.15 * np.cos(angle), 0.15 * np.sin(angle))


STILL = line(0, 0)
LEFT, RIGHT, UP = line(-0.4 * T, 0), line(0.4 * T, 0), line(0, -0.4 * T)
STOP_RIGHT, START_RIGHT = line(0.4 * HALF, 0), line(0.4 * LATE, 0)
LEFT_THEN_UP = line(-0.3 * HALF, -0.3 * LATE)
FASTER, SLOWER = line(0.5 * T**2.6, 0), line(0.5 * (1 - (1 - T) ** 2.6), 0)
TO_AND_FRO = line(0.15 * np.sin(4 * np.pi * T), 0)
CLOCKWISE, COUNTER = ring(1.1), ring(-1.1)
DIAGONAL = line(0.3 * T, 0.3 * T)


def shape(path: Floats = STILL, **changes: object) -> ShapeObject:
    values: dict[str, object] = {
        "colour": "red",
        "shape": "square",
        "texture": "plain",
        "depth": 0,
        "motion": "by hand",
        "x": path[:, 0],
        "y": path[:, 1],
        "size": np.full(20, 0.2),
        "angle": np.zeros(20),
    }
    return ShapeObject(**{**values, **changes})  # type: ignore[arg-type]


CASES: list[tuple[Callable[[Floats], facts.Verdict], Floats, facts.Verdict]] = [
    (lambda p: facts.moves(p, "left"), LEFT, True),
    (lambda p: facts.moves(p, "left"), RIGHT, False),
    (lambda p: facts.moves(p, "left"), UP, False),
    (lambda p: facts.moves(p, "left"), STILL, False),
    (lambda p: facts.moves(p, "left"), LEFT_THEN_UP, None),
    (lambda p: facts.moves(p, "right"), DIAGONAL, None),
    (lambda p: facts.moves(p, "right"), STOP_RIGHT, True),
    (lambda p: facts.moves(p, "up"), UP, True),
    (lambda p: facts.moves(p, "down"), UP, False),
    (facts.stops, STOP_RIGHT, True),
    (facts.stops, START_RIGHT, False),
    (facts.stops, RIGHT, False),
    (facts.stops, STILL, False),
    (facts.stops, SLOWER, None),
    (facts.starts, START_RIGHT, True),
    (facts.starts, STOP_RIGHT, False),
    (facts.starts, RIGHT, False),
    (facts.starts, FASTER, None),
    (facts.speeds_up, FASTER, True),
    (facts.speeds_up, SLOWER, False),
    (facts.speeds_up, RIGHT, False),
    (facts.speeds_up, START_RIGHT, None),
    (facts.speeds_up, STILL, False),
    (facts.slows_down, SLOWER, True),
    (facts.slows_down, FASTER, False),
    (facts.slows_down, STOP_RIGHT, None),
    (facts.turns, LEFT_THEN_UP, True),
    (facts.turns, LEFT, False),
    (facts.turns, STILL, False),
    (facts.turns, CLOCKWISE, None),
    (facts.turns, TO_AND_FRO, None),
    (facts.circles, CLOCKWISE, True),
    (facts.circles, ring(0.5), None),
    (facts.circles, LEFT_THEN_UP, False),
    (facts.circles, TO_AND_FRO, False),
    (facts.circles, STILL, False),
    (lambda p: facts.circles(p, clockwise=True), CLOCKWISE, True),
    (lambda p: facts.circles(p, clockwise=True), COUNTER, False),
    (lambda p: facts.circles(p, clockwise=False), COUNTER, True),
    (facts.moves_back_and_forth, TO_AND_FRO, True),
    (facts.moves_back_and_forth, LEFT, False),
    (facts.moves_back_and_forth, STILL, False),
    (facts.moves_back_and_forth, CLOCKWISE, None),
]


@pytest.mark.parametrize(("fact", "path", "verdict"), CASES)
def test_paths(
    fact: Callable[[Floats], facts.Verdict], path: Floats, verdict: facts.Verdict
) -> None:
    assert fact(path) is verdict


def test_clockwise_is_as_seen_on_the_screen() -> None:
    """From the right-most point the way leads down, where rows grow."""
    assert CLOCKWISE[0, 0] == CLOCKWISE[:, 0].max()
    assert CLOCKWISE[1, 1] > CLOCKWISE[0, 1]


def test_turn_names_both_headings() -> None:
    assert facts.turn_of(LEFT_THEN_UP) == ("left", "up")
    assert facts.turn_of(LEFT_THEN_UP[::-1]) == ("down", "right")
    assert facts.turn_of(DIAGONAL) is None


GROWING = 0.2 * 1.7 ** (T - 0.5)


@pytest.mark.parametrize(
    ("size", "grows", "shrinks"),
    [
        (GROWING, True, False),
        (GROWING[::-1], False, True),
        (np.full(20, 0.2), False, False),
        (0.2 * 1.2**T, None, False),
    ],
    ids=["grows", "shrinks", "keeps its size", "grows a little"],
)
def test_growth(size: Floats, grows: facts.Verdict, shrinks: facts.Verdict) -> None:
    assert facts.grows(shape(size=size)) is grows
    assert facts.shrinks(shape(size=size)) is shrinks


def test_growth_at_the_edge_is_unclear() -> None:
    assert facts.grows(shape(line(-0.5, 0), size=GROWING)) is None


def test_spin() -> None:
    assert facts.spins(shape(angle=6 * T)) is True
    assert facts.spins(shape(angle=-6 * T)) is True
    assert facts.spins(shape()) is False
    assert facts.spins(shape(angle=1.5 * T)) is None
    assert facts.spins(shape(angle=6 * T, shape="circle")) is None
    assert facts.spins(shape(angle=6 * T, shape="circle", texture="striped")) is True


def test_stillness_excludes_change_in_place() -> None:
    assert facts.stays_still(shape()) is True
    assert facts.stays_still(shape(RIGHT)) is False
    assert facts.stays_still(shape(line(0.05 * T, 0))) is None
    assert facts.stays_still(shape(size=GROWING)) is None
    assert facts.stays_still(shape(angle=6 * T)) is None


def test_leaving_and_entering() -> None:
    out = line(0.8 * T, 0)
    assert facts.leaves(shape(out)) is True
    assert facts.enters(shape(out)) is False
    assert facts.enters(shape(out[::-1])) is True
    assert facts.leaves(shape(out[::-1])) is False
    assert facts.leaves(shape(RIGHT)) is False
    assert facts.leaves(shape(line(0.5 * T, 0))) is None  # half way out


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.0, False), (1.0, False), (1.5, None), (2.0, True), (3.0, True)]
)
def test_grade(value: float, verdict: facts.Verdict) -> None:
    assert facts.grade(value, no=1, yes=2) is verdict
    assert facts.grade(-value, no=-1, yes=-2) is verdict


def test_both() -> None:
    assert facts.both(True, True) is True
    assert facts.both(True, None) is None
    assert facts.both(None, False) is False
