"""`--corruption` of `rvosbench eval`: one on the fly, or several and the robustness report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from pathlib import Path

from rvosbench.cli.screen import emit, percent, progress, say, show
from rvosbench.datasets.capabilities import video_ids
from rvosbench.execution.units import Unit
from rvosbench.report.robustness import Robustness, to_json
from rvosbench.report.robustness_page import robustness_tables, write_report
from rvosbench.report.robustness_run import Trial, measure
from rvosbench.runs.evaluate import RunOptions
from rvosbench.runs.methods import MethodChoice


def report_robustness(
    choice: MethodChoice, trial: Trial, run: RunOptions, as_json: bool = False
) -> None:
    """Evaluate clean and under every corruption, write the report, print its table.

    Args:
        choice: the method.
        trial: the clean split, at least two plans, the protocol and the videos.
        run: with a folder.
        as_json: one object for machines instead of the table.
    """
    out, videos = run.out or Path("runs"), trial.videos
    with (
        _Bars(len(video_ids(trial.dataset) if videos is None else videos)) as bars,
        redirect_stdout(sys.stderr),
    ):
        robustness = measure(choice, trial, out, replace(run, on_done=bars.advance), bars.start)
    page = write_report(robustness, out)
    if as_json:
        emit({**to_json(robustness), "report": str(page)})
    else:
        _print(robustness)
    say(f"report: {page} (beside it .svg, .png and .json)")


class _Bars:
    """One progress bar after another, each over the videos of a run."""

    def __init__(self, videos: int) -> None:
        self._videos, self._stack = videos, ExitStack()
        self._advance: Callable[[Unit, bool], None] = lambda unit, reused: None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start(self, label: str, number: int, count: int) -> None:
        """Close the bar of the last run and open that of the next."""
        self._stack.close()
        bar = progress(f"{number}/{count} {label}", self._videos)
        self._advance = self._stack.enter_context(bar)

    def advance(self, unit: Unit, reused: bool) -> None:
        """A video is done."""
        self._advance(unit, reused)


def _print(robustness: Robustness) -> None:
    say(f"{robustness.title}: J&F {percent(robustness.clean.jf)} on clean frames")
    for table in robustness_tables(robustness):
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        show(table.title, table.headings, rows, numbers=len(table.columns) - 1)
