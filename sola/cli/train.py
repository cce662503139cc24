"""`rvosbench sola train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from rvosbench.cli import options

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


TextEncoder = Annotated[
    str, typer.Option(help="demo, a hub id or a folder; default: the preset's.")
]
Out = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Folder of the selector; an interrupted training in it is resumed."),
]
Epochs = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(min=1, help="Exact number of epochs."),
]
Minutes = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        min=0.1,
        help="As many epochs as fit into so many minutes by the clock, by an estimate made at the "
        "start.",
    ),
]
Seed = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(help="Seed of weights, order and dropout; default 0."),
]
Half = Annotated[bool, typer.Option("--half", help="Store the weights as float16.")]
Tensorboard = Annotated[
    bool, typer.Option("--tensorboard", help="Also log for TensorBoard, in OUT/tensorboard.")
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
    text_encoder: TextEncoder = "",
    out: Out = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = None,
    device: options.Device = "auto",
    workers: options.Workers = 0,
    half: Half = False,
    tensorboard: Tensorboard = False,
    as_json: options.AsJson = False,
) -> None:
    """Train SOLA's selector on cached tracks.

    Interrupt it whenever you like: the same command resumes it and ends with the same weights.
    `--set selector.KEY=VALUE` changes the network, `--set KEY=VALUE` the training.

    Example: rvosbench sola train --tracks cache --out runs/selector
    """
    from sola.cli.session import Caches, Session, show_trained

    session = Session(
        train=Caches("--tracks", tracks, dataset or ["demo"], split or ["train"], data),
        valid=Caches("--valid-tracks", valid_tracks, valid_dataset, valid_split, valid_data),
        preset=preset,
        settings=settings or [],
        epochs=epochs,
        minutes=minutes,
        seed=seed,
        text_encoder=text_encoder,
        out=out,
        device=device,
        workers=workers,
        half=half,
        tensorboard=tensorboard,
    )
    show_trained(session.run(), as_json)
