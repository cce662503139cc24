"""The options of `rvosbench sola train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rvosbench.cli import options


@dataclass(frozen=True)
class TrainCaches:
    """Track caches to learn from, and whose they are."""

    tracks: Annotated[
        list[Path],
        typer.Option(
            metavar="CACHE",
            help="Track cache of `rvosbench tracks build --truth`; repeat it for joint training.",
        ),
    ]
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Dataset of the cache (default demo); one for all, or one each."),
    ] = None
    split: Annotated[
        list[str] | None,
        typer.Option(help="Split of the cache (default train); one for all, or one each."),
    ] = None
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Root folder of the dataset; one for each that is read from disk."),
    ] = None


@dataclass(frozen=True)
class ValidCaches:
    """Track caches to choose the best epoch by; what is not said is as in training."""

    valid_tracks: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CACHE",
            help="Cache of the videos that choose the best epoch; default: every tenth training "
            "video.",
        ),
    ] = None
    valid_dataset: Annotated[
        list[str] | None, typer.Option(help="Dataset of --valid-tracks; default: that of --tracks.")
    ] = None
    valid_split: Annotated[
        list[str] | None,
        typer.Option(help="Split of --valid-tracks; default: the dataset's validation split."),
    ] = None
    valid_data: Annotated[
        list[Path] | None,
        typer.Option(help="Root folder of --valid-tracks' dataset; default: that of --data."),
    ] = None


@dataclass(frozen=True)
class TrainOptions:
    """What a training is asked to be."""

    preset: options.Preset = None
    settings: options.Settings = None
    text_encoder: Annotated[
        str, typer.Option(help="demo, a hub id or a folder; default: the preset's.")
    ] = ""
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the selector; an interrupted training in it is resumed."),
    ] = None
    epochs: Annotated[int | None, typer.Option(min=1, help="Exact number of epochs.")] = None
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="As many epochs as fit into so many minutes by the clock, by an estimate made at "
            "the start.",
        ),
    ] = None
    seed: Annotated[
        int | None, typer.Option(help="Seed of weights, order and dropout; default 0.")
    ] = None
    device: options.Device = "auto"
    workers: options.Workers = 0
    half: Annotated[bool, typer.Option("--half", help="Store the weights as float16.")] = False
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also log for TensorBoard, in OUT/tensorboard.")
    ] = False
