"""`leaderboard check`: generic rules that find what is wrong with published numbers and runs.

Contradictions in the literature are kept, not hidden. So a finding that a reviewer has settled (a
flag on the row, or one preferred value with its reason) is *known*; only new ones fail the check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leaderboard.checks.one_row import ONE_ROW
from leaderboard.checks.several_rows import SEVERAL_ROWS, Finding
from leaderboard.numbers.entry import Entry

__all__ = ["RULES", "Finding", "check"]

RULES = (*ONE_ROW, *SEVERAL_ROWS)
"""Names of the rules, in the order of findings. A rule is a pure function of one or all entries."""


def check(entries: Sequence[Entry]) -> list[Finding]:
    """What all rules find, in the order of the rules; then flags that no rule needs any more."""
    found = [
        Finding(name, f"{entry.where}: {message}", (entry,))
        for name, rule in ONE_ROW.items()
        for entry in entries
        for message in rule(entry)
    ]
    found += [finding for rule in SEVERAL_ROWS.values() for finding in rule(entries)]
    return found + list(_stale(entries, found))


def _stale(entries: Sequence[Entry], found: Sequence[Finding]) -> Iterator[Finding]:
    hit = {(finding.rule, id(e)) for finding in found for e in finding.entries}
    for entry in entries:
        for flag in entry.citation.flags if entry.citation else ():
            if flag.rule in RULES and (flag.rule, id(entry)) not in hit:
                message = f"{entry.where}: its flag {flag.rule!r} ({flag.note}) has no finding"
                yield Finding("stale", f"{message}: remove it", (entry,))
