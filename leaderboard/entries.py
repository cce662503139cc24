"""One number-set on a leaderboard: who, measured where, how much, and who says so.

Scores here are in **percent**: a published number is a printed, already rounded one, and its
digits matter. A run's scores come in as 100 x its unrounded values and are rounded when rendered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from rvosbench.records import Json
from rvosbench.runs.result import Result

UNKNOWN = "unknown"
"""The protocol of a number whose source does not say how it was measured."""

FIGURES = ("jf", "j", "f")
"""Names of the scores, in the order of the tables."""

_DATASETS: Mapping[str, str] = MappingProxyType(
    {
        "mevis": "mevis",
        "ref-youtube-vos": "ref-youtube-vos",
        "ref-ytvos": "ref-youtube-vos",
        "refytvos": "ref-youtube-vos",
        "ryt": "ref-youtube-vos",
        "ref-davis": "ref-davis17",
        "ref-davis17": "ref-davis17",
        "motionshapes": "demo",
        "none": "",
    }
)


@dataclass(frozen=True)
class About:
    """Who: what the tables print of a method. Unknown text is empty, an unknown count None.

    Attributes:
        method: its name, model size included; the same in all sources.
        version: which of several number-sets of it, such as "arXiv v1" or "re-run".
        training_data: dataset names separated by commas, or a remark; "none" if training-free.
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
        id: file name in `published/`, and its key in BibTeX.
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
class Run:
    """A result file of ours or of a user."""

    path: Path
    result: Result

    @cached_property
    def signature(self) -> str:
        """The result's signature: hashing all its facts once is enough."""
        return self.result.signature


@dataclass(frozen=True)
class Entry:
    """One number-set. Exactly one of `citation` and `run` is there.

    Attributes:
        configuration: what differs from the method's usual configuration (ablations).
    """

    about: About
    setting: Setting
    scores: Scores
    configuration: Mapping[str, Json] = field(default_factory=dict)
    citation: Citation | None = None
    run: Run | None = None

    @property
    def where(self) -> str:
        """Who says so, for messages: `emc, Table 1: LMPM on mevis/valid`."""
        version = f" ({self.about.version})" if self.about.version else ""
        place = f"{self.about.method}{version} on {self.setting.dataset}/{self.setting.split}"
        if self.citation is not None:
            return f"{self.citation.source.id}, {self.citation.locator}: {place}"
        return f"{self.run.path if self.run else '?'}: {place}"


def training_sets(text: str) -> frozenset[str]:
    """Dataset names in a card's training data; remarks stay as they are, in small letters.

    >>> sorted(training_sets("MeViS + Ref-YouTube-VOS"))
    ['mevis', 'ref-youtube-vos']
    >>> training_sets("none")
    frozenset()
    """
    parts = re.split(r"\s*(?:[,;+&]|\band\b|\bthen\b)\s*", text.casefold())
    return frozenset(name for part in parts if (name := _DATASETS.get(part.strip(), part.strip())))
