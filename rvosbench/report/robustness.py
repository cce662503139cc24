"""How much of a method's score survives corruption: the runs, and the numbers of the report.

Relative robustness (rPC) is the mean corrupted score divided by the clean one, after Michaelis et
al., 2019. Corruptions that move pixels are kept out of the default mean, because their frames no
longer lie exactly under the masks; so are the four that ImageNet-C keeps for validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from rvosbench.contracts import Dataset, Summary
from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.table import CORRUPTIONS, TABLE
from rvosbench.datasets.corrupted import corrupted
from rvosbench.errors import NoGroundTruthError
from rvosbench.records import Json
from rvosbench.runs.evaluate import RunOptions, evaluate
from rvosbench.runs.methods import MethodChoice

CLEAN = "clean"

Step: TypeAlias = Callable[[str, int, int], None]

Group: TypeAlias = Literal["benchmark", "moving", "validation"]
GROUPS: Mapping[Group, str] = {
    "benchmark": "Corruptions of the benchmark",
    "moving": "Corruptions that move pixels against the masks",
    "validation": "Corruptions for validation",
}
"""Group -> heading, in the order of the report."""


@dataclass(frozen=True)
class Row:
    """The score under one corruption at one severity."""

    name: str
    severity: int
    score: Summary


@dataclass(frozen=True)
class Means:
    """Means over the corruptions of a group; a corruption counts once, however many severities.

    Attributes:
        corruptions: how many there are.
        score: mean score.
        relative: rPC, the mean J&F divided by the clean J&F; None if the clean one is 0.
        drop: clean J&F minus mean J&F.
    """

    corruptions: int
    score: Summary
    relative: float | None
    drop: float


@dataclass(frozen=True)
class Robustness:
    """A method's scores, clean and corrupted.

    Attributes:
        title: what was evaluated, for headings.
        clean: score on the clean frames.
        rows: in the published order of corruptions.
        setting: mode, temporal policy and seed, as in signatures.
    """

    title: str
    clean: Summary
    rows: tuple[Row, ...]
    setting: str

    def names(self, group: Group | None = None) -> tuple[str, ...]:
        """Corruptions that were evaluated, in the published order."""
        found = {row.name for row in self.rows}
        return tuple(n for n in CORRUPTIONS if n in found and group in (None, group_of(n)))

    def scores(self, name: str) -> dict[int, Summary]:
        """Severity -> score of one corruption."""
        return {row.severity: row.score for row in self.rows if row.name == name}

    def group(self, group: Group) -> Means | None:
        """Means over a group; None if none of it was evaluated."""
        names = self.names(group)
        return self._summary(names) if names else None

    def corruption(self, name: str) -> Means:
        """Means over the severities of one corruption."""
        return self._summary((name,))

    def _summary(self, names: Sequence[str]) -> Means:
        means = [mean_score(list(self.scores(name).values())) for name in names]
        mean = mean_score(means)
        relative = mean.jf / self.clean.jf if self.clean.jf else None
        return Means(len(names), mean, relative, self.clean.jf - mean.jf)


def group_of(name: str) -> Group:
    """The group of a corruption; one that moves pixels is in that group only."""
    row = TABLE[name]
    if row.moves_pixels:
        return "moving"
    return "validation" if row.extra else "benchmark"


def mean_score(scores: Sequence[Summary]) -> Summary:
    """Mean of J, F and J&F; at least one score."""
    return Summary(*(sum(getattr(s, k) for s in scores) / len(scores) for k in ("j", "f", "jf")))


def to_json(robustness: Robustness) -> dict[str, Json]:
    """The report for machines; scores unrounded in [0, 1]."""
    return {
        "title": robustness.title,
        "setting": robustness.setting,
        "clean": _scores(robustness.clean),
        "groups": {g: _json(robustness.group(g)) for g in GROUPS},
        "corruptions": [
            {
                "name": name,
                "group": group_of(name),
                **_json(robustness.corruption(name)),
                "severities": {str(k): _scores(s) for k, s in robustness.scores(name).items()},
            }
            for name in robustness.names()
        ],
    }


def _json(means: Means | None) -> Json:
    if means is None:
        return None
    values = {"corruptions": means.corruptions, **_scores(means.score)}
    return {**values, "relative": means.relative, "drop": means.drop}


def _scores(summary: Summary) -> dict[str, float]:
    return {name: getattr(summary, name) for name in ("j", "f", "jf")}


@dataclass(frozen=True)
class Trial:
    """What a method's robustness is measured on.

    Attributes:
        dataset: the clean split.
        plans: at least one; all of one mode, temporal policy and seed.
        protocol: as in `evaluate`.
        videos: as in `evaluate`.
    """

    dataset: Dataset
    plans: Sequence[Plan]
    protocol: str | None = None
    videos: Sequence[str] | None = None


def measure(
    method: MethodChoice,
    trial: Trial,
    out: Path,
    run: RunOptions,
    on_step: Step = lambda label, number, count: None,
) -> Robustness:
    """Evaluate a method on a dataset, clean and under each plan.

    The method is built anew for every run, so that nothing it remembers of a video's clean frames
    can reach the corrupted ones.

    Args:
        method: by choice.
        trial: dataset and corruptions.
        out: each run has a folder of its own in it: `clean`, `fog-3`, ...
        run: resume, workers and progress; its `out` is not looked at.
        on_step: called before each run with its label, its number from 1 and how many there are.

    Raises:
        NoGroundTruthError: the split has no ground truth to score with.
    """
    dataset, count = trial.dataset, len(trial.plans) + 1

    def score(opened: Dataset, label: str, number: int) -> Summary:
        on_step(label, number, count)
        options = replace(run, out=out / label.replace(":", "-"))
        result = evaluate(method, opened, trial.protocol, trial.videos, options)
        if result.summary is None:
            raise NoGroundTruthError(
                f"{dataset.name}/{dataset.split} has no public ground truth, so there is no "
                "robustness table; take one corruption at a time to write predictions, such as "
                "--corruption fog:3"
            )
        return result.summary

    clean = score(dataset, CLEAN, 1)
    rows = [
        Row(p.name, p.severity, score(corrupted(dataset, p), f"{p.name}:{p.severity}", number))
        for number, p in enumerate(trial.plans, start=2)
    ]
    title = f"{method.spec.card.title} on {dataset.name}/{dataset.split} under corruption"
    setting = trial.plans[0].signature.partition("@")[2].partition(",frost")[0]
    return Robustness(title, clean, tuple(rows), setting)
