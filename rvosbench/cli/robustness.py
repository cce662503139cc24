"""`--corruption` of `rvosbench eval`: one on the fly, or several and the robustness report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from pathlib import Path

from rvosbench.cli.screen import emit, percent, progress, say, show
from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan, parse
from rvosbench.corruptions.table import SEVERITIES
from rvosbench.datasets import load_dataset
from rvosbench.datasets.capabilities import video_ids
from rvosbench.datasets.corrupted import corrupted
from rvosbench.execution.units import Unit
from rvosbench.report.robustness import GROUPS, Means, Robustness, to_json
from rvosbench.report.robustness_page import write_report
from rvosbench.report.robustness_run import Trial, measure
from rvosbench.runs.evaluate import RunOptions
from rvosbench.runs.methods import MethodChoice


def plans(
    spec: str | None, mode: str, temporal: str, seed: int, frost_dir: Path | None
) -> tuple[Plan, ...]:
    """The corruptions asked for; none without `--corruption`. Raises UsageError."""
    return tuple(
        Plan(name, severity, mode, temporal, seed, frost_dir)  # type: ignore[arg-type]
        for name, severity in (parse(spec) if spec is not None else ())
    )


def open_corrupted(
    name: str, data: Path | None, split: str | None, wanted: Sequence[Plan]
) -> Dataset:
    """The dataset, corrupted on the fly if one corruption is wanted, or a copy that says so."""
    opened = load_dataset(name, data, split)
    return corrupted(opened, wanted[0]) if len(wanted) == 1 else opened


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
    def row(label: str, cells: Sequence[str], means: Means) -> list[str]:
        values = (means.score.jf, means.drop, means.relative)
        return [label, *cells, *(percent(v) for v in values)]

    rows = []
    for group, heading in GROUPS.items():
        for name in robustness.names(group):
            scores = robustness.scores(name)
            cells = [percent(scores[s].jf if s in scores else None) for s in SEVERITIES]
            rows.append(row(name, cells, robustness.corruption(name)))
        means = robustness.group(group)
        if means is not None:
            rows.append(row(f"mean: {heading.lower()}", [""] * len(SEVERITIES), means))
    columns = ["J&F at severity", *(str(s) for s in SEVERITIES), "mean", "drop", "rPC %"]
    show(f"{robustness.title} (clean {percent(robustness.clean.jf)})", columns, rows, numbers=8)
