"""Rules of single protocols on tiny videos: no target, pooled Dice, official defects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.metrics.official import protocol
from rvosbench.records import Prediction, Sample

from . import scenes

SIZE = (6, 8)
SPOT = np.zeros(SIZE, bool)
SPOT[1:4, 1:4] = True
MOVED = np.roll(SPOT, 2, 1)
FULL, NOTHING = np.ones(SIZE, bool), np.zeros(SIZE, bool)


def _scene() -> tuple[Sample, scenes.Truth]:
    sample = scenes.sample("v", 2, SIZE, ["one", "none", "silent"])
    targets = {
        "one": scenes.target({"1": [SPOT, SPOT]}, SIZE, [0, 1]),
        "none": scenes.target({}, SIZE, [0, 1]),
        "silent": scenes.target({}, SIZE, [0, 1]),
    }
    return sample, scenes.truth(targets)


ANSWERS = {
    "one": scenes.answer([SPOT, NOTHING]),
    "none": scenes.answer([FULL, NOTHING]),
    "silent": scenes.answer([NOTHING, NOTHING]),
}


def test_mevis_v2_reports_expressions_with_and_without_target() -> None:
    scorer = protocol("mevis-v2")
    scores = scorer.score_video(*_scene(), ANSWERS)
    rows = {s.expression: (s.j, s.f) for s in scores}
    # A full mask has no outline: J would be 0 and F 1 if both were left to the masks.
    assert rows == {"one": (0.5, 0.5), "none": (0.5, 0.5), "silent": (1.0, 1.0)}
    summary = scorer.summarize(scores)
    assert summary.j == pytest.approx(2 / 3, abs=1e-15)
    assert (summary.metrics["target_j"], summary.metrics["no_target_j"]) == (0.5, 0.75)
    assert (summary.metrics["t_acc"], summary.metrics["n_acc"]) == (1.0, 0.5)


def test_mevis_v2_leaves_out_what_a_split_does_not_have() -> None:
    scorer = protocol("mevis-v2")
    scores = [s for s in scorer.score_video(*_scene(), ANSWERS) if s.expression == "one"]
    assert not any(name.startswith("n") for name in scorer.summarize(scores).metrics)


def test_sola_released_pools_dice_over_the_video() -> None:
    (score, *_) = protocol("sola-released").score_video(
        *_scene(), {**ANSWERS, "one": scenes.answer([SPOT, MOVED])}
    )
    assert score.j == (1 + 3 / 15) / 2
    assert score.f == pytest.approx(2 * (9 + 3) / (18 + 18), abs=1e-15)


def test_sola_released_gives_nothing_for_no_answer_even_where_nothing_is_meant() -> None:
    rows = protocol("sola-released").score_video(*_scene(), ANSWERS)
    assert {s.expression: (s.j, s.f) for s in rows}["silent"] == (0.0, 0.0)
    assert {s.expression: (s.j, s.f) for s in rows}["none"] == (0.5, 0.0)  # released J, no overlap


class Files(Mapping[str, Prediction]):
    """Answers of which some cannot be read."""

    def __init__(self, errors: Mapping[str, type[PredictionError]]) -> None:
        self._errors = errors

    def __getitem__(self, key: str) -> Prediction:
        if key in self._errors:
            raise self._errors[key](key)
        return ANSWERS[key]

    def __iter__(self) -> Iterator[str]:
        return iter(ANSWERS)

    def __len__(self) -> int:
        return len(ANSWERS)

    def __contains__(self, key: object) -> bool:
        return key in ANSWERS


BROKEN = {"one": PredictionError, "none": IncompletePredictionError}


def _rows(scores: object) -> dict[str, float]:
    assert isinstance(scores, tuple)
    return {s.expression: s.j for s in scores if isinstance(s, ExpressionScore)}


def test_what_cannot_be_read_is_an_error_or_vanishes_as_officially() -> None:
    with pytest.raises(PredictionError):
        protocol("mevis").score_video(*_scene(), Files(BROKEN))
    official = protocol("mevis", as_official=True)
    assert _rows(official.score_video(*_scene(), Files(BROKEN))) == {"silent": 1.0}
    absent = dict.fromkeys(ANSWERS, IncompletePredictionError)
    assert _rows(official.score_video(*_scene(), Files(absent))) == dict.fromkeys(ANSWERS, 0.0)


def test_the_official_variant_is_the_same_where_nothing_is_missing() -> None:
    rows: Callable[..., object] = protocol("mevis").score_video
    assert rows(*_scene(), ANSWERS) == protocol("mevis", True).score_video(*_scene(), ANSWERS)


def test_expressions_of_one_target_share_its_boundaries(monkeypatch: pytest.MonkeyPatch) -> None:
    from rvosbench.metrics import counts

    read: list[int] = []
    whole = counts.Outlines._read

    def noted(self: counts.Outlines, index: int) -> object:
        read.append(index)
        return whole(self, index)

    monkeypatch.setattr(counts.Outlines, "_read", noted)
    sample = scenes.sample("v", 2, SIZE, ["a", "b", "c"])
    target = scenes.target({"1": [SPOT, SPOT]}, SIZE, [0, 1])
    answers = {i: scenes.answer([SPOT, MOVED]) for i in "abc"}
    protocol("mevis").score_video(sample, scenes.truth(dict.fromkeys("abc", target)), answers)
    assert read == [0, 1]
