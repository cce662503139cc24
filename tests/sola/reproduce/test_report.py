"""Figures, tests and verdicts from results whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leaderboard.tables.confidence import compare
from rvosbench.errors import ResultError
from sola.reproduce.plan import Claim, chosen_tables
from sola.reproduce.report import (
    make_report,
    mean_scores,
    read_report,
    write_report,
)
from sola.reproduce.trials import Evaluation

from .making import KINDS, SENTENCES, VIDEOS, report, result, settings

FIVE_B = chosen_tables(["5b"])


def test_figures_are_means_and_deviations_over_seeds() -> None:
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


def test_a_single_run_is_compared_as_the_leaderboard_does() -> None:
    made = report({"sola": 0.5, "no-motion": 0.49}, FIVE_B, seeds=1)
    tested, truth = made.test("sola", "no-motion"), compare(result(0.5, 0), result(0.49, 10))
    assert tested is not None
    assert 100 * tested.difference == pytest.approx(truth.difference)
    assert (100 * tested.low, 100 * tested.high) == pytest.approx(
        (truth.interval.low, truth.interval.high), abs=0.1
    )
    assert tested.p_value == pytest.approx(truth.p_value, abs=0.01)
    assert tested.seeds is None


def test_a_claim_without_both_sides_is_not_tested() -> None:
    made = report({"sola": 0.5, "no-motion": 0.4}, FIVE_B)
    assert made.test("sola", "no-inter-object") is None
    assert made.missing == {"no-inter-object": "nobody made it"}
    assert [t.claim for t in made.tested] == [Claim("sola", "no-motion", 3.7)]


def test_a_report_survives_the_disk(tmp_path: Path) -> None:
    made = report({"sola": 0.5, "no-motion": 0.4}, FIVE_B)
    write_report(tmp_path / "a.json", made)
    again = read_report(tmp_path / "a.json")
    assert again.measured == made.measured
    assert again.tested == made.tested
    write_report(tmp_path / "b.json", again)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 99}'])
def test_a_broken_report_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ResultError, match=r"report\.json"):
        read_report(path)


def test_runs_of_other_sentences_are_not_averaged() -> None:
    whole = result(0.5)
    part = replace(whole, expressions=whole.expressions[:-1])
    with pytest.raises(ResultError, match="asked other expressions"):
        mean_scores([whole, part])
    results = {Evaluation("sola", "test"): whole, Evaluation("no-motion", "test"): part}
    with pytest.raises(ResultError, match="two trials"):
        make_report(FIVE_B, settings(splits=("test",)), results, {}, {})
    assert len(whole.expressions) == VIDEOS * SENTENCES
