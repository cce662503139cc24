"""A table: columns, rows, cells and footnotes, before any format is chosen."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .entries import Entry
from .labels import NOTHING

TITLES: Mapping[str, str] = {"jf": "J&F", "j": "J", "f": "F"}
"""Headings of the scores."""


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval in percent."""

    low: float
    high: float


@dataclass(frozen=True)
class Cell:
    """What stands in one place.

    Attributes:
        text: without any markup.
        value: the number behind it, in percent or a count; None for text.
        place: 1 for the best of what it is comparable with, 2 for the second, 0 otherwise.
        interval: of a run whose scores by video are known.
        tied: a run that cannot be told from the best run.
        group: cells with equal groups are comparable; None is never ranked.
        best: which end is best.
    """

    text: str
    value: float | None = None
    place: int = 0
    interval: Interval | None = None
    tied: bool = False
    group: Hashable = None
    best: str = "high"


@dataclass(frozen=True)
class Column:
    """A heading, under the heading of its block if it has one."""

    heading: str
    block: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Row:
    """Cells in the order of the columns.

    Attributes:
        group: rows of one group stand together; a rule is drawn between groups.
        mark: letter of the run's footnote, empty for a published row.
        entries: what the numbers come from.
    """

    cells: tuple[Cell, ...]
    group: str = ""
    mark: str = ""
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Table:
    """A finished table.

    Attributes:
        name: its number, or the name of a board.
        left_out: runs that do not belong in it, each with the reason.
    """

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    footnotes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def blocks(self) -> list[tuple[str, int]]:
        """Block headings with the number of columns each spans, from left to right."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.block:
                spans[-1] = (column.block, spans[-1][1] + 1)
            else:
                spans.append((column.block, 1))
        return spans


def score_text(entry: Entry | None, figure: str) -> tuple[str, float | None]:
    """A score as it is printed, and its value in percent.

    A published number keeps its digits (at least one), a run's has one.
    """
    value = getattr(entry.scores, figure) if entry is not None else None
    if entry is None or value is None:
        return NOTHING, None
    if entry.run is not None:
        return f"{value:.1f}", value
    return as_printed(value), value


def as_printed(percent: float) -> str:
    """All digits of a published number, and at least one after the point: `31.0`, `47.23`."""
    return f"{percent:.1f}" if round(percent, 1) == percent else repr(float(percent))


def ranked(rows: Sequence[Row], second: bool) -> tuple[Row, ...]:
    """Rows with the best (and second-best) cell of every comparable group marked.

    Values are compared as printed, so that numbers that look equal share a place. A group of one
    has no best.
    """
    values: dict[Hashable, set[float]] = defaultdict(set)
    sizes: dict[Hashable, int] = defaultdict(int)
    for cell in (c for row in rows for c in row.cells if c.group is not None):
        values[cell.group].add(_printed(cell))
        sizes[cell.group] += 1
    order = {group: sorted(found) for group, found in values.items() if sizes[group] > 1}

    def place(cell: Cell) -> int:
        if cell.group not in order:
            return 0
        sequence = order[cell.group] if cell.best == "low" else order[cell.group][::-1]
        rank = sequence.index(_printed(cell)) + 1
        return rank if rank <= (2 if second else 1) else 0

    return tuple(
        dataclasses.replace(
            row, cells=tuple(dataclasses.replace(c, place=place(c)) for c in row.cells)
        )
        for row in rows
    )


def letters(count: int) -> Iterable[str]:
    """Footnote marks: a, b, ..., z, aa, ab, ..."""
    for number in range(count):
        mark, rest = "", number
        while rest >= 0:
            mark, rest = chr(ord("a") + rest % 26) + mark, rest // 26 - 1
        yield mark


def _printed(cell: Cell) -> float:
    return float(cell.text.removesuffix(" M"))
