"""`rvosbench sola train`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, progress, say, show

if TYPE_CHECKING:
    from sola.data.track_data import OpenOptions, TrackSet, TrainingData
    from sola.presets import TrainingPreset
    from sola.training.parallel import World

Caches = Annotated[
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
    tracks: Caches,
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
        typer.Option(help="Folder of the selector; an interrupted training in it is taken up."),
    ] = None,
    epochs: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Exact number of epochs."),
    ] = None,
    minutes: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0.1, help="As many epochs as fit, by an estimate made at the start."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and dropout.")] = 0,
    device: options.Device = "auto",
    workers: options.Workers = 0,
    half: Annotated[bool, typer.Option("--half", help="Store the weights as float16.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also log for TensorBoard, in OUT/tensorboard.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Train SOLA's selector on cached tracks.

    Interrupt it whenever you like: the same command goes on, and ends with the same weights.
    `--set selector.KEY=VALUE` changes the network, `--set KEY=VALUE` the training.

    Example: rvosbench sola train --tracks cache --out runs/selector
    """
    import torch

    from rvosbench.errors import UsageError
    from rvosbench.models.devices import choose_device
    from sola.data.track_data import OpenOptions
    from sola.network.weights import load_selector, save_selector
    from sola.training.parallel import joined, own_device

    if minutes and (epochs or any(s.partition("=")[0].strip() == "epochs" for s in settings or ())):
        raise UsageError("--minutes chooses the number of epochs: give it or --epochs, not both")
    names = dataset or ["demo"]
    chosen = _configured(preset, names[0], settings, epochs, seed, text_encoder)
    sets = _sets(tracks, names, split or ["train"], data, "--tracks")
    others = _valid_sets(sets, valid_tracks or [], valid_dataset, valid_split, (valid_data, data))
    device = own_device(choose_device(device))
    with joined(device) as world:
        how = OpenOptions(chosen.text_encoder, device, workers=workers)
        opened = _open(sets, others, how, world)
        place = out or _default_folder(chosen, opened, names)
        best = _train(opened, chosen, place, (device, minutes, tensorboard), world)
    if not world.first:
        return
    if half:
        save_selector(place, load_selector(place), torch.float16)
    if as_json:
        emit({"selector": str(place), "best": best})
        return
    figures = {k: v for k, v in best.items() if k in ("jf", "j", "f", "selection", "f1", "empty")}
    title = f"validation, epoch {best['epoch']:.0f}"
    show(title, ["figure", "x 100"], [[k, percent(v)] for k, v in figures.items()], numbers=1)
    say(f"selector: {place}\n  rvosbench eval --method sola --set selector={place} --tracks CACHE")


def _configured(
    preset: str | None,
    dataset: str,
    settings: list[str] | None,
    epochs: int | None,
    seed: int,
    text_encoder: str,
) -> TrainingPreset:
    from sola.presets import training_preset

    changes = [f"seed={seed}", *(settings or [])]
    changes += [f"epochs={epochs}"] if epochs else []
    chosen = training_preset(preset, dataset).changed(changes)
    return replace(chosen, text_encoder=text_encoder or chosen.text_encoder)


def _sets(
    caches: Sequence[Path],
    names: Sequence[str],
    splits: Sequence[str] | None,
    roots: Sequence[Path] | None,
    option: str,
) -> list[TrackSet]:
    from rvosbench.datasets import load_dataset
    from rvosbench.plugins import dataset_spec
    from sola.data.track_data import TrackSet

    if not caches:
        return []
    count = len(caches)
    each = _spread(names, count, option, "datasets")
    parts = _spread(splits or [None], count, option, "splits")
    needing = [i for i, name in enumerate(each) if dataset_spec(name).needs_root]
    folders: dict[int, Path | None] = dict.fromkeys(range(count))
    if roots and needing:
        given = _spread(roots, len(needing), option, "data folders")
        folders.update(zip(needing, given, strict=True))
    return [
        TrackSet(cache, load_dataset(each[i], folders[i], parts[i]))
        for i, cache in enumerate(caches)
    ]


def _valid_sets(
    sets: Sequence[TrackSet],
    caches: Sequence[Path],
    names: Sequence[str] | None,
    splits: Sequence[str] | None,
    roots: tuple[Sequence[Path] | None, Sequence[Path] | None],
) -> list[TrackSet]:
    """The sets of --valid-tracks: of the training's dataset, if there is but one.

    `roots` are those of --valid-data and of --data.
    """
    from rvosbench.errors import UsageError

    given = list(dict.fromkeys(s.dataset.name for s in sets))
    if caches and not names and len(given) > 1 and len(caches) != len(sets):
        raise UsageError(
            f"{len(caches)} --valid-tracks for training on {' and '.join(given)}: say whose they "
            "are with --valid-dataset, and --valid-data for its folder"
        )
    if not names:
        names = given if len(given) == 1 else [s.dataset.name for s in sets]
    mine, others = roots
    return _sets(caches, names, splits, mine or _roots(sets, names, others), "--valid-tracks")


def _roots(
    sets: Sequence[TrackSet], names: Sequence[str], roots: Sequence[Path] | None
) -> Sequence[Path] | None:
    """The folders of datasets that are trained on too."""
    from rvosbench.plugins import dataset_spec

    if roots is None or len(roots) == 1:
        return roots
    needing = [s.dataset.name for s in sets if dataset_spec(s.dataset.name).needs_root]
    folders = dict(zip(needing, roots, strict=False))
    return [folders[name] for name in names if name in folders] or None


def _spread(values: Sequence, count: int, option: str, what: str) -> list:  # type: ignore[type-arg]
    """One value for all, or one each."""
    from rvosbench.errors import UsageError

    if len(values) not in (1, count):
        raise UsageError(
            f"{len(values)} {what} for {count} {option}: give one for all of them, or one each"
        )
    return list(values) * (count if len(values) == 1 else 1)


def _open(
    sets: Sequence[TrackSet], others: Sequence[TrackSet], how: OpenOptions, world: World
) -> TrainingData:
    """The first process computes what is missing beside the caches; the others wait, then read."""
    from rvosbench.tracks.cached import track_files
    from sola.data.track_data import open_training_data

    if not world.first:
        world.agree(None)
        return open_training_data(sets, others, how)
    total = sum(len(track_files(s.cache)) for s in (*sets, *others))
    with progress("tracks against truth", total) as on_done:
        opened = open_training_data(sets, others, replace(how, on_done=on_done))
    world.agree(None)
    return opened


def _default_folder(chosen: TrainingPreset, data: TrainingData, names: Sequence[str]) -> Path:
    from dataclasses import asdict

    from rvosbench.recipe import digest

    facts = [asdict(chosen.selector), asdict(chosen.training), dict(data.facts)]
    return Path("runs") / f"sola-train-{'-'.join(dict.fromkeys(names))}-{digest(facts)[:8]}"


def _train(
    data: TrainingData,
    chosen: TrainingPreset,
    out: Path,
    how: tuple[str, float | None, bool],
    world: World,
) -> dict[str, float]:
    from sola.cli.watching import watching
    from sola.training.loop import fit_epochs, train

    (device, minutes, tensorboard), config = how, chosen.training
    if minutes:
        config = fit_epochs(data, chosen.selector, config, 60 * minutes, out, device)
        config = world.agree(config)
    if world.first:
        say(f"{len(data.train)} videos to learn from, {len(data.valid)} to choose by; {out}")
        if data.foreign:
            say(f"{data.foreign} videos of the caches are of other splits, and left out")
    board = out / "tensorboard" if tensorboard else None
    with watching(config.epochs, world.first, board) as watch:
        return train(data, chosen.selector, config, out, device, watch, world)
