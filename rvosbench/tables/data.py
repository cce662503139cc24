"""Tables for machines: CSV and JSON. Scores are in percent, as everywhere on a leaderboard."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

from rvosbench.records import Json

from ..entries import Entry
from ..tables import Cell, Row, Table
from .wording import flat_headings, label_text, one_line


def to_csv(table: Table) -> str:
    """Headings, rows, and what the rows come from; without marks of the best."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*flat_headings(table), "source"])
    for row in table.rows:
        texts = [_safe(label_text(row, i)) for i in range(len(row.cells))]
        writer.writerow([*texts, _safe("; ".join(map(_source, row.entries)))])
    return out.getvalue()


def to_json(table: Table) -> str:
    """The whole table: texts, values, places, intervals and provenance."""
    content = {
        "table": table.name,
        "title": table.title,
        "note": table.note,
        "unit": "percent",
        "columns": [dataclasses.asdict(c) for c in table.columns],
        "rows": [_row(row) for row in table.rows],
        "footnotes": list(table.footnotes),
        "left_out": list(table.left_out),
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _row(row: Row) -> dict[str, Json]:
    return {
        "group": row.group,
        "run": row.mark or None,
        "cells": [_cell(cell) for cell in row.cells],
        "sources": [_source(entry) for entry in row.entries],
    }


def _cell(cell: Cell) -> dict[str, Json]:
    interval = dataclasses.asdict(cell.interval) if cell.interval else None
    return {
        "text": cell.text,
        "value": cell.value,
        "place": cell.place or None,
        "interval": interval,
        "tied_with_best": cell.tied,
    }


def _source(entry: Entry) -> str:
    """A run's signature, or source and place of a published number."""
    if entry.run is not None:
        return entry.run.signature
    assert entry.citation is not None  # an entry has one of the two
    return f"{entry.citation.source.id}, {entry.citation.locator}"


def _safe(text: str) -> str:
    """A spreadsheet would run a cell that begins like a formula."""
    text = one_line(text)
    return f"'{text}" if len(text) > 1 and text[0] in "=+-@" else text
