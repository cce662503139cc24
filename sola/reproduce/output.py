"""What is printed and written: the plan, the report, tables in a format, the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rvosbench.files.atomic import write_bytes, write_json
from rvosbench.records import Json
from rvosbench.tables import WRITERS
from sola.reproduce.page import page
from sola.reproduce.report import FORMAT, Report
from sola.reproduce.tables import category_table, score_table


def plan_text(plan: Mapping[str, Sequence[str]]) -> str:
    """What `run.describe` says, for people."""
    return "\n".join(
        "\n  ".join([f"{title} ({len(lines)}):", *lines]) for title, lines in plan.items()
    )


def tables_text(report: Report, form: str) -> str:
    """All tables in a format of `rvosbench.tables`."""
    tables = [f(name, report) for name in report.tables for f in (score_table, category_table)]
    return "\n".join(WRITERS[form](table) for table in tables if table.rows)


def report_json(report: Report) -> dict[str, Json]:
    """The content of a report's file."""
    return {"format": FORMAT, **asdict(report)}


def write_report(folder: Path, report: Report, name: str = "report.json") -> Path:
    """Writes a report, byte for byte the same for the same report; returns its path."""
    write_json(folder / name, report_json(report), indent=1)
    return folder / name


def write_page(path: Path, report: Report) -> Path:
    """Writes the page, and beside it the report as .json, whose path is returned."""
    numbers = write_report(path.parent, report, path.with_suffix(".json").name)
    write_bytes(path, page(report, numbers.name).encode("utf-8"))
    return numbers
