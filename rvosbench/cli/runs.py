"""What stands behind `rvosbench eval` and `rvosbench score`: choices before, tables after."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path

from rvosbench.cli.screen import emit, percent, progress, say, show
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.capabilities import corruption_of, video_ids
from rvosbench.datasets.choice import DatasetChoice
from rvosbench.execution.units import Unit
from rvosbench.recipe import digest
from rvosbench.records import Json
from rvosbench.report.robustness import Trial, measure, to_json
from rvosbench.report.robustness_page import robustness_tables, write_report
from rvosbench.runs.evaluate import RunOptions
from rvosbench.runs.methods import MethodChoice
from rvosbench.runs.result import Result, parts, report
from rvosbench.runs.run_folder import RunFolder


def default_folder(
    choice: MethodChoice, chosen: DatasetChoice, protocol: str | None, plans: Sequence[Plan]
) -> Path:
    """A readable name, and a hash so that no other configuration or code shares the folder."""
    dataset = chosen.dataset
    facts: list[Json] = [choice.facts(), choice.details(), protocol, chosen.restriction]
    facts += [choice.device, dataset.fingerprint, corruption_of(dataset)]
    facts += [plan.signature for plan in plans]
    return Path("runs") / f"{choice.name}-{dataset.name}-{dataset.split}-{digest(facts)[:8]}"


@contextmanager
def shown(run: RunOptions, label: str, total: int) -> Iterator[RunOptions]:
    """The options with a progress bar; whatever a method prints meanwhile goes to stderr."""
    with progress(label, total) as on_done, redirect_stdout(sys.stderr):
        yield replace(run, on_done=on_done)


def finish(result: Result, out: Path | None, as_json: bool) -> None:
    """Print the result, and where it lies."""
    folder = RunFolder(out) if out else None
    if as_json:
        emit(report(result, folder.result_file if folder else None))
    else:
        _print_scores(result)
    if result.summary is None and folder is not None:
        say(
            f"{result.facts['dataset']}/{result.facts['split']} has no public ground truth, so "
            f"there is no score.\nPredictions: {folder.videos}\nPack them for the authors' server "
            f"with\n  rvosbench submit pack {out}"
        )
    if folder is not None:
        say(f"result: {folder.result_file}")


def _print_scores(result: Result) -> None:
    if result.summary is not None:
        rows = [_row("all", len(result.expressions), vars(result.summary))]
        rows += [_row(f"{p.by}: {p.value}", p.count, vars(p)) for p in parts(result)]
        bound = " (upper bound: sees the ground truth)" if result.upper_bound else ""
        show(
            f"{result.facts['method']} on {result.facts['dataset']}/{result.facts['split']}{bound}",
            ["expressions", "count", "J&F", "J", "F"],
            rows,
            numbers=4,
        )
        further = [[name, percent(value)] for name, value in result.summary.metrics.items()]
        show("", ["metric (see docs/metrics.md)", "x 100"], further, numbers=1)
        if result.facts.get("videos") is not None:
            say(f"only these videos: {', '.join(result.facts['videos'])}")
    if any(result.missing.values()):
        say(
            f"missing, counted as empty: {result.missing['expressions']} expressions and "
            f"{result.missing['masks']} masks"
        )
    say(f"signature: {result.signature}")


def _row(label: str, count: int, scores: Mapping[str, float]) -> list[str]:
    return [label, str(count), *(percent(scores[k]) for k in ("jf", "j", "f"))]


def report_robustness(choice: MethodChoice, trial: Trial, run: RunOptions, as_json: bool) -> None:
    """Evaluate clean and under every corruption, write the report, print its table."""
    out = run.out or Path("runs")
    videos = len(video_ids(trial.dataset) if trial.videos is None else trial.videos)
    with ExitStack() as bars, redirect_stdout(sys.stderr):
        advance: list[Callable[[Unit, bool], None]] = []

        def start(label: str, number: int, count: int) -> None:
            bars.close()
            advance[:] = [bars.enter_context(progress(f"{number}/{count} {label}", videos))]

        shown_run = replace(run, on_done=lambda unit, reused: advance[0](unit, reused))
        robustness = measure(choice, trial, out, shown_run, start)
    page = write_report(robustness, out)
    if as_json:
        emit({**to_json(robustness), "report": str(page)})
    else:
        say(f"{robustness.title}: J&F {percent(robustness.clean.jf)} on clean frames")
        for table in robustness_tables(robustness):
            rows = [[cell.text for cell in row.cells] for row in table.rows]
            show(table.title, table.headings, rows, numbers=len(table.columns) - 1)
    say(f"report: {page} (beside it .svg, .png and .json)")
