"""How sure a run's scores are, and whether a run can be told from the best one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from leaderboard.numbers.entry import Entry
from rvosbench.errors import UsageError
from rvosbench.metrics import significance
from rvosbench.metrics.significance import Difference, Floats, VideoScores, scores_by_video
from rvosbench.runs.result import Result
from rvosbench.tables.table import METRICS, Interval


@dataclass(frozen=True)
class Confidence:
    """What is known of a run's certainty.

    Attributes:
        intervals: metric -> 95 % confidence interval in percent.
        p_value: that the best comparable run is no better; None for the best run itself or where
            there is no other.
    """

    intervals: Mapping[str, Interval] = field(default_factory=dict)
    p_value: float | None = None

    @property
    def tied(self) -> bool:
        """Not distinguishable from the best run."""
        return self.p_value is not None and self.p_value >= significance.LEVEL


Confidences: TypeAlias = Mapping[str, Confidence]
"""By signature."""


def confidence_of(entries: Iterable[Entry]) -> dict[str, Confidence]:
    """Signature -> confidence of the runs among entries, see `confidences`."""
    return confidences([entry.run.result for entry in entries if entry.run is not None])


def compare(a: Result, b: Result, seed: int = 0) -> Difference:
    """J&F of run A minus that of run B; the same seed gives the same answer.

    Raises:
        UsageError: they were not measured on the same videos and expressions in the same way.
    """
    if comparable_key(a) != comparable_key(b):
        raise UsageError(
            f"{a.signature} and {b.signature} cannot be compared: they differ in dataset, split, "
            "protocol, corruption, or in what was scored"
        )
    first, second = ([s.score for s in one.expressions] for one in (a, b))
    return significance.paired_difference(first, second, seed)


def comparable_key(result: Result) -> tuple[object, ...]:
    """Equal for results whose scores can be paired, expression by expression."""
    names = ("dataset", "split", "fingerprint", "protocol", "protocol_version", "corruption")
    facts = tuple(str(result.facts.get(name)) for name in names)
    asked = frozenset((s.score.video, s.score.expression) for s in result.expressions)
    return (*facts, hash(asked), len(asked))


def confidences(results: Sequence[Result]) -> dict[str, Confidence]:
    """Signature -> confidence, for all results with scores of single expressions.

    Each is tested against the best run measured the same way; upper bounds are never the best.
    Tests are not corrected for their number: "tied" means tied at the level of a single test.
    """
    groups: dict[tuple[object, ...], dict[str, Result]] = defaultdict(dict)
    for result in results:
        if result.expressions and result.summary is not None:
            groups[comparable_key(result)][result.signature] = result
    return {name: one for g in groups.values() for name, one in _group_confidences(g)}


def _group_confidences(group: Mapping[str, Result]) -> Iterator[tuple[str, Confidence]]:
    data = {name: scores_by_video(s.score for s in r.expressions) for name, r in group.items()}
    weights = significance.bootstrap_weights(len(next(iter(data.values())).videos))
    ranked = [name for name, result in group.items() if not result.upper_bound]
    best = max(ranked, key=lambda name: (data[name].mean(), name), default=None)
    for name, mine in data.items():
        p = None
        if best is not None and best != name and not group[name].upper_bound:
            p = significance.permutation_p(mine.sums["jf"] - data[best].sums["jf"])
        yield name, Confidence(_intervals(group[name], mine, weights), p)


def _intervals(result: Result, mine: VideoScores, weights: Floats) -> dict[str, Interval]:
    """Intervals of the scores that are plain means over expressions, as most protocols' are."""
    found = {}
    for metric in METRICS:
        if abs(mine.mean(metric) - getattr(result.summary, metric)) < 1e-6:
            low, high = significance.interval(mine.sums[metric], mine.counts, weights)
            found[metric] = Interval(100 * low, 100 * high)
    return found
