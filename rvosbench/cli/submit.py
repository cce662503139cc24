"""`rvosbench submit`: predictions for the servers that keep the ground truth."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import say, verdict

app = typer.Typer(help="Submissions to the datasets' own servers.", no_args_is_help=True)

_Predictions = Annotated[
    Path, typer.Argument(help="Folder or zip of masks, JSON of run lengths, or run folder.")
]


@app.command("pack")
def pack_command(
    predictions: _Predictions,
    dataset: Annotated[
        str | None, typer.Option(help="Dataset name; not needed for a run folder, which says it.")
    ] = None,
    split: options.Split = None,
    data: options.Root = None,
    out: Annotated[Path, typer.Option(help="Zip to write.")] = Path("submission.zip"),
) -> None:
    """Pack predictions as the dataset's server wants them.

    With --dataset they are checked first (see `rvosbench submit check`) and not packed if anything
    is wrong. Masks are written with 0 and 255; what nobody asks for is left out.

    Example: rvosbench submit pack runs/sola-mevis-valid-1a2b3c4d --out sola.zip
    Example: rvosbench submit pack masks --dataset mevis --split valid --data mevis --out mine.zip
    """
    from rvosbench.runs.submission import pack_predictions, pack_run

    if dataset is not None:
        opened = options.SplitOptions(dataset, split, data).choice().dataset
        count = pack_predictions(predictions, opened, out)
    else:
        count = pack_run(predictions, out)
    say(f"{out}: {count} masks")


@app.command("check")
def check_command(
    predictions: _Predictions,
    dataset: options.DatasetName,
    split: options.Split = None,
    data: options.Root = None,
    as_json: options.AsJson = False,
) -> None:
    """Look for everything wrong in a submission at once: missing masks, sizes, files, layout.

    Ends with code 1 if there is anything.

    Example: rvosbench submit check mine.zip --dataset mevis --split valid --data mevis
    """
    from rvosbench.runs.submission import check_predictions

    opened = options.SplitOptions(dataset, split, data).choice().dataset
    found = check_predictions(predictions, opened)
    facts = {**dataclasses.asdict(found), "passed": found.passed}
    for warning in () if as_json else found.warnings:
        say(f"warning: {warning}")
    number = len(found.problems) or "no"
    summary = f"{predictions}: {number} problems in {found.expressions} expressions"
    verdict(as_json, facts, found.problems, summary)
