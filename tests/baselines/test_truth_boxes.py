"""The ceiling of methods that look at one frame at a time."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.truth_boxes import (
    EXHAUSTIVE,
    TruthBoxConfig,
    TruthBoxes,
    expected_j,
    mark,
    meanings,
)
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.corrupted import corrupted
from rvosbench.demo.dataset import open_demo
from rvosbench.errors import DatasetError
from rvosbench.records import FrameEvidence
from rvosbench.runs.evaluate import evaluate
from rvosbench.runs.result import Result, parts

from ..toys import ToyDataset


def frame(possible: str, certain: str = "", least: int = 1, most: int = 1) -> FrameEvidence:
    """One frame of four objects named by digits."""
    marks = [np.array([[str(i) in names for i in range(4)]]) for names in (possible, certain)]
    return FrameEvidence(tuple("0123"), marks[0], marks[1], least, most)


def named(sets: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> set[str]:
    return {"".join(str(i) for i in np.flatnonzero(row)) for row in sets}


@pytest.mark.parametrize(
    ("evidence", "wanted"),
    [
        (frame("013"), {"0", "1", "3"}),
        (frame("013", "1"), {"1"}),
        (frame("013", "1", 2, 99), {"01", "13", "013"}),
        (frame("013", "", 2, 2), {"01", "03", "13"}),
        (frame("2", "", 2, 2), {"2"}),  # the other one is out of sight
        (frame(""), {""}),
        (frame("12", "12", 2, 9), {"12"}),
    ],
)
def test_what_a_sentence_may_mean(evidence: FrameEvidence, wanted: set[str]) -> None:
    assert named(meanings(evidence, 0)) == wanted


AREAS = np.array([10, 40, 30, 20])


def test_for_one_of_several_every_guess_expects_the_same() -> None:
    sets = meanings(frame("013"), 0)
    answers = np.array([[1, 0, 0, 0], [1, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]], bool)
    assert expected_j(answers, sets, AREAS) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert named(mark(sets, AREAS, "expected")[None]) == {"013"}
    assert named(mark(sets, AREAS, "all")[None]) == {"013"}
    assert named(mark(sets, AREAS, "largest")[None]) == {"1"}


def test_the_expected_rule_is_never_worse_than_the_others() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        areas = rng.integers(1, 50, 4)
        least = int(rng.integers(1, 3))
        names = "".join(str(i) for i in range(4) if rng.random() < 0.7)
        sets = meanings(frame(names, "", least, int(rng.choice([least, 99]))), 0)
        rules = [
            mark(sets, areas, "expected"),
            mark(sets, areas, "all"),
            mark(sets, areas, "largest"),
        ]
        values = expected_j(np.array(rules), sets, areas)
        assert values[0] >= values.max() - 1e-9


def test_too_many_candidates_are_all_marked() -> None:
    many = np.ones((1, EXHAUSTIVE + 1), bool)
    evidence = FrameEvidence(
        tuple(map(str, range(EXHAUSTIVE + 1))), many, np.zeros_like(many), 1, 1
    )
    assert mark(meanings(evidence, 0), np.arange(EXHAUSTIVE + 1), "expected").all()


VIDEOS = [f"test-{i:04d}" for i in range(8)]


@pytest.fixture(scope="module")
def ceiling() -> Result:
    return evaluate("truth-grounder", open_demo(None, "test"), videos=VIDEOS)


def test_one_frame_tells_looks_and_sides_and_not_motion(ceiling: Result) -> None:
    assert ceiling.upper_bound
    score = {p.value: p.jf for p in parts(ceiling) if p.by == "category"}
    assert score["appearance"] > 0.99
    assert score["relation"] > 0.9
    for motion in ("direction", "speed", "change", "order"):
        assert 0.3 < score[motion] < 0.85, motion
    assert score["no_target"] < 0.35  # that nobody does it, a frame does not show
    assert ceiling.summary is not None
    assert ceiling.summary.jf < 0.8


def test_the_largest_only_is_a_lower_ceiling(ceiling: Result) -> None:
    demo = open_demo(None, "test")
    largest = evaluate(TruthBoxes(TruthBoxConfig("largest")), demo, videos=VIDEOS)
    assert largest.summary is not None
    assert ceiling.summary is not None
    assert largest.summary.jf < ceiling.summary.jf


def test_corruption_does_not_touch_the_truth(ceiling: Result) -> None:
    foggy = corrupted(open_demo(None, "test"), Plan("fog", 5))
    result = evaluate("truth-grounder", foggy, videos=VIDEOS[:2])
    scores = [s.score.j for s in result.expressions]
    assert scores == [s.score.j for s in ceiling.expressions][: len(scores)]


def test_other_datasets_do_not_say_what_a_frame_tells() -> None:
    with pytest.raises(DatasetError, match=r"toy/valid does not say.*--dataset demo"):
        evaluate("truth-grounder", ToyDataset())
