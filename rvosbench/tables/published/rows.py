"""Types of published numbers: who, measured where, how much, and who says so.

Scores are in **percent**: a published number is a printed, already rounded one, and its digits
matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rvosbench.records import Json

UNKNOWN = "unknown"
"""The protocol of a number whose source does not say how it was measured."""


@dataclass(frozen=True)
class About:
    """Who: what the tables print of a method. Unknown text is empty, an unknown count None.

    Attributes:
        method: its name, model size included; the same in all sources.
        version: which of several rows of it, such as "arXiv v1" or "re-run".
        training_data: names of datasets, or a remark; "none" if training-free. See
            `rvosbench.tables.training`.
    """

    method: str
    version: str = ""
    venue: str = ""
    backbone: str = ""
    trainable_parameters: int | None = None
    training_data: str = ""
    url: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class Setting:
    """Where it was measured. Two numbers are comparable only if their settings are equal.

    Attributes:
        protocol: name of the scoring protocol, or "unknown".
        corruption: None for clean frames, otherwise such as "motion_blur:5".
    """

    dataset: str
    split: str
    protocol: str = UNKNOWN
    corruption: str | None = None


@dataclass(frozen=True)
class Scores:
    """J, F and their mean in percent; None where a source does not give it."""

    jf: float | None
    j: float | None
    f: float | None


@dataclass(frozen=True)
class Source:
    """Where published numbers stand.

    Attributes:
        id: name of its file, and its key in BibTeX.
        kind: paper, survey, repository, issue, or quoted (seen only as quoted elsewhere).
    """

    id: str
    title: str
    kind: str
    url: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class Flag:
    """A remark on a row; if `rule` names a rule of `leaderboard check`, its finding is known."""

    rule: str
    note: str


@dataclass(frozen=True)
class Citation:
    """Where exactly a published number stands, and what a reviewer found about it.

    Attributes:
        locator: table or file, with the commit of a file.
        row: position in that table, None where the order says nothing.
        cited_as: reference number of the method in the source.
        protocol_evidence: why the protocol is known, if it is.
        preferred: of several contradicting values the one that is shown; `reason` says why.
    """

    source: Source
    locator: str
    row: int | None = None
    cited_as: str = ""
    protocol_evidence: str = ""
    preferred: bool = False
    reason: str = ""
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class PublishedRow:
    """One row of a published table.

    Attributes:
        configuration: what differs from the method's default settings (ablations).
    """

    about: About
    setting: Setting
    scores: Scores
    configuration: Mapping[str, Json]
    citation: Citation
