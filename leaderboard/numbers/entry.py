"""One entry of a leaderboard: who, measured where, how much, and who says so.

Scores here are in **percent**: a published number is a printed, already rounded one, and its
digits matter. A run's scores come in as 100 x its unrounded values and are rounded when rendered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rvosbench.recipe import digest
from rvosbench.records import Json
from rvosbench.runs.result import Result
from rvosbench.tables.published import FOLDER, About, Citation, Scores, Setting, read_published


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
    """One entry. Exactly one of `citation` and `run` is there.

    Attributes:
        configuration: what differs from the method's default settings (ablations).
    """

    about: About
    setting: Setting
    scores: Scores
    configuration: Mapping[str, Json] = field(default_factory=dict)
    citation: Citation | None = None
    run: Run | None = None

    @property
    def name(self) -> str:
        """The method, and in what a run's settings differ: no ablation looks like the method."""
        changed = {k: v for k, v in self.configuration.items() if k != "selection_module"}
        if self.run is None or not changed:
            return self.about.method
        said = ", ".join(f"{key}={json.dumps(changed[key])}" for key in sorted(changed))
        return f"{self.about.method} ({said})"

    @property
    def signature(self) -> str:
        """Of a run; empty for a published number."""
        return self.run.signature if self.run is not None else ""

    @property
    def source(self) -> str:
        """A run's signature, or source and place of a published number."""
        cited = f"{self.citation.source.id}, {self.citation.locator}" if self.citation else ""
        return self.signature or cited

    def remarks(self, *rules: str) -> str:
        """What a reviewer says about the row, of these rules or of all; empty if nothing."""
        flags = self.citation.flags if self.citation is not None else ()
        return "; ".join(flag.note for flag in flags if not rules or flag.rule in rules)

    @property
    def upper_bound(self) -> bool:
        """A run that saw the ground truth, which is never ranked."""
        return self.run is not None and self.run.result.upper_bound

    @property
    def contender(self) -> Hashable:
        """The same wherever one thing is measured: one configuration, or one source's method."""
        about = self.about
        if self.run is None:
            source = self.citation.source.id if self.citation else ""
            return (source, about.method, about.training_data)
        facts = self.run.result.facts
        chosen = (facts.get(key) for key in ("method", "preset", "config", "missing"))
        return digest([about.method, about.training_data, *chosen])

    @property
    def where(self) -> str:
        """Who says so, for messages: `emc, Table 1: LMPM on mevis/valid`."""
        version = f" ({self.about.version})" if self.about.version else ""
        measured = f"{self.about.method}{version} on {self.setting.dataset}/{self.setting.split}"
        return f"{self.run.path if self.run is not None else self.source}: {measured}"


def published_entries(folder: Path = FOLDER) -> list[Entry]:
    """All published rows as entries; raises ResultError, see `read_published`."""
    return [Entry(**vars(row)) for row in read_published(folder)]


def slug(name: str) -> str:
    """A file name for a method: readable, and different for different names.

    >>> slug("SOLA"), slug("../../x")[:4]
    ('sola', 'x-d0')
    """
    plain = "-".join(re.findall(r"[a-z0-9]+", name.casefold()))
    faithful = plain == re.sub(r"[\s-]+", "-", name.casefold())
    return plain if faithful and plain else f"{plain or 'method'}-{digest(name.casefold())[:6]}"
