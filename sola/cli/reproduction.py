"""Tables of the paper from the command line: what would be done, or done, printed and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from rvosbench.cli.screen import emit, progress, say
from rvosbench.files.atomic import write_bytes
from rvosbench.tables.writers import WRITERS
from sola.reproduce.experiments import PaperTable
from sola.reproduce.page import page
from sola.reproduce.report import to_json, write_report
from sola.reproduce.run import describe, reproduce
from sola.reproduce.settings import Settings
from sola.reproduce.tables import category_table, score_table


def show_plan(tables: Sequence[PaperTable], settings: Settings, as_json: bool) -> None:
    """Prints what would be done."""
    found = describe(tables, settings)
    if as_json:
        emit(found)
        return
    for title, lines in found.items():
        typer.echo(f"{title} ({len(lines)}):")
        for line in lines:
            typer.echo(f"  {line}")


def make(
    tables: Sequence[PaperTable],
    settings: Settings,
    page_file: Path | None,
    form: str,
    as_json: bool,
) -> None:
    """Makes tables, prints them, and writes the report.

    Args:
        tables: of the paper.
        settings: of the experiments.
        page_file: also write a page with everything, and the report beside it; None: do not.
        form: of the printed tables, one of `rvosbench.tables.writers.WRITERS`.
        as_json: print the report instead.
    """
    report, file = reproduce(tables, settings, say, progress), settings.out / "report.json"
    write_report(file, report)
    if page_file:
        numbers = page_file.with_suffix(".json")
        write_report(numbers, report)
        write_bytes(page_file, page(report, numbers.name).encode("utf-8"))
        say(f"page: {page_file}, numbers: {numbers}")
    if as_json:
        emit({**to_json(report), "report": str(file)})
        return
    for name in report.tables:
        for table in (score_table(name, report), category_table(name, report)):
            if table.rows:
                typer.echo(WRITERS[form](table))
    say(f"report: {file}")
