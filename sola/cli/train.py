"""`rvosbench sola train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, say, show

TrackCaches = Annotated[
    list[Path],
    typer.Option(
        "--tracks",
        metavar="CACHE",
        help="Track cache of `rvosbench tracks build --truth`; repeat it for joint training.",
    ),
]
Names = Annotated[
    Optional[list[str]],  # noqa: UP045 typer reads the annotation at run time
    typer.Option(
        "--dataset", help="Dataset of the cache (default demo); one for all, or one each."
    ),
]
Splits = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--split", help="Split of the cache (default train); one for all, or one each."),
]
Roots = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--data", help="Root folder of the dataset; one for each that is read from disk."),
]
ValidCaches = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option(
        "--valid-tracks",
        metavar="CACHE",
        help="Cache of the videos that choose the best epoch; default: every tenth training video.",
    ),
]
ValidNames = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(help="Dataset of --valid-tracks; default: that of --tracks."),
]
ValidSplits = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(help="Split of --valid-tracks; default: the dataset's validation split."),
]
ValidRoots = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option(help="Root folder of --valid-tracks' dataset; default: that of --data."),
]


def train_command(
    tracks: TrackCaches,
    dataset: Names = None,
    split: Splits = None,
    data: Roots = None,
    valid_tracks: ValidCaches = None,
    valid_dataset: ValidNames = None,
    valid_split: ValidSplits = None,
    valid_data: ValidRoots = None,
    preset: options.Preset = None,
    settings: options.Settings = None,
    text_encoder: Annotated[
        str, typer.Option(help="demo, a hub id or a folder; default: the preset's.")
    ] = "",
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of the selector; an interrupted training in it is resumed."),
    ] = None,
    epochs: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Exact number of epochs."),
    ] = None,
    minutes: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0.1, help="As many epochs as fit, by an estimate made at the start."),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Of weights, order and dropout; default 0."),
    ] = None,
    device: options.Device = "auto",
    workers: options.Workers = 0,
    half: Annotated[bool, typer.Option("--half", help="Store the weights as float16.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also log for TensorBoard, in OUT/tensorboard.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Train SOLA's selector on cached tracks.

    Interrupt it whenever you like: the same command resumes it and ends with the same weights.
    `--set selector.KEY=VALUE` changes the network, `--set KEY=VALUE` the training.

    Example: rvosbench sola train --tracks cache --out runs/selector
    """
    from sola.cli.session import Caches, Session

    session = Session(
        Caches("--tracks", tracks, dataset or ["demo"], split or ["train"], data or []),
        Caches(
            "--valid-tracks",
            valid_tracks or [],
            valid_dataset or [],
            valid_split or [],
            valid_data or [],
        ),
        preset,
        settings or [],
        epochs,
        minutes,
        seed,
        text_encoder,
        out,
        device,
        workers,
        half,
        tensorboard,
    )
    trained = session.run()
    if trained is None:
        return
    selector, best = trained
    if as_json:
        emit({"selector": str(selector), "best": best})
        return
    measures = {k: v for k, v in best.items() if k in ("jf", "j", "f", "selection", "f1", "empty")}
    title = f"validation, epoch {best['epoch']:.0f}"
    show(title, ["measure", "x 100"], [[k, percent(v)] for k, v in measures.items()], numbers=1)
    say(f"selector: {selector}")
    say(f"  rvosbench eval --method sola --set selector={selector} --tracks CACHE")
