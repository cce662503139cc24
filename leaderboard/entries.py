"""One entry of a leaderboard: who, measured where, how much, and who says so.

Scores here are in **percent**: a published number is a printed, already rounded one, and its
digits matter. A run's scores come in as 100 x its unrounded values and are rounded when rendered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rvosbench.records import Json
from rvosbench.runs.result import Result
from rvosbench.tables.published import About, Citation, Scores, Setting


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
    def where(self) -> str:
        """Who says so, for messages: `emc, Table 1: LMPM on mevis/valid`."""
        version = f" ({self.about.version})" if self.about.version else ""
        place = f"{self.about.method}{version} on {self.setting.dataset}/{self.setting.split}"
        if self.citation is not None:
            return f"{self.citation.source.id}, {self.citation.locator}: {place}"
        return f"{self.run.path if self.run else '?'}: {place}"
