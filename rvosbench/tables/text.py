"""Texts that all formats share."""

from __future__ import annotations

from ..specs import PAPER_TABLES
from ..tables import Cell, Row, Table


def title(table: Table) -> str:
    """`Table 5b. Effects of ...`; a board's title stands alone."""
    return f"Table {table.name}. {table.title}" if table.name in PAPER_TABLES else table.title


def run_suffix(row: Row, index: int) -> str:
    """`(run a)` on the first cell of a run's row: which footnote it has."""
    return f"(run {row.mark})" if row.mark and index == 0 else ""


def label_text(row: Row, index: int) -> str:
    """The text of a cell, on a run's first with its suffix."""
    return f"{row.cells[index].text} {run_suffix(row, index)}".rstrip()


def interval_text(cell: Cell) -> str:
    """`[46.7, 50.4]`, or nothing."""
    return f"[{cell.interval.low:.1f}, {cell.interval.high:.1f}]" if cell.interval else ""


def one_line(text: str) -> str:
    """Text without line breaks, tabs and other control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def flat_headings(table: Table) -> list[str]:
    """One heading a column, with its block's in front where there is more than one block."""
    several = len({c.block for c in table.columns if c.block}) > 1
    return [f"{c.block} {c.heading}" if several and c.block else c.heading for c in table.columns]
