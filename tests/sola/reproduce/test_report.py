"""Scores, tests and verdicts from results whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvosbench.errors import ResultError
from rvosbench.metrics.significance import paired_difference
from sola.reproduce.evaluations import Evaluation
from sola.reproduce.experiments import Claim, chosen_tables
from sola.reproduce.report import make_report, mean_scores

from .making import EXPRESSIONS, KINDS, VIDEOS, report, result, settings
from .reports import read_report

FIVE_B = chosen_tables(["5b"])


def test_scores_are_means_and_deviations_over_seeds() -> None:
    found = report({"sola": 0.5}, FIVE_B).of("sola")
    assert found is not None
    runs = [result(0.5, seed) for seed in range(3)]
    values = [r.summary.jf for r in runs if r.summary]
    assert found.jf == tuple(values)
    assert found.mean() == pytest.approx(np.mean(values))
    assert found.deviation() == pytest.approx(np.std(values, ddof=1))
    assert found.counts == dict.fromkeys(KINDS, VIDEOS)
    assert np.mean(list(found.videos.values())) == pytest.approx(found.mean())


def test_one_run_has_no_deviation() -> None:
    found = report({"sola": 0.5}, FIVE_B, seeds=1).of("sola")
    assert found is not None
    assert found.deviation() is None


@pytest.mark.parametrize(
    ("worse", "verdict", "seeds"), [(0.4, "yes", 3), (0.5, "within noise", None), (0.6, "no", 0)]
)
def test_the_verdict_follows_from_the_difference(
    worse: float, verdict: str, seeds: int | None
) -> None:
    tested = report({"sola": 0.5, "no-motion": worse}, FIVE_B).test("sola", "no-motion")
    assert tested is not None
    assert tested.verdict == verdict
    assert tested.low < tested.difference < tested.high
    assert tested.difference == pytest.approx(0.5 - worse, abs=0.02)
    if seeds is not None:
        assert tested.seeds == (seeds, 3)


def test_a_single_run_is_compared_as_everywhere() -> None:
    made = report({"sola": 0.5, "no-motion": 0.49}, FIVE_B, seeds=1)
    tested = made.test("sola", "no-motion")
    ours, theirs = ([s.score for s in r.expressions] for r in (result(0.5, 0), result(0.49, 10)))
    wanted = paired_difference(ours, theirs)
    assert tested is not None
    assert (tested.difference, tested.low, tested.high, tested.p_value) == (
        *(wanted.mean, wanted.low, wanted.high, wanted.p_value),
    )
    assert tested.seeds is None


def test_a_seed_that_ends_level_is_not_ahead() -> None:
    runs = [result(0.5, seed) for seed in range(3)]
    results = {
        Evaluation(name, "test", seed): run
        for name in ("sola", "no-motion")
        for seed, run in enumerate(runs)
    }
    made = make_report(FIVE_B, settings(splits=("test",)), results, {}, {})
    tested = made.test("sola", "no-motion")
    assert tested is not None
    assert tested.difference == 0
    assert tested.seeds == (0, 3)
    assert tested.verdict == "within noise"


def test_a_claim_without_both_sides_is_not_tested() -> None:
    made = report({"sola": 0.5, "no-motion": 0.4}, FIVE_B)
    assert made.test("sola", "no-inter-object") is None
    assert made.missing == {"no-inter-object": "nobody made it"}
    assert [t.claim for t in made.tested] == [Claim("sola", "no-motion", 3.7)]


def test_a_report_survives_the_disk(tmp_path: Path) -> None:
    made = report({"sola": 0.5, "no-motion": 0.4}, FIVE_B)
    made.write(tmp_path / "a.json")
    again = read_report(tmp_path / "a.json")
    assert again.measured == made.measured
    assert again.tested == made.tested
    again.write(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_runs_of_other_expressions_are_not_averaged() -> None:
    whole = result(0.5)
    part = replace(whole, expressions=whole.expressions[:-1])
    with pytest.raises(ResultError, match="asked other expressions"):
        mean_scores([whole, part])
    results = {Evaluation("sola", "test"): whole, Evaluation("no-motion", "test"): part}
    with pytest.raises(ResultError, match="same expressions"):
        make_report(FIVE_B, settings(splits=("test",)), results, {}, {})
    assert len(whole.expressions) == VIDEOS * EXPRESSIONS
