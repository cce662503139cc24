"""What a rule says."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard.numbers.entry import Entry

TOLERANCE = 0.1
"""Two printed numbers this close, in percent, may be the same number rounded twice."""


@dataclass(frozen=True)
class Finding:
    """Something that contradicts something.

    Attributes:
        message: what, where, got and wanted.
        entries: the row or rows it is about; the first is the suspicious one.
        settled: known by other means than a flag, with the reason.
    """

    rule: str
    message: str
    entries: tuple[Entry, ...]
    settled: str = ""

    @property
    def known(self) -> str:
        """Why a reviewer let it stand; empty if nobody has seen it yet."""
        flags = self.entries[0].citation.flags if self.entries[0].citation else ()
        return self.settled or "; ".join(f.note for f in flags if f.rule == self.rule)


def far(a: float, b: float) -> bool:
    """Whether two percentages differ by more than the tolerance; binary rounding left aside."""
    return abs(a - b) > TOLERANCE + 1e-9
