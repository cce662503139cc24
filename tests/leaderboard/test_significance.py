"""Bootstrap and permutation over videos: against scipy, and their properties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from leaderboard.tables.confidence import compare, confidences
from rvosbench.contracts import Summary
from rvosbench.errors import ResultError, UsageError
from rvosbench.metrics.significance import (
    EXACT_VIDEOS,
    VideoScores,
    bootstrap_weights,
    interval,
    paired_difference,
    permutation_p,
    scores_by_video,
)
from rvosbench.records import Json, MethodCard
from rvosbench.runs.result import Result

from .making import replaced, result, rows


def by_video(one: Result) -> VideoScores:
    return scores_by_video(s.score for s in one.expressions)


def pair(videos: int, gap: float) -> tuple[VideoScores, VideoScores]:
    """Two runs on the same videos, `gap` apart."""
    return (
        by_video(result(rows(0.5 + gap, videos, seed=1))),
        by_video(result(rows(0.5, videos, seed=2))),
    )


def ratio(sums: np.ndarray, counts: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray(sums.sum(axis=axis) / counts.sum(axis=axis))


@pytest.mark.parametrize(("videos", "seed"), [(8, 0), (30, 1), (140, 2)])
def test_the_interval_agrees_with_scipys_bootstrap(videos: int, seed: int) -> None:
    data = by_video(result(rows(0.5, videos, seed=seed)))
    rng = np.random.default_rng(7)
    ours = interval(data.sums["jf"], data.counts, bootstrap_weights(videos, rng, 20_000))
    theirs = stats.bootstrap(
        (data.sums["jf"], data.counts),
        ratio,
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(8),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)


@pytest.mark.parametrize(("videos", "gap"), [(8, 0.01), (8, 0.1), (11, 0.0), (13, 0.02)])
def test_the_exact_p_value_equals_scipys(videos: int, gap: float) -> None:
    a, b = (
        by_video(result(rows(level, videos, seed=s))) for level, s in ((0.5 + gap, 1), (0.5, 2))
    )
    delta = a.sums["jf"] - b.sums["jf"]
    assert videos <= EXACT_VIDEOS
    theirs = stats.permutation_test(
        (a.sums["jf"], b.sums["jf"]),
        lambda x, y, axis: np.sum(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    ).pvalue
    assert permutation_p(delta, np.random.default_rng(0)) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("gap", [0.0, 0.005, 0.01])
def test_the_sampled_p_value_agrees_with_scipys(gap: float) -> None:
    a, b = pair(40, gap)
    delta = a.sums["jf"] - b.sums["jf"]
    theirs = stats.permutation_test(
        (a.sums["jf"], b.sums["jf"]),
        lambda x, y, axis: np.sum(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(5),
    ).pvalue
    assert permutation_p(delta, np.random.default_rng(0)) == pytest.approx(theirs, abs=0.02)


def test_clusters_matter_expressions_of_one_video_are_not_independent() -> None:
    same = {f"v{i}": [(0.2 + 0.06 * i,) * 2] * 20 for i in range(10)}
    data = by_video(result(same))
    low, high = interval(
        data.sums["jf"], data.counts, bootstrap_weights(10, np.random.default_rng(0))
    )
    scores = [pair[0] for pairs in same.values() for pair in pairs]
    naive = 2 * 1.96 * float(np.std(scores)) / len(scores) ** 0.5
    assert high - low > 3 * naive


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(3), 0
    for _ in range(300):
        level = rng.normal(0.5, 0.1, 40)
        weights = bootstrap_weights(40, rng, 500)
        low, high = interval(level * 5, np.full(40, 5.0), weights)
        hits += low <= 0.5 <= high
    assert 0.90 <= hits / 300 <= 0.99


def test_p_values_are_uniform_if_there_is_no_difference() -> None:
    rng = np.random.default_rng(4)
    values = [permutation_p(rng.normal(0, 1, 12), rng) for _ in range(300)]
    assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(values) == pytest.approx(0.5, abs=0.06)


def test_no_difference_has_p_1_and_one_video_decides_nothing() -> None:
    rng = np.random.default_rng(0)
    assert permutation_p(np.zeros(5), rng) == 1.0
    assert permutation_p(np.zeros(50), rng) == 1.0
    assert permutation_p(np.array([0.7]), rng) == 1.0


def test_the_same_seed_gives_the_same_answer_and_another_nearly_so() -> None:
    a, b = result(rows(0.52, 40)), result(rows(0.5, 40, seed=1), method="other")
    assert compare(a, b, seed=1) == compare(a, b, seed=1)
    other = compare(a, b, seed=2)
    assert compare(a, b, seed=1) != other
    assert compare(a, b, seed=1).low == pytest.approx(other.low, abs=0.003)


def test_no_number_depends_on_what_is_computed_beside_it() -> None:
    """Each draws from a generator of its own: the interval before a test does not change it."""
    a, b = result(rows(0.52, 40)), result(rows(0.5, 40, seed=1), method="other")
    found = compare(a, b)
    delta = by_video(a).sums["jf"] - by_video(b).sums["jf"]
    assert found.p_value == permutation_p(delta, np.random.default_rng(0))
    weights = bootstrap_weights(40, np.random.default_rng(0))
    assert (found.low, found.high) == pytest.approx(interval(delta, by_video(a).counts, weights))
    known = confidences([a, b])
    assert {c.p_value for c in known.values()} == {None, found.p_value}


def test_scores_are_paired_by_expression_whatever_their_order() -> None:
    one, other = result(rows(0.6, seed=1)), result(rows(0.5, seed=2))
    a, b = [s.score for s in one.expressions], [s.score for s in other.expressions]
    assert paired_difference(a, b) == paired_difference(a, b[::-1])
    with pytest.raises(ResultError, match="of the same expressions"):
        paired_difference(a, b[1:])


def test_means_by_video_are_those_of_its_expressions() -> None:
    one = by_video(result({"b": [(0.2, 0.4), (0.4, 0.8)], "a": [(1.0, 0.0)]}))
    assert one.videos == ("a", "b")
    assert one.means() == pytest.approx({"a": 0.5, "b": 0.45})
    assert one.means("f") == pytest.approx({"a": 0.0, "b": 0.6})
    assert one.mean() == pytest.approx((0.5 + 0.3 + 0.6) / 3)
    assert scores_by_video([]).means() == {}


def test_a_comparison_changes_sign_with_its_sides() -> None:
    a, b = result(rows(0.6, 10)), result(rows(0.5, 10, seed=1), method="other")
    one, two = compare(a, b), compare(b, a)
    assert one.mean == pytest.approx(-two.mean)
    assert one.p_value == two.p_value < 0.05
    assert one.low > 0 > two.high


@pytest.mark.parametrize(
    "facts",
    [{"split": "valid_u"}, {"protocol": "x"}, {"fingerprint": "g"}, {"corruption": "fog:1"}],
)
def test_only_what_was_measured_alike_is_compared(facts: dict[str, Json]) -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        compare(result(), result(method="other", **facts))
    with pytest.raises(UsageError, match="cannot be compared"):
        compare(result(), result(rows(0.5, videos=5), method="other"))


def test_a_result_without_expressions_cannot_be_resampled() -> None:
    with pytest.raises(ResultError, match="of the same expressions"):
        compare(result({}), result({}))
    assert confidences([result({})]) == {}


def test_ties_are_with_the_best_run_and_the_best_has_no_p_value() -> None:
    best = result(rows(0.50, 12))
    close = result(rows(0.499, 12, seed=1), method="close")
    far = result(rows(0.2, 12, seed=2), method="far")
    found = confidences([far, close, best])
    order = sorted((best, close), key=lambda r: r.summary.jf if r.summary else 0)
    assert found[order[1].signature].p_value is None
    assert found[order[0].signature].tied
    assert not found[far.signature].tied
    assert found[far.signature].p_value == pytest.approx(2 / 2**12)


def test_an_upper_bound_is_never_the_best_and_never_tested() -> None:
    oracle = result(rows(0.9, 12), upper_bound=True, method="oracle")
    mine, worse = result(rows(0.5, 12)), result(rows(0.2, 12), method="worse")
    found = confidences([oracle, mine, worse])
    assert found[oracle.signature].p_value is None
    assert found[mine.signature].p_value is None
    assert found[worse.signature].p_value is not None


def test_an_interval_holds_the_printed_mean() -> None:
    one = result(rows(0.5, 20))
    spans = confidences([one])[one.signature].intervals
    assert one.summary is not None
    for figure in ("jf", "j", "f"):
        assert spans[figure].low < 100 * getattr(one.summary, figure) < spans[figure].high
    data = by_video(one)
    low, high = interval(data.sums["jf"], data.counts, bootstrap_weights(20))
    assert (spans["jf"].low, spans["jf"].high) == (100 * low, 100 * high)


def test_no_interval_where_the_protocol_does_not_print_the_mean_over_expressions() -> None:
    one = replaced(result(rows(0.5, 20)), summary=Summary(0.7, 0.7, 0.7))
    assert confidences([one])[one.signature].intervals == {}


def test_the_order_of_results_changes_nothing() -> None:
    several = [result(rows(0.5, 12, seed=s), MethodCard(str(s)), method=str(s)) for s in range(4)]
    assert confidences(several) == confidences(several[::-1])
