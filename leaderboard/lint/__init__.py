"""`leaderboard check`: generic rules that find what is wrong with published numbers and runs.

Contradictions in the literature are kept, not hidden. So a finding that a reviewer has settled (a
flag on the row, or one preferred value with its reason) is *known*; only new ones fail the check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..entries import Entry
from . import across, single
from .finding import Finding

__all__ = ["RULES", "Finding", "check"]

Rule = Callable[[Sequence[Entry]], Iterator[Finding]]

RULES: dict[str, Rule] = {
    "mean": single.mean,
    "range": single.value_range,
    "gap": single.gap,
    "source": single.source,
    "protocol": single.protocol,
    "reason": single.reason,
    "order": across.order,
    "duplicate": across.duplicate,
    "differs": across.differs,
    "copied": across.copied,
    "swapped": across.swapped,
    "citation": across.citation,
}
"""Rule name -> rule. A rule is a pure function of all entries."""


def check(entries: Sequence[Entry]) -> list[Finding]:
    """What all rules find, in the order of the rules; then flags that no rule needs any more."""
    found = [finding for rule in RULES.values() for finding in rule(entries)]
    return found + list(_stale(entries, found))


def _stale(entries: Sequence[Entry], found: Sequence[Finding]) -> Iterator[Finding]:
    hit = {(finding.rule, id(e)) for finding in found for e in finding.entries}
    for entry in entries:
        for flag in entry.citation.flags if entry.citation else ():
            if flag.rule in RULES and (flag.rule, id(entry)) not in hit:
                message = f"{entry.where}: its flag {flag.rule!r} ({flag.note}) has no finding"
                yield Finding("stale", f"{message}: remove it", (entry,))
