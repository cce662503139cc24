"""Rules that compare rows, and what a rule finds."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from types import MappingProxyType
from typing import TypeAlias

from leaderboard.checks.one_row import far
from leaderboard.numbers.entry import Entry
from rvosbench.tables.published import Citation
from rvosbench.tables.table import METRICS, as_printed


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
        return self.settled or self.entries[0].remarks(self.rule)


def published(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Citation]]:
    """Published rows with their citations."""
    return ((e, e.citation) for e in entries if e.citation is not None)


def subject(entry: Entry) -> tuple[Hashable, ...]:
    """What a number is about: equal for numbers that should be the same, whoever prints them."""
    a, s = entry.about, entry.setting
    configuration = json.dumps(dict(entry.configuration), sort_keys=True)
    training = a.training_data.casefold()
    return (a.method.casefold(), training, s.dataset, s.split, s.corruption, configuration)


def sort_key(entry: Entry, citation: Citation) -> tuple[object, ...]:
    """The order of the rows in a file: by place in the source, then by name."""
    parts = filter(None, re.split(r"(\d+)", citation.locator))
    place = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]
    a, s = entry.about, entry.setting
    return (place, citation.row or 0, a.method.casefold(), a.version, s.dataset, s.split)


def order(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Rows of a file are sorted, so that a new one makes a small difference."""
    rows = list(published(entries))
    for (e, c), (f, d) in pairwise(rows):
        if c.source.id == d.source.id and sort_key(e, c) > sort_key(f, d):
            message = f"{f.where}: stands after {e.about.method} on {e.setting.dataset}: unsorted"
            yield Finding("order", message, (f,))


def duplicate(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A source says a thing once."""
    seen: dict[Hashable, Entry] = {}
    for e in entries:
        key: Hashable = e.signature
        if e.citation is not None:
            a, c = e.about, e.citation
            key = (c.source.id, c.locator, subject(e), a.version, a.backbone)
        if key in seen:
            message = f"{e.where}: is there twice ({_scores(seen[key])} and {_scores(e)})"
            yield Finding("duplicate", message, (e, seen[key]))
        seen.setdefault(key, e)


def differs(entries: Sequence[Entry]) -> Iterator[Finding]:
    """All sources say the same of a thing. Settled by one preferred value with a reason."""
    groups: dict[Hashable, list[Entry]] = defaultdict(list)
    for e, _ in published(entries):
        groups[subject(e)].append(e)
    for group in groups.values():
        metrics = [k for k in METRICS if _disagree(group, k)]
        if not metrics:
            continue
        preferred = [c for _, c in published(group) if c.preferred]
        reasons = [f"{c.source.id} preferred: {c.reason}" for c in preferred]
        settled = reasons[0] if len(reasons) == 1 else ""
        said = "; ".join(_saying(e, c, metrics) for e, c in published(group))
        a, s = group[0].about, group[0].setting
        message = f"{a.method} on {s.dataset}/{s.split}: sources differ: {said}"
        yield Finding("differs", message, tuple(group), settled)


def copied(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Two methods do not have the same three scores."""
    rows: dict[Hashable, list[Entry]] = defaultdict(list)
    for e, _ in published(entries):
        s = e.scores
        if s.j is not None and s.f is not None:
            where = (e.setting.dataset, e.setting.split, e.setting.corruption)
            rows[(*where, s.jf, s.j, s.f)].append(e)
    for group in rows.values():
        for a, b in combinations(group, 2):
            if a.about.method.casefold() != b.about.method.casefold():
                first, second = (a, b) if a.remarks("copied") else (b, a)
                message = f"{first.where}: {_scores(first)} is the row of {second.where}"
                yield Finding("copied", message, (first, second))


def swapped(entries: Sequence[Entry]) -> Iterator[Finding]:
    """No source exchanges the values of two methods that another source gives."""
    tables: dict[Hashable, dict[str, dict[str, Entry]]] = defaultdict(lambda: defaultdict(dict))
    for e, c in published(entries):
        key = (e.setting, e.about.training_data.casefold(), json.dumps(dict(e.configuration)))
        tables[key][c.source.id].setdefault(e.about.method.casefold(), e)
    for sources in tables.values():
        for mine, theirs in combinations(sorted(sources), 2):
            yield from _swaps(sources[mine], sources[theirs])


def citation(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A source cites a method by one reference."""
    cited: dict[Hashable, dict[str, Entry]] = defaultdict(dict)
    for e, c in published(entries):
        if c.cited_as:
            cited[c.source.id, e.about.method.casefold()].setdefault(c.cited_as, e)
    for by_number in cited.values():
        if len(by_number) > 1:
            found = tuple(by_number.values())
            places = [f"[{c.cited_as}] in {c.locator}" for _, c in published(found)]
            message = f"{found[0].where}: cited as {', '.join(places)}"
            yield Finding("citation", message, found)


def _disagree(group: Sequence[Entry], metric: str) -> bool:
    known = [v for e in group if (v := getattr(e.scores, metric)) is not None]
    return bool(known) and far(max(known), min(known))


def _saying(entry: Entry, cited: Citation, metrics: Sequence[str]) -> str:
    values = ((METRICS[k], getattr(entry.scores, k)) for k in metrics)
    numbers = " ".join(f"{title} {as_printed(v)}" for title, v in values if v is not None)
    remarks = [x for x in (entry.about.version, entry.about.backbone) if x]
    return f"{cited.source.id} {numbers or '(no such score)'} ({', '.join(remarks)})"


def _swaps(mine: dict[str, Entry], theirs: dict[str, Entry]) -> Iterator[Finding]:
    for x, y in combinations(sorted(set(mine) & set(theirs)), 2):
        a, b, c, d = (t[m].scores.jf for t in (mine, theirs) for m in (x, y))
        if a is not None and b is not None and (a, b) == (d, c) and a != b:
            first, other = mine[x], theirs[x]
            if theirs[x].remarks("swapped"):
                first, other = other, first
            message = (
                f"{first.where}: J&F of {mine[x].about.method} and {mine[y].about.method} "
                f"({as_printed(a)}, {as_printed(b)}) stand exchanged in {other.where}"
            )
            yield Finding("swapped", message, (first, other))


def _scores(entry: Entry) -> str:
    s = entry.scores
    return "/".join("-" if v is None else as_printed(v) for v in (s.jf, s.j, s.f))


Rule: TypeAlias = Callable[[Sequence[Entry]], Iterator[Finding]]

SEVERAL_ROWS: Mapping[str, Rule] = MappingProxyType(
    {r.__name__: r for r in (order, duplicate, differs, copied, swapped, citation)}
)
"""Rule name -> rule."""
