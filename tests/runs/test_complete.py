"""Predictions of methods: complete, of the right size, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.records import Prediction, Sample
from rvosbench.runs.video_job import complete

from ..toys import LENGTH, SIZE, ToyDataset, moving_square

SAMPLE = ToyDataset().sample("a")
ANSWERS: Mapping[str, MaskSequence] = {
    "0": moving_square(1, 2),
    "1": moving_square(40, 3),
    "2": moving_square(20, 0),
    "3": MaskSequence.empty(LENGTH, SIZE),
}


def test_bare_masks_are_a_prediction_of_score_one() -> None:
    sure = Prediction(ANSWERS["1"], 0.25)
    answers = complete({**ANSWERS, "1": sure}, SAMPLE, "mine")
    assert answers["0"] == Prediction(ANSWERS["0"], 1.0)
    assert answers["1"] is sure


def test_complete_answers_come_in_the_order_of_the_expressions() -> None:
    answers = complete(dict(reversed(list(ANSWERS.items()))), SAMPLE, "mine")
    assert list(answers) == ["0", "1", "2", "3"]
    assert all(isinstance(answer, Prediction) for answer in answers.values())


def _with(answer: object) -> dict[str, Any]:
    return {**ANSWERS, "0": answer}


SOFT: Any = np.zeros((LENGTH, *SIZE), np.float32)
BAD: dict[str, tuple[Any, str]] = {
    "nothing": (_with(None), "expression '0': got a NoneType for a prediction"),
    "short": (_with(ANSWERS["0"].at([0])), "expression '0': got 1 masks, wanted 4"),
    "small": (
        _with(MaskSequence.empty(LENGTH, (6, 35))),
        "expression '0': got masks of 6x35, wanted 12x70",
    ),
    "score": (_with(Prediction(ANSWERS["0"], 1.5)), r"got score 1.5, wanted one in \[0"),
    "no score": (_with(Prediction(ANSWERS["0"], float("nan"))), "got score nan"),
    "soft": (_with(Prediction(ANSWERS["0"], soft=SOFT)), "soft masks float32 .* wanted"),
    "unasked": ({**ANSWERS, "x": ANSWERS["0"]}, "predictions for 'x', which nobody asked for"),
}


@pytest.mark.parametrize("case", BAD)
def test_answers_that_do_not_fit_are_refused(case: str) -> None:
    answers, message = BAD[case]
    with pytest.raises(PredictionError, match=rf"mine, video 'a'.*{message}"):
        complete(answers, SAMPLE, "mine")


def test_every_expression_must_be_answered() -> None:
    by_number: Any = {0: ANSWERS["0"]}
    message = r"no prediction for '0', '1', '2', '3' \(there are 0\)"
    with pytest.raises(IncompletePredictionError, match=message):
        complete(by_number, SAMPLE, "mine")


def test_a_video_without_expressions_is_complete() -> None:
    assert complete({}, Sample(SAMPLE.video, ()), "mine") == {}
