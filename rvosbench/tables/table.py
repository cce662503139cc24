"""A table: columns, rows, cells and footnotes, before any format is chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType
from typing import TypeAlias

NOTHING, YES, NO = "-", "✓", "✗"
"""Texts of cells: nothing is known, and the two states of a switch."""

METRICS: Mapping[str, str] = MappingProxyType({"jf": "J&F", "j": "J", "f": "F"})
"""Names of the scores with their headings, in the order of tables."""


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval in percent."""

    low: float
    high: float


Signs: TypeAlias = tuple[str, str, str, str, str]
"""A format's signs around "{}": none, best, second best, reference, tied."""


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
        best: which end is best, "high" or "low".
        reference: of something that is never ranked, such as an upper bound: in italics.
    """

    text: str
    value: float | None = None
    place: int = 0
    interval: Interval | None = None
    tied: bool = False
    group: Hashable = None
    best: str = "high"
    reference: bool = False

    @property
    def interval_text(self) -> str:
        """`[46.7, 50.4]`, or nothing."""
        return f"[{self.interval.low:.1f}, {self.interval.high:.1f}]" if self.interval else ""

    def dressed(self, text: str, signs: Signs) -> str:
        """A text of the cell with the signs of its place, of a reference and of a tie."""
        text = signs[self.place].format(text)
        text = signs[3].format(text) if self.reference else text
        return signs[4].format(text) if self.tied else text


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
        mark: letter of the row's footnote, if it is a run with one.
        sources: where its numbers come from, for machines.
    """

    cells: tuple[Cell, ...]
    group: str = ""
    mark: str = ""
    sources: tuple[str, ...] = ()

    def suffix(self, index: int) -> str:
        """`(run a)` on the first cell of a run: which footnote it has."""
        return f"(run {self.mark})" if self.mark and index == 0 else ""

    @property
    def labelled(self) -> list[tuple[Cell, str]]:
        """Its cells, each with its text, the first one's with the suffix."""
        return [(c, f"{c.text} {self.suffix(i)}".rstrip()) for i, c in enumerate(self.cells)]


@dataclass(frozen=True)
class Table:
    """A finished table.

    Attributes:
        name: its number, or a name.
        title: empty for a table that stands alone, without a heading.
        note: what a reader has to know.
        footnotes: a paragraph each.
        left_out: what does not belong in it, each with the reason; not printed for people.
        numbered: the name is a number that stands before the title.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    footnotes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    numbered: bool = False

    @property
    def heading(self) -> str:
        """`Table 5b. Effects of ...`, or the title alone."""
        return f"Table {self.name}. {self.title}" if self.numbered else self.title

    @property
    def ruled(self) -> list[tuple[bool, Row]]:
        """Rows, each with whether a rule is drawn above it."""
        above = [*self.rows[:1], *self.rows]
        return [(row.group != a.group, row) for a, row in zip(above, self.rows, strict=False)]

    @property
    def blocks(self) -> list[tuple[str, int]]:
        """Block headings with the number of columns each spans, from left to right."""
        return [(b, len(list(found))) for b, found in groupby(c.block for c in self.columns)]

    @property
    def headings(self) -> list[str]:
        """One a column, with its block's in front where there is more than one block."""
        many = len({c.block for c in self.columns if c.block}) > 1
        return [f"{c.block} {c.heading}" if many and c.block else c.heading for c in self.columns]


def text_columns(labels: Iterable[str], numbers: Iterable[str] = ()) -> tuple[Column, ...]:
    """Columns of text, then of numbers."""
    return (*map(Column, labels), *(Column(heading, numeric=True) for heading in numbers))


def text_row(texts: Iterable[str], group: str = "") -> Row:
    """A row of plain text: nothing in it is ranked."""
    return Row(tuple(map(Cell, texts)), group)


def percent(value: float | None, signed: bool = False) -> str:
    """A score in [0, 1] as papers print it: times 100, one digit; a dash for none.

    >>> percent(0.486), percent(0.02, signed=True), percent(None)
    ('48.6', '+2.0', '-')
    """
    return NOTHING if value is None else f"{100 * value:{'+' if signed else ''}.1f}"


def one_line(text: str) -> str:
    """Text without line breaks, tabs and other control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def as_printed(percents: float) -> str:
    """All digits of a published number, and at least one after the point: `31.0`, `47.23`."""
    return f"{percents:.1f}" if round(percents, 1) == percents else repr(float(percents))


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
        replace(row, cells=tuple(replace(c, place=place(c)) for c in row.cells)) for row in rows
    )


def letters(count: int) -> Iterator[str]:
    """Footnote marks: a, b, ..., z, aa, ab, ..."""
    for number in range(count):
        mark, rest = "", number
        while rest >= 0:
            mark, rest = chr(ord("a") + rest % 26) + mark, rest // 26 - 1
        yield mark


def _printed(cell: Cell) -> float:
    return float(cell.text.removesuffix(" M"))
