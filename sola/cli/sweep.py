"""`rvosbench sola sweep`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Optional

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, progress, show
from rvosbench.datasets import load_dataset
from rvosbench.errors import UsageError


def sweep_command(
    run: Annotated[Path, typer.Argument(help="Folder of a finished `rvosbench eval`.")],
    tracks: Annotated[
        Optional[Path],  # noqa: UP045 typer reads the annotation at run time
        typer.Option(
            "--tracks",
            metavar="CACHE",
            help="Track cache that the run used; default: its tracks are made again, as slowly.",
        ),
    ] = None,
    data: options.Root = None,
    thresholds: Annotated[
        str, typer.Option(metavar="T,...", help="Default: 0.1,0.2,...,0.9.")
    ] = "",
    device: options.Device = "auto",
    as_json: options.AsJson = False,
) -> None:
    """J, F and J&F of a finished run by threshold, without scoring its tracks again.

    Masks come from the run's track cache; without one they are made again from its configuration.
    The run's own threshold is always in the table and has to come out as in the run.

    Example: rvosbench sola sweep runs/sola-demo-valid --tracks cache
    """
    from sola.analysis.thresholds import THRESHOLDS, finished_run, made_again, sweep

    result = finished_run(run)
    opened = load_dataset(result.facts["dataset"], data, result.facts["split"])
    wanted = parse_thresholds(thresholds) if thresholds else THRESHOLDS
    source = tracks or made_again(result, device)
    count = len({e.score.video for e in result.expressions})
    with progress(f"thresholds of {run.name}", count) as advance:
        rows = sweep(run, source, opened, wanted, lambda video: advance(video, False))
    if as_json:
        emit({"run": str(run), "signature": result.signature, "rows": [asdict(r) for r in rows]})
        return
    table = [
        [
            f"{r.threshold:g}{' (the run)' if r.own else ''}",
            *(percent(v) for v in (r.jf, r.j, r.f)),
            f"{r.tracks:.2f}",
            percent(r.empty),
        ]
        for r in rows
    ]
    columns = ["threshold", "J&F", "J", "F", "tracks an expression", "none selected, %"]
    show(result.signature, columns, table, numbers=5)


def parse_thresholds(text: str) -> tuple[float, ...]:
    """`"0.3,0.5"` as numbers.

    Raises:
        UsageError: something else, or numbers outside [0, 1].
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--thresholds {text!r}: wanted numbers such as 0.3,0.5") from error
    if not all(0 <= value <= 1 for value in values):
        raise UsageError(f"--thresholds {text!r}: wanted numbers in [0, 1]")
    return values
