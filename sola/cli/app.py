"""The command group `rvosbench sola`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import answer, percent, progress
from rvosbench.datasets import load_dataset
from rvosbench.errors import UsageError
from sola.cli.analyze import app as analyze_app
from sola.cli.reproduce import reproduce_command
from sola.cli.train import TrainCaches, TrainOptions, ValidCaches

app = typer.Typer(
    help="SOLA, the reference method: train its selector and look into it.", no_args_is_help=True
)


@app.command("train")
@options.grouped
def train_command(
    learnt: TrainCaches, valid: ValidCaches, asked: TrainOptions, as_json: options.AsJson = False
) -> None:
    """Train SOLA's selector on cached tracks.

    Interrupt it whenever you like: the same command resumes it and ends with the same weights.
    `--set selector.KEY=VALUE` changes the network, `--set KEY=VALUE` the training.

    Example: rvosbench sola train --tracks cache --out runs/selector
    """
    from sola.cli.session import Caches, run_training, show_trained

    names, splits = learnt.dataset or ["demo"], learnt.split or ["train"]
    train = Caches("--tracks", learnt.tracks, names, splits, learnt.data)
    others = Caches("--valid-tracks", *vars(valid).values())
    show_trained(run_training(train, others, asked), as_json)


app.command("reproduce")(reproduce_command)


@app.command("sweep")
def sweep_command(
    run: Annotated[Path, typer.Argument(help="Folder of a finished `rvosbench eval`.")],
    tracks: Annotated[
        Path | None,
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
    table = []
    for r in rows:
        name = f"{r.threshold:g}{' (the run)' if r.own else ''}"
        scores = map(percent, (r.jf, r.j, r.f))
        table.append([name, *scores, f"{r.tracks:.2f}", percent(r.empty)])
    columns = ["threshold", "J&F", "J", "F", "tracks an expression", "none selected, %"]
    facts = {"run": str(run), "signature": result.signature, "rows": [asdict(r) for r in rows]}
    answer(as_json, facts, result.signature, columns, table, numbers=5)


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


app.add_typer(analyze_app, name="analyze")
