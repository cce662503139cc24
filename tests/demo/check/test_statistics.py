"""Figures of MotionShapes, and blind guesses: computed, and simulated through the whole program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from baselines.blind import Blind, BlindConfig
from rvosbench.demo.check.statistics import blind_j
from rvosbench.demo.dataset import CONFIGS, MotionShapes, open_demo
from rvosbench.demo.expressions import CATEGORIES
from rvosbench.masks import MaskSequence
from rvosbench.metrics import region_similarity
from rvosbench.records import FrameEvidence, Target
from rvosbench.runs.evaluate import evaluate
from rvosbench.runs.result import Result

VIDEOS = [f"valid-{i:04d}" for i in range(12)]


@pytest.fixture(scope="module")
def valid() -> MotionShapes:
    return open_demo(None, "valid")


def expected(valid: MotionShapes, guess: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for video in VIDEOS:
        areas = np.stack([m.areas() for m in valid.objects(video).values()])
        for e in valid.sample(video).expressions:
            meant = [int(name) for name in valid.referents(video)[e.id]]
            found.setdefault(e.tags[0], []).append(blind_j(areas, meant)[guess])
    return found


def simulated(result: Result) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for scored in result.expressions:
        found.setdefault(scored.expression.tags[0], []).append(scored.score.j)
    return found


@pytest.mark.parametrize("guess", ["all", "none"])
def test_guesses_score_as_computed_to_the_last_digit(valid: MotionShapes, guess: str) -> None:
    config = BlindConfig(answer="all" if guess == "all" else "none")
    result = evaluate(Blind(config), valid, videos=VIDEOS)
    assert result.upper_bound
    got, wanted = simulated(result), expected(valid, guess)
    assert got.keys() == wanted.keys() <= set(CATEGORIES)
    for category, values in wanted.items():
        assert got[category] == pytest.approx(values, abs=1e-12), category


SEEDS = range(40)


@dataclass(frozen=True)
class Truth:
    """What a method that asks for the truth of a video is handed."""

    targets: Mapping[str, Target]
    shapes: Mapping[str, MaskSequence]

    def __call__(self, expression_id: str) -> Target:
        return self.targets[expression_id]

    def objects(self) -> Mapping[str, MaskSequence]:
        return self.shapes

    def frame_evidence(self, expression_id: str) -> FrameEvidence:
        raise AssertionError("a blind guesser does not look at the frames")


def drawn(valid: MotionShapes) -> dict[str, list[list[float]]]:
    """Category -> J of every expression for every seed of a guesser that draws one shape."""
    found: dict[str, list[list[float]]] = {}
    for video in VIDEOS:
        sample = valid.sample(video)
        objects = valid.objects(video)
        truth = Truth({e.id: valid.target(video, e.id) for e in sample.expressions}, objects)
        answers = [Blind(BlindConfig("one", s)).predict_with_truth(sample, truth) for s in SEEDS]
        for e in sample.expressions:
            target = truth(e.id).union()
            values = [float(np.mean(region_similarity(a[e.id], target))) for a in answers]
            found.setdefault(e.tags[0], []).append(values)
    return found


def test_a_random_shape_scores_as_computed_within_its_chance(valid: MotionShapes) -> None:
    wanted = expected(valid, "one")
    for category, values in drawn(valid).items():
        draws = np.array(values)
        spread = float(np.sqrt(draws.var(axis=1, ddof=1).sum() / len(SEEDS))) / len(draws)
        assert abs(draws.mean() - np.mean(wanted[category])) < 4 * spread + 1e-9, category


def test_blind_guesses_in_closed_form() -> None:
    areas = np.array([[10, 10, 0], [30, 0, 0]])
    assert blind_j(areas, [0]) == pytest.approx(
        {"one": (1 / 2 + 1 / 2 + 1) / 3, "all": (10 / 40 + 1 + 1) / 3, "none": 1 / 3}
    )
    assert blind_j(areas, []) == pytest.approx(
        {"one": (0 + 1 / 2 + 1) / 3, "all": 1 / 3, "none": 1.0}
    )


def test_splits_are_balanced_and_train_is_rich() -> None:
    assert {s: c.n_expressions for s, c in CONFIGS.items()} == {"train": 30, "valid": 6, "test": 6}
    for split in ("valid", "test"):
        dataset = open_demo(None, split)
        tags = [e.tags[0] for sample in dataset for e in sample.expressions]
        assert len(tags) == 6 * len(dataset)
        counts = {name: tags.count(name) / len(tags) for name in CATEGORIES}
        assert min(counts.values()) >= 0.06, counts
        assert max(counts.values()) <= 0.15, counts
    rich = open_demo(None, "train").sample("train-0004").expressions
    assert len({e.text for e in rich}) == len(rich) == 30


def test_a_detailed_table_for_every_category(valid: MotionShapes) -> None:
    expressions, clips = valid.details()
    assert [row[0] for row in expressions.rows] == [*CATEGORIES, "all"]
    assert all(len(row) == len(expressions.columns) for row in expressions.rows)
    rows = {
        str(row[0]): dict(zip(expressions.columns, row, strict=True)) for row in expressions.rows
    }
    assert rows["appearance"]["one frame tells %"] == pytest.approx(100)
    assert rows["no_target"]["area %"] is None
    for motion in ("change", "order", "speed", "direction"):
        tells = rows[motion]["one frame tells %"]
        assert isinstance(tells, float)
        assert tells < 40
    name, shapes = clips.rows[0]
    assert name == "shapes"
    assert shapes == pytest.approx(3.75, abs=0.5)
