"""How sure a run's score is, and whether two runs differ; see `rvosbench.metrics.significance`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rvosbench.errors import UsageError
from rvosbench.metrics.significance import (
    LEVEL,
    Floats,
    bootstrap_weights,
    interval,
    permutation_p,
)
from rvosbench.runs.result import Result

from .entries import FIGURES
from .tables import Interval


@dataclass(frozen=True)
class Clusters:
    """Scores of one run, summed by video; videos in sorted order.

    Attributes:
        videos: ids.
        sums: figure -> (V,) sum over a video's expressions, in [0, 1] each.
        counts: (V,) number of expressions.
    """

    videos: tuple[str, ...]
    sums: Mapping[str, Floats]
    counts: Floats


@dataclass(frozen=True)
class Confidence:
    """What is known of a run's certainty.

    Attributes:
        intervals: figure -> 95 % confidence interval in percent.
        p_value: that the best comparable run is no better; None for the best run itself or where
            there is no other.
    """

    intervals: Mapping[str, Interval] = field(default_factory=dict)
    p_value: float | None = None

    @property
    def tied(self) -> bool:
        """Not distinguishable from the best run."""
        return self.p_value is not None and self.p_value >= LEVEL


def clusters(result: Result) -> Clusters:
    """A result's scores by video.

    Raises:
        UsageError: it holds no scores of expressions.
    """
    if not result.expressions:
        raise UsageError(f"{result.signature}: holds no scores of single expressions to resample")
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for scored in result.expressions:
        rows[scored.score.video].append((scored.score.j, scored.score.f))
    videos = tuple(sorted(rows))
    j, f = (np.array([sum(row[k] for row in rows[v]) for v in videos]) for k in (0, 1))
    counts = np.array([len(rows[v]) for v in videos], dtype=np.float64)
    return Clusters(videos, {"jf": (j + f) / 2, "j": j, "f": f}, counts)


@dataclass(frozen=True)
class Comparison:
    """Run A against run B on J&F, in percent.

    Attributes:
        difference: A minus B.
        interval: its 95 % confidence interval, paired bootstrap over videos.
        p_value: of the paired permutation test.
    """

    difference: float
    interval: Interval
    p_value: float


def compare(a: Result, b: Result, seed: int = 0) -> Comparison:
    """Compare two runs, video by video; the same seed gives the same answer.

    Raises:
        UsageError: they were not measured on the same videos and expressions in the same way.
    """
    if comparable_key(a) != comparable_key(b):
        raise UsageError(
            f"{a.signature} and {b.signature} cannot be compared: they differ in dataset, split, "
            "protocol, corruption, or in what was scored"
        )
    first, second = clusters(a), clusters(b)
    delta = first.sums["jf"] - second.sums["jf"]
    rng = np.random.default_rng(seed)
    weights = bootstrap_weights(len(delta), rng)
    low, high = interval(delta, first.counts, weights)
    mean = float(delta.sum() / first.counts.sum())
    return Comparison(100 * mean, Interval(100 * low, 100 * high), permutation_p(delta, rng))


def comparable_key(result: Result) -> tuple[object, ...]:
    """Equal for results whose scores can be paired, expression by expression."""
    names = ("dataset", "split", "fingerprint", "protocol", "protocol_version", "corruption")
    facts = tuple(str(result.facts.get(name)) for name in names)
    asked = frozenset((s.score.video, s.score.expression) for s in result.expressions)
    return (*facts, hash(asked), len(asked))


def confidences(results: Sequence[Result], seed: int = 0) -> dict[str, Confidence]:
    """Signature -> confidence, for all results with scores of single expressions.

    Each is tested against the best run measured the same way; upper bounds are never the best.
    Tests are not corrected for their number: "tied" means tied at the level of a single test.
    """
    groups: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    for result in results:
        if result.expressions and result.summary is not None:
            groups[comparable_key(result)].append(result)
    found: dict[str, Confidence] = {}
    for group in groups.values():
        found.update(_group_confidences(group, seed))
    return found


def _group_confidences(group: Sequence[Result], seed: int) -> dict[str, Confidence]:
    data = {r.signature: clusters(r) for r in group}
    weights = bootstrap_weights(len(data[group[0].signature].videos), np.random.default_rng(seed))
    ranked = [r for r in group if not r.upper_bound]
    best = max(ranked, key=lambda r: (_mean(data[r.signature], "jf"), r.signature), default=None)
    found = {}
    for result in group:
        mine = data[result.signature]
        p = None
        if best is not None and result is not best and not result.upper_bound:
            delta = mine.sums["jf"] - data[best.signature].sums["jf"]
            p = permutation_p(delta, np.random.default_rng(seed))
        found[result.signature] = Confidence(_intervals(result, mine, weights), p)
    return found


def _intervals(result: Result, mine: Clusters, weights: Floats) -> dict[str, Interval]:
    """Intervals of the figures that are plain means over expressions, as most protocols' are."""
    found = {}
    for figure in FIGURES:
        if abs(_mean(mine, figure) - getattr(result.summary, figure)) < 1e-6:
            low, high = interval(mine.sums[figure], mine.counts, weights)
            found[figure] = Interval(100 * low, 100 * high)
    return found


def _mean(mine: Clusters, figure: str) -> float:
    return float(mine.sums[figure].sum() / mine.counts.sum())
