"""`rvosbench sola reproduce`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, progress, say
from rvosbench.errors import UsageError

Format = Literal["markdown", "latex", "html", "csv", "json"]


@dataclass(frozen=True)
class Changes:
    """Fields of `sola.reproduce.settings.Settings` by their names; None leaves the default."""

    splits: Annotated[
        list[str] | None,
        typer.Option(
            "--split",
            help="Evaluated split; may be repeated. Orderings are tested on the first; of several "
            "the last one chooses the epochs. Default: test and valid of the demo, else the "
            "dataset's validation split.",
        ),
    ] = None
    root: options.Root = None
    train_split: Annotated[str, typer.Option(help="Split that is trained on.")] = "train"
    train_videos: Annotated[
        int | None,
        typer.Option(min=0, help="First videos to train on; 0: all. Default: 2000 on the demo."),
    ] = None
    limit: Annotated[
        int, typer.Option(min=0, help="First videos of every evaluated split; 0: all.")
    ] = 0
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of every network.")] = 3
    expressions: Annotated[
        int | None,
        typer.Option(
            "--expressions",
            "--sentences",  # as it was called
            min=1,
            help="Expressions of a training in all, repetitions counted: the same work on every "
            "machine; about 20000 a minute on one core. Default: 60000 on the demo; else all "
            "epochs.",
        ),
    ] = None
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Parts of a training, each followed by a validation.")
    ] = None
    device: options.Device = "auto"
    workers: options.Workers = 0

    def given(self) -> dict[str, Any]:
        """Those that are not None."""
        values = {**vars(self), "splits": tuple(dict.fromkeys(self.splits or ())) or None}
        return {name: value for name, value in values.items() if value is not None}


@options.grouped
def reproduce_command(
    *,
    table: Annotated[
        list[str] | None, typer.Option(help="4, 5a, 5b, A.1, A.2a or A.2b; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All six tables.")] = False,
    dataset: options.DatasetName = "demo",
    changes: Changes,
    preset: options.Preset = None,
    settings: options.Settings = None,
    tracks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the track caches, one a split (train, valid, test, "
            "test-motion_blur-5); what is missing is made. Default: OUT/tracks.",
        ),
    ] = None,
    out: options.Out = None,
    form: Annotated[Format, typer.Option("--format", help="Format of the tables.")] = "markdown",
    page: Annotated[
        Path | None,
        typer.Option(help="Also write a page with everything, and the report beside it as .json."),
    ] = None,
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
    from sola.reproduce import experiments, run
    from sola.reproduce.page import tables_text, write_page
    from sola.reproduce.settings import changed, default_settings

    if bool(table) == everything:
        raise UsageError("give one or several --table, or --all")
    chosen = experiments.chosen_tables(table or [])
    made = replace(default_settings(dataset, preset), **changes.given())
    made = changed(made, settings or []).at(out, tracks)
    if plan:
        found = run.describe(chosen, made)
        text = "\n".join("\n  ".join([f"{k} ({len(v)}):", *v]) for k, v in found.items())
        emit(found) if as_json else typer.echo(text)
        return
    report = run.reproduce(chosen, made, say, progress)
    written = report.write(made.out / "report.json")
    if page:
        say(f"page: {page}, numbers: {write_page(page, report)}")
    if as_json:
        emit({**report.to_json(), "report": str(written)})
        return
    typer.echo(tables_text(report, form))
    say(f"report: {written}")
