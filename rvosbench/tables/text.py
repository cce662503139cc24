"""Texts that all formats share."""

from __future__ import annotations

from rvosbench.tables.table import Cell, Row


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
