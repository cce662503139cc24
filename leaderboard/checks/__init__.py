"""`leaderboard check`: generic rules that find what is wrong with published numbers and runs.

Contradictions in the literature are kept, not hidden. So a finding that a reviewer has settled (a
flag on the row, or one preferred value with its reason) is *known*; only new ones fail the check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from leaderboard.checks import one_row, several_rows
from leaderboard.checks.finding import Finding
from leaderboard.numbers.entry import Entry

__all__ = ["RULES", "Finding", "check"]

Rule = Callable[[Sequence[Entry]], Iterator[Finding]]

RULES: dict[str, Rule] = {
    "mean": one_row.mean,
    "range": one_row.value_range,
    "gap": one_row.gap,
    "source": one_row.source,
    "protocol": one_row.protocol,
    "reason": one_row.reason,
    "order": several_rows.order,
    "duplicate": several_rows.duplicate,
    "differs": several_rows.differs,
    "copied": several_rows.copied,
    "swapped": several_rows.swapped,
    "citation": several_rows.citation,
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
