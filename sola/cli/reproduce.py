"""`rvosbench sola reproduce`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, progress, say
from rvosbench.errors import UsageError

Tables = Annotated[
    Optional[list[str]],  # noqa: UP045 typer reads the annotation at run time
    typer.Option("--table", help="4, 5a, 5b, A.1, A.2a or A.2b; may be repeated."),
]
Everything = Annotated[bool, typer.Option("--all", help="All six tables.")]
Splits = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--split",
        help="Evaluated split; may be repeated. Orderings are tested on the first; of several the "
        "last one chooses the epochs. Default: test and valid of the demo, else the dataset's "
        "validation split.",
    ),
]
Caches = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--tracks",
        metavar="DIR",
        help="Folder of the track caches, one a split (train, valid, test, test-motion_blur-5); "
        "what is missing is made. Default: OUT/tracks.",
    ),
]
Sentences = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        min=1,
        help="Expressions of a training in all, repetitions counted: the same work on every "
        "machine; about 20000 a minute on one core. Default: 60000 on the demo; else all epochs.",
    ),
]
Epochs = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(min=1, help="Parts of a training, each followed by a validation."),
]
TrainVideos = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(min=0, help="First videos to train on; 0: all. Default: 2000 on the demo."),
]
Format = Literal["markdown", "latex", "html", "csv", "json"]
Page = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Also write a page with everything, and the report beside it as .json."),
]


def reproduce_command(
    table: Tables = None,
    everything: Everything = False,
    dataset: options.DatasetName = "demo",
    data: options.Root = None,
    split: Splits = None,
    train_split: Annotated[str, typer.Option(help="Split that is trained on.")] = "train",
    preset: options.Preset = None,
    settings: options.Settings = None,
    tracks: Caches = None,
    out: options.Out = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of every network.")] = 3,
    sentences: Sentences = None,
    epochs: Epochs = None,
    train_videos: TrainVideos = None,
    limit: Annotated[
        int, typer.Option(min=0, help="First videos of every evaluated split; 0: all.")
    ] = 0,
    device: options.Device = "auto",
    workers: options.Workers = 0,
    form: Annotated[Format, typer.Option("--format", help="Format of the tables.")] = "markdown",
    page: Page = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be done, and stop.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Repeat the paper's experiments: tables 4, 5a, 5b, A.1, A.2a and A.2b.

    Makes tracks once, trains every network with every seed, evaluates, and prints the tables with
    the paper's scores beside and a test of every ordering. Interrupt it whenever you like: the
    same command resumes it. `--set KEY=VALUE` changes SOLA as in `rvosbench eval`, `--set
    train.KEY=VALUE` the training as in `rvosbench sola train`.

    Example: rvosbench sola reproduce --table 5b --workers 2
    """
    from sola.reproduce import experiments, output, run
    from sola.reproduce.settings import changed, default_settings

    if bool(table) == everything:
        raise UsageError("give one or several --table, or --all")
    chosen = experiments.chosen_tables(table or [])
    given: dict[str, Any] = {
        "splits": tuple(dict.fromkeys(split or ())) or None,
        "root": data,
        "train_split": train_split,
        "train_videos": train_videos,
        "limit": limit,
        "seeds": seeds,
        "sentences": sentences,
        "epochs": epochs,
        "device": device,
        "workers": workers,
    }
    given = {name: value for name, value in given.items() if value is not None}
    made = replace(default_settings(dataset, preset), **given)
    made = changed(made, settings or []).at(out, tracks)
    if plan:
        found = run.describe(chosen, made)
        emit(found) if as_json else typer.echo(output.plan_text(found))
        return
    report = run.reproduce(chosen, made, say, progress)
    written = output.write_report(made.out, report)
    if page:
        say(f"page: {page}, numbers: {output.write_page(page, report)}")
    if as_json:
        emit({**output.report_json(report), "report": str(written)})
        return
    typer.echo(output.tables_text(report, form))
    say(f"report: {written}")
