"""What people see: tables on stdout, progress and messages on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from rvosbench.records import Json
from rvosbench.tables.table import percent as percent


def say(message: str) -> None:
    """A line for people, on stderr; without markup: names and expressions stay as they are."""
    Console(stderr=True, highlight=False).print(message, markup=False, soft_wrap=True)


def emit(value: Json) -> None:
    """One JSON object for machines, on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def show(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> None:
    """A table on stdout; the last `numbers` columns are aligned right."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for index, name in enumerate(heads):
        right = index >= len(heads) - numbers
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    # A pipe has no width: give the table what it needs rather than 80 columns.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
    Console(markup=False, highlight=False, width=width).print(table)


def answer(
    as_json: bool,
    value: Json,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: int = 0,
) -> None:
    """The same for machines or for people: what `emit` prints, or what `show` prints."""
    if as_json:
        emit(value)
    else:
        show(title, columns, rows, numbers)


def verdict(as_json: bool, facts: Json, problems: Sequence[str], summary: str) -> None:
    """What a check found, for machines or for people; ends with code 1 if there is a problem."""
    if as_json:
        emit(facts)
    else:
        for problem in problems:
            typer.echo(problem)
        say(summary)
    if problems:
        raise typer.Exit(1)


@contextmanager
def bar(
    label: str, total: int | None, things: str = "videos", *more: ProgressColumn
) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on stderr.

    Args:
        label: what is done.
        total: how many things there are; None where it will be known later.
        things: what they are.
        more: columns behind their number.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(things),
        *more,
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as shown:
        yield shown, shown.add_task(label, total=total)


@contextmanager
def progress(
    label: str, total: int, things: str = "videos"
) -> Iterator[Callable[[object, bool], None]]:
    """A bar that goes on by one with every call, such as `RunOptions.on_done`."""
    with bar(label, total, things) as (shown, task):
        yield lambda thing, reused: shown.advance(task)
