"""Figures beyond J and F, against independent tools and by hand."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from rvosbench.contracts import ExpressionScore
from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import tolerance
from rvosbench.metrics.breakdown import breakdown
from rvosbench.metrics.counts import count
from rvosbench.metrics.values import average_precision, frame_values, split_values
from rvosbench.records import Expression


def coco_map(boxes: list[tuple[float, float, bool]]) -> float:
    """mAP by pycocotools: N images with one target each, boxes of the given overlap and score."""
    truth: Any = COCO()
    number = range(1, len(boxes) + 1)
    annotations = [
        {"id": i, "image_id": i, "category_id": 1, "bbox": [0, 0, 100, 10], "area": 1000}
        for i in number
    ]
    truth.dataset = {
        "info": {},
        "images": [{"id": i, "width": 300, "height": 10} for i in number],
        "annotations": [{**a, "iscrowd": 0} for a in annotations],
        "categories": [{"id": 1, "name": "meant"}],
    }
    found = [
        {"image_id": i, "category_id": 1, "bbox": [0, 0, 100 * overlap, 10], "score": score}
        for i, (overlap, score, answered) in zip(number, boxes, strict=True)
        if answered
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def test_average_precision_equals_coco() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        size = int(rng.integers(1, 30))
        overlaps = np.round(rng.uniform(0.3, 1, size), 3)
        scores = rng.choice([0.1, 0.5, 0.9, 0.95], size)
        answered = rng.random(size) < 0.9
        if not answered.any():
            continue
        rows = list(zip(overlaps.tolist(), scores.tolist(), answered.tolist(), strict=True))
        got = average_precision(overlaps, scores, answered, np.ones(size, bool))
        assert got == pytest.approx(coco_map(rows), abs=1e-12)


def test_answers_without_target_are_false_alarms() -> None:
    j, score = np.array([1.0, 1.0]), np.array([0.5, 0.9])
    both, one = np.array([True, True]), np.array([True, False])
    assert average_precision(j, score, both, both) == 1.0
    assert average_precision(j, score, both, one) == 0.5  # the surer answer was to nothing
    assert average_precision(j, score, one, one) == 1.0
    assert np.isnan(average_precision(j, score, both, ~both))


def _row(j: float, **figures: float) -> ExpressionScore:
    known = {"union": 10, "intersection": 10 * j, "targets": 1, "answered": 1, "score": 1.0}
    return ExpressionScore("v", "0", j, j, metrics={**known, **figures})


def test_the_figures_of_a_split_are_means_and_totals() -> None:
    found = split_values([_row(0.5), _row(0.95, union=90, intersection=85.5)])
    assert (found["miou"], found["oiou"]) == (0.725, 90.5 / 100)
    assert [found[f"p@{k}"] for k in (0.5, 0.6, 0.9)] == [0.5, 0.5, 0.5]  # 0.5 is not above 0.5
    assert split_values([ExpressionScore("v", "0", 1, 1)]) == {}
    assert split_values([_row(1.0, union=0, intersection=0)])["oiou"] == 1.0


def test_the_figures_of_an_expression_follow_from_its_frames() -> None:
    frames = np.zeros((2, 4, 10), bool)
    frames[:, :, :5] = True
    target, other = frames, frames.copy()
    other[1] = False
    answer, truth = (MaskSequence.from_arrays(m) for m in (other, target))
    counts = count(answer, truth, radius=tolerance(truth.size))
    found = frame_values(counts, 40)
    assert found["target_share"] == 0.5
    assert (found["intersection"], found["union"], found["answered"]) == (20, 40, 1)
    assert (found["boundary_precision"], found["boundary_recall"]) == (1.0, 0.5)
    assert (found["j_recall"], found["f_recall"]) == (0.5, 0.5)


def test_a_result_is_divided_by_what_its_rows_say() -> None:
    rows = [
        (Expression("0", "a", "1", ("motion",)), _row(1.0, target_share=0.5, length=200)),
        (Expression("1", "b", "2", ("motion", "many")), _row(0.0, target_share=0.001, targets=4)),
        (Expression("2", "c", "2"), _row(0.5, targets=0)),
    ]
    parts = {(p.by, p.value): (p.count, p.j) for p in breakdown(rows)}
    assert parts == {
        ("category", "many"): (1, 0.0),
        ("category", "motion"): (2, 0.5),
        ("group", "1"): (1, 1.0),
        ("group", "2"): (2, 0.25),
        ("size", "small"): (1, 0.0),
        ("size", "large"): (1, 1.0),
        ("targets", "no target"): (1, 0.5),
        ("targets", "1"): (1, 1.0),
        ("targets", "3 or more"): (1, 0.0),
    }
