"""Tables for machines: CSV and JSON. Scores are in percent, as in every table."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

from rvosbench.records import Json
from rvosbench.tables.table import Cell, Table, one_line

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?( \[[+\-\d., ]+\])?")
"""A number, perhaps with its interval."""


def to_csv(table: Table) -> str:
    """Headings, rows, and what the rows come from if they say it; without marks of the best."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    sourced = any(row.sources for row in table.rows)
    writer.writerow([*table.headings, *["source"] * sourced])
    for row in table.rows:
        texts = [text for _, text in row.labelled]
        writer.writerow(map(_safe, [*texts, *["; ".join(row.sources)] * sourced]))
    return out.getvalue()


def to_json(table: Table) -> str:
    """The whole table: texts, values, places, intervals and provenance."""
    content = {
        "table": table.name,
        "title": table.title,
        "note": table.note,
        "unit": "percent",
        "columns": list(map(dataclasses.asdict, table.columns)),
        "rows": [
            {
                "group": row.group,
                "run": row.mark or None,
                "cells": list(map(_cell, row.cells)),
                "sources": row.sources,
            }
            for row in table.rows
        ],
        "footnotes": table.footnotes,
        "left_out": table.left_out,
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _cell(cell: Cell) -> dict[str, Json]:
    return {
        "text": cell.text,
        "value": cell.value,
        "place": cell.place or None,
        "interval": dataclasses.asdict(cell.interval) if cell.interval else None,
        "tied_with_best": cell.tied,
    }


def _safe(text: str) -> str:
    """A spreadsheet would run a cell that begins like a formula; a signed number is none."""
    text = one_line(text)
    formula = len(text) > 1 and text[0] in "=+-@" and not _NUMBER.fullmatch(text)
    return f"'{text}" if formula else text
