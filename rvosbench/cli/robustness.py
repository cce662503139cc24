"""`--corruption` of `rvosbench eval`: one on the fly, or several and the robustness report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rvosbench.cli.screen import emit, percent, progress, say, show

if TYPE_CHECKING:
    from rvosbench.contracts import Dataset
    from rvosbench.corruptions.plan import Plan
    from rvosbench.execution.units import Unit
    from rvosbench.report.robustness import Robustness
    from rvosbench.runs.evaluate import RunOptions
    from rvosbench.runs.methods import MethodChoice

    Task: TypeAlias = tuple[Dataset, Sequence[Plan], str | None, list[str] | None]


def plans(
    spec: str | None, mode: str, temporal: str, seed: int, frost_dir: Path | None
) -> tuple[Plan, ...]:
    """The corruptions asked for; none without `--corruption`. Raises UsageError."""
    if spec is None:
        return ()
    from rvosbench.corruptions.plan import Plan, parse

    return tuple(
        Plan(name, severity, mode, temporal, seed, frost_dir)  # type: ignore[arg-type]
        for name, severity in parse(spec)
    )


def open_corrupted(
    name: str, data: Path | None, split: str | None, wanted: Sequence[Plan]
) -> Dataset:
    """The dataset, corrupted on the fly if one corruption is wanted, or a copy that says so."""
    from rvosbench.datasets import load_dataset
    from rvosbench.datasets.corrupted import corrupted

    opened = load_dataset(name, data, split)
    return corrupted(opened, wanted[0]) if len(wanted) == 1 else opened


def report_robustness(
    choice: MethodChoice, task: Task, run: RunOptions, as_json: bool = False
) -> None:
    """Evaluate clean and under every corruption, write the report, print its table.

    Args:
        choice: the method.
        task: the clean split, at least two plans, the protocol and the videos, as in `evaluate`.
        run: with a folder.
        as_json: one object for machines instead of the table.
    """
    from rvosbench.report.robustness import to_json
    from rvosbench.report.robustness_page import write_report
    from rvosbench.report.robustness_run import Trial, measure

    trial, out = Trial(*task), run.out or Path("runs")
    with _Bars(len(trial.videos if trial.videos is not None else trial.dataset)) as bars:
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
    from rvosbench.report.robustness_page import robustness_tables

    say(f"{robustness.title}: J&F {percent(robustness.clean.jf)} on clean frames")
    for table in robustness_tables(robustness):
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        show(table.title, table.headings, rows, numbers=len(table.columns) - 1)
