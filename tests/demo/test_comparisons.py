"""Relations and rankings on hand-made scenes."""

from __future__ import annotations

import numpy as np
import pytest

from rvosbench.demo import comparisons
from rvosbench.demo.comparisons import rankings
from rvosbench.demo.facts import path_of
from rvosbench.demo.motion import Floats
from rvosbench.demo.render import occlusion, render
from rvosbench.demo.scenes import ShapeObject

T = np.linspace(0, 1, 20)


def square(x: Floats | float, y: Floats | float, depth: int = 0, size: float = 0.2) -> ShapeObject:
    still = np.zeros(20)
    return ShapeObject(
        *("red", "square", "plain", depth, "by hand"), x + still, y + still, size + still, still
    )


CENTRE = square(0.5, 0.5)


def test_sides() -> None:
    assert comparisons.lies(square(0.2, 0.5), CENTRE, "left") is True
    assert comparisons.lies(square(0.2, 0.5), CENTRE, "right") is False
    assert comparisons.lies(square(0.4, 0.2), CENTRE, "up") is True
    assert comparisons.lies(square(0.4, 0.2), CENTRE, "left") is None  # rather above it
    assert comparisons.lies(square(0.2 + 0.6 * T, 0.5), CENTRE, "left") is None  # crosses


def test_towards_and_away() -> None:
    place = path_of(CENTRE)
    towards = path_of(square(0.1 + 0.3 * T, 0.5))
    assert comparisons.approaches(towards, place) is True
    assert comparisons.recedes(towards, place) is False
    assert comparisons.recedes(towards[::-1], place) is True
    assert comparisons.approaches(towards[::-1], place) is False
    past = path_of(square(0.1 + 0.8 * T, 0.5))
    assert comparisons.approaches(past, place) is None
    assert comparisons.approaches(path_of(square(0.1, 0.5)), place) is False


def test_speed() -> None:
    slow, fast = path_of(square(0.2 + 0.2 * T, 0.5)), path_of(square(0.2 + 0.5 * T, 0.5))
    assert comparisons.is_faster(fast, slow) is True
    assert comparisons.is_faster(slow, fast) is False
    assert comparisons.is_faster(1.3 * slow, slow) is None
    assert comparisons.is_faster(fast, path_of(CENTRE)) is None


def test_passing_behind_and_in_front() -> None:
    passer, pillar = square(0.1 + 0.8 * T, 0.5), square(0.5, 0.5, depth=1)
    _, masks = render((passer, pillar), 64, np.random.default_rng(0))
    hidden = occlusion((passer, pillar), masks)
    assert hidden[0, 1].max() > 0.9
    assert hidden[1, 0].max() == 0
    assert hidden[0, 1, 0] == hidden[0, 1, -1] == 0
    assert comparisons.passes(passer, hidden[0, 1]) is True
    assert comparisons.passes(pillar, hidden[0, 1]) is None  # it only stands there
    assert comparisons.passes(passer, hidden[1, 0]) is False


def winners(objects: tuple[ShapeObject, ...]) -> dict[str, int | None]:
    members = list(range(len(objects)))
    return {r.wordings[0]: r.winner(members) for r in rankings(objects)}


def test_speed_and_size_rankings() -> None:
    won = winners((square(0.1 + 0.2 * T, 0.2), square(0.1 + 0.6 * T, 0.5, size=0.1), CENTRE))
    assert won["the fastest NOUN"] == 1
    assert won["the slowest NOUN"] is None  # one does not move at all
    assert won["the smallest NOUN"] == 1
    assert won["the biggest NOUN"] is None  # two are equally big


def test_time_rankings() -> None:
    late, later = np.maximum(T - 0.35, 0), np.maximum(T - 0.7, 0)
    objects = (square(0.1 + T * 0.3, 0.2), square(0.1 + late, 0.5), square(0.1 + 2 * later, 0.8))
    won = winners(objects)
    assert won["the first NOUN to move"] == 0
    assert won["the last NOUN to move"] == 2
    assert won["the first NOUN to stop"] is None  # nobody stops
    early, middle = square(np.minimum(T, 0.3), 0.2), square(np.minimum(T, 0.6), 0.5)
    won = winners((middle, early))
    assert won["the first NOUN to stop"] == 1
    assert won["the last NOUN to stop"] == 0


@pytest.mark.parametrize("members", [[], [0]], ids=["nobody", "no rival"])
def test_nobody_wins_without_a_rival(members: list[int]) -> None:
    ranking = rankings((square(0.1 + 0.6 * T, 0.5), CENTRE))[0]
    assert ranking.winner(members) is None
