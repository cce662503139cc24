"""`rvosbench eval` and `rvosbench score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import say


@options.grouped
def evaluate_command(
    method: options.MethodName,
    source: options.SplitOptions,
    corruption: options.CorruptionOptions,
    models: options.ModelOptions,
    protocol: options.ProtocolName = None,
    tracks: options.Tracks = None,
    videos: options.Videos = None,
    limit: options.Limit = None,
    out: options.Out = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    """Run a method on a dataset and score it.

    Without ground truth (MeViS valid) predictions are written, ready to be packed and submitted.
    With several corruptions the result is a robustness report.

    Example: rvosbench eval --method sola
    """
    from rvosbench.cli import runs
    from rvosbench.report.robustness import Trial
    from rvosbench.runs.evaluate import RunOptions, evaluate
    from rvosbench.runs.methods import load_method

    plans = corruption.plans()
    chosen = source.choice(plans[0] if len(plans) == 1 else None, videos, limit)
    changes = models.changes(tracks)
    choice = load_method(method, models.preset, changes, models.device, source.dataset)
    place = out or runs.default_folder(choice, chosen, protocol, plans)
    options_of_run = RunOptions(place, resume, workers)
    preset, opened = f" (preset {choice.preset})" if choice.preset else "", chosen.dataset
    where, number = f"{opened.name}/{opened.split}", len(chosen.video_ids)
    say(f"{choice.spec.card.title}{preset} on {where}: {number} videos")
    if len(plans) > 1:
        trial = Trial(chosen.dataset, plans, protocol, chosen.restriction)
        runs.report_robustness(choice, trial, options_of_run, as_json)
        return
    with runs.shown(options_of_run, f"{method} on {source.dataset}", len(chosen.video_ids)) as run:
        result = evaluate(choice, chosen.dataset, protocol, chosen.restriction, run)
    runs.finish(result, place, as_json)


def score_command(
    predictions: Annotated[Path, typer.Argument(help="Folder or zip of predictions.")],
    dataset: options.DatasetName,
    split: options.Split = None,
    data: options.Root = None,
    protocol: options.ProtocolName = None,
    missing: Annotated[
        Literal["error", "zero"],
        typer.Option(help="error, or zero: what is missing counts as empty masks."),
    ] = "error",
    compat: Annotated[
        Literal["ours", "official"],
        typer.Option(help="ours, or official: with the known defects of the official tool."),
    ] = "ours",
    videos: options.Videos = None,
    out: options.Out = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    """Score predictions made by anybody.

    Masks as <video>/<expression>/<frame>.png in a folder or zip, run lengths in a JSON file, or a
    run folder; for the DAVIS protocols label images as <video>/<frame>.png.

    Example: rvosbench score results.zip --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.cli import runs
    from rvosbench.metrics import official
    from rvosbench.runs.evaluate import RunOptions, score

    chosen = options.SplitOptions(dataset, split, data).choice(videos=videos)
    scorer = official.protocol(protocol or chosen.dataset.protocols[0], compat == "official")
    options_of_run, label = RunOptions(out, resume, workers), f"scoring {predictions.name}"
    with runs.shown(options_of_run, label, len(chosen.video_ids)) as run:
        result = score(predictions, chosen.dataset, scorer, missing, run, chosen.restriction)
    runs.finish(result, out, as_json)
