"""Markdown (GitHub's): best **bold**, second best <u>underlined</u>."""

from __future__ import annotations

import re

from rvosbench.tables.table import Cell, Table, one_line

_SIGNS = ("{}", "**{}**", "<u>{}</u>", "*{}*", "≈ {}")


def to_markdown(table: Table) -> str:
    """A table with its heading, if it has one, note and footnotes."""
    lines = [f"**{_escape(table.heading)}**", ""] if table.title else []
    lines.append(_line([_escape(h) for h in table.headings]))
    lines.append(_line(["---:" if c.numeric else "---" for c in table.columns]))
    lines += [_line([_cell(*cell) for cell in row.labelled]) for row in table.rows]
    notes = [table.note, *table.footnotes]
    lines += [part for note in notes if note for part in ("", _escape(note))]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(cell: Cell, label: str) -> str:
    return f"{cell.dressed(_escape(label), _SIGNS)} {_escape(cell.interval_text)}".rstrip()


def _escape(text: str) -> str:
    """Text from a file as text: no emphasis, link, cell border or HTML tag.

    An underscore within a word is left alone: it is no emphasis there.
    """
    return re.sub(r"([\\`*\[\]<>|~]|\b_|_\b|(?<=\W)_|_(?=\W)|^_|_$)", r"\\\1", one_line(text))
