"""How much of a method's score survives corruption: the numbers behind the table and the plot.

Relative robustness (rPC) is the mean corrupted score divided by the clean one, after Michaelis et
al., 2019. Corruptions that move pixels are kept out of the default mean, because their frames no
longer lie exactly under the masks; so are the four that ImageNet-C keeps for validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rvosbench.contracts import Summary
from rvosbench.corruptions.table import CORRUPTIONS, TABLE
from rvosbench.errors import ResultError
from rvosbench.records import Json

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


def score_of(summary: Summary | None, where: str) -> Summary:
    """The scores of a result; raises ResultError for a split without ground truth."""
    if summary is None:
        raise ResultError(f"{where}: no score, as the split has no public ground truth")
    return summary


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


def _json(group: Means | None) -> Json:
    if group is None:
        return None
    values = {"corruptions": group.corruptions, **_scores(group.score)}
    return {**values, "relative": group.relative, "drop": group.drop}


def _scores(summary: Summary) -> dict[str, float]:
    return {"j": summary.j, "f": summary.f, "jf": summary.jf}
