"""What came out, JSON-safe: scores of every experiment, and tests of what the paper says.

Scores of a trained network are averaged over seeds, expression by expression, before two
experiments are compared; the test swaps them video by video (`rvosbench.metrics.significance`). So
it says whether the difference would stay on other videos, given these trainings; the spread over
seeds, and in how many of them the order is the same, say how much of it is chance of the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import ResultError
from rvosbench.files.atomic import write_json
from rvosbench.metrics.breakdown import breakdown
from rvosbench.metrics.significance import LEVEL, paired_difference, scores_by_video
from rvosbench.records import Json
from rvosbench.runs.result import Result
from sola.reproduce.evaluations import Evaluation
from sola.reproduce.experiments import Claim, PaperTable
from sola.reproduce.settings import Settings
from sola.reproduce.trainings import Selectors

FORMAT = 1


@dataclass(frozen=True)
class Measured:
    """An experiment on a split; all scores in [0, 1].

    Attributes:
        jf: of every seed; likewise `j` and `f`.
        categories: category -> mean J&F of its expressions over seeds.
        counts: category -> number of expressions.
        videos: video -> mean J&F of its expressions over seeds.
        signatures: of the results.
    """

    jf: tuple[float, ...]
    j: tuple[float, ...]
    f: tuple[float, ...]
    categories: Mapping[str, float]
    counts: Mapping[str, int]
    videos: Mapping[str, float]
    signatures: tuple[str, ...]

    def mean(self, metric: str = "jf") -> float:
        """Over seeds."""
        return float(np.mean(getattr(self, metric)))

    def deviation(self, metric: str = "jf") -> float | None:
        """Standard deviation over seeds, with n - 1; None of a single run."""
        values = getattr(self, metric)
        return float(np.std(values, ddof=1)) if len(values) > 1 else None


@dataclass(frozen=True)
class Tested:
    """A claim, tested on the main split.

    Attributes:
        claim: that `better` is better than `worse`.
        difference: of their J&F, `better` minus `worse`, in [-1, 1].
        low: of its 95 % confidence interval, likewise `high`.
        p_value: two-sided, that they are the same.
        seeds: in how many seeds `better` is ahead, of how many; None if neither is trained.
    """

    claim: Claim
    difference: float
    low: float
    high: float
    p_value: float
    seeds: tuple[int, int] | None = None

    @property
    def verdict(self) -> str:
        """Whether the paper's ordering reproduces: "yes", "no" or "within noise"."""
        if self.p_value >= LEVEL:
            return "within noise"
        return "yes" if self.difference > 0 else "no"


@dataclass(frozen=True)
class Cost:
    """What the trainings of a network were.

    Attributes:
        parameters: trainable ones.
        seconds: of each seed, where it was made.
        epochs: that were kept, of each seed.
        training: configuration of the first seed.
    """

    parameters: int
    seconds: tuple[float, ...]
    epochs: tuple[int, ...]
    training: Mapping[str, Json]


@dataclass(frozen=True)
class Report:
    """Everything that the tables and the page say.

    Attributes:
        settings: what decided the numbers.
        tables: numbers of the tables that were asked for.
        counts: split -> (videos, expressions).
        measured: split -> experiment -> scores.
        tested: all claims of the tables that could be tested.
        costs: network -> what its trainings were.
        missing: experiment -> why it is not there.
    """

    settings: Mapping[str, Json]
    tables: tuple[str, ...]
    counts: Mapping[str, tuple[int, int]]
    measured: Mapping[str, Mapping[str, Measured]]
    tested: tuple[Tested, ...]
    costs: Mapping[str, Cost]
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def main_split(self) -> str:
        """The split on which orderings are tested."""
        return str(self.settings["splits"][0])

    def of(self, experiment: str, split: str = "") -> Measured | None:
        """Scores of an experiment, on the main split by default; None if it is not there."""
        return self.measured.get(split or self.main_split, {}).get(experiment)

    def test(self, better: str, worse: str) -> Tested | None:
        """A claim's test; None if it could not be tested."""
        same = (t for t in self.tested if (t.claim.better, t.claim.worse) == (better, worse))
        return next(same, None)

    def to_json(self) -> dict[str, Json]:
        """The content of a report's file."""
        return {"format": FORMAT, **asdict(self)}

    def write(self, path: Path) -> Path:
        """Writes it, byte for byte the same for the same report; returns the path."""
        write_json(path, self.to_json(), indent=1)
        return path


def make_report(
    tables: Sequence[PaperTable],
    settings: Settings,
    results: Mapping[Evaluation, Result],
    selectors: Selectors,
    missing: Mapping[str, str],
) -> Report:
    """Scores and tests from results.

    Args:
        tables: that were asked for.
        settings: of all runs.
        results: of every experiment, split and seed.
        selectors: that were trained.
        missing: experiment -> why it could not be made.
    """
    grouped: dict[str, dict[str, list[Result]]] = {split: {} for split in settings.splits}
    for evaluation, result in results.items():
        grouped[evaluation.split].setdefault(evaluation.experiment, []).append(result)
    measured = {
        split: {name: _measured(runs) for name, runs in group.items()}
        for split, group in grouped.items()
    }
    main = grouped[settings.main_split]
    claims = {(c.better, c.worse): c for table in tables for c in table.claims}
    there = [c for c in claims.values() if c.better in main and c.worse in main]
    tested = tuple(_tested(c, main[c.better], main[c.worse]) for c in there)
    counts = {split: _counts(group) for split, group in grouped.items()}
    names, costs = tuple(table.name for table in tables), _costs(selectors)
    return Report(settings.facts(), names, counts, measured, tested, costs, dict(missing))


def _measured(runs: Sequence[Result]) -> Measured:
    mean = mean_scores(runs)
    expressions = [s.expression for s in runs[0].expressions]
    parts = breakdown(zip(expressions, mean, strict=True))
    kinds = [p for p in parts if p.by == "category"]
    summaries = [run.summary for run in runs if run.summary is not None]
    return Measured(
        jf=tuple(s.jf for s in summaries),
        j=tuple(s.j for s in summaries),
        f=tuple(s.f for s in summaries),
        categories={p.value: p.jf for p in kinds},
        counts={p.value: p.count for p in kinds},
        videos=scores_by_video(mean).means(),
        signatures=tuple(run.signature for run in runs),
    )


def mean_scores(runs: Sequence[Result]) -> list[ExpressionScore]:
    """Scores of every expression, averaged over the runs of an experiment.

    Raises:
        ResultError: the runs are not of the same expressions.
    """
    rows = [[s.score for s in run.expressions] for run in runs]
    asked = [[(s.video, s.expression) for s in row] for row in rows]
    if any(some != asked[0] for some in asked):
        raise ResultError(
            "two runs of one experiment were asked other expressions: delete their folder"
        )
    return [
        replace(
            same[0], j=float(np.mean([s.j for s in same])), f=float(np.mean([s.f for s in same]))
        )
        for same in zip(*rows, strict=True)
    ]


def _tested(claim: Claim, better: Sequence[Result], worse: Sequence[Result]) -> Tested:
    found = paired_difference(mean_scores(better), mean_scores(worse))
    ahead = _ahead(better, worse)
    return Tested(claim, found.mean, found.low, found.high, found.p_value, ahead)


def _ahead(better: Sequence[Result], worse: Sequence[Result]) -> tuple[int, int] | None:
    """Seeds are paired; an experiment without training meets every seed of the other."""
    count = max(len(better), len(worse))
    if count == 1:
        return None
    pairs = [(better[i % len(better)], worse[i % len(worse)]) for i in range(count)]
    return sum(_jf(one) > _jf(other) for one, other in pairs), count


def _jf(run: Result) -> float:
    return run.summary.jf if run.summary is not None else 0.0


def _counts(group: Mapping[str, Sequence[Result]]) -> tuple[int, int]:
    rows = next(iter(group.values()))[0].expressions if group else ()
    return len({s.score.video for s in rows}), len(rows)


def _costs(selectors: Selectors) -> dict[str, Cost]:
    costs = {}
    for name, group in groupby(sorted(selectors), key=itemgetter(0)):
        same = [selectors[key] for key in group]
        seconds, epochs = zip(*((t.seconds, int(t.best["epoch"])) for t in same), strict=True)
        costs[name] = Cost(same[0].parameters, seconds, epochs, same[0].training)
    return costs
