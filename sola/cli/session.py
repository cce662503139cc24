"""One training from the command line: caches opened, epochs fitted, shown on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch

from rvosbench.cli.screen import emit, percent, progress, say, show
from rvosbench.config import parse_assignments
from rvosbench.datasets import load_dataset
from rvosbench.errors import UsageError
from rvosbench.models.runtime import choose_device
from rvosbench.plugins import dataset_spec
from rvosbench.recipe import digest
from rvosbench.tracks.cache import TrackCache
from sola.cli.train import TrainOptions
from sola.config import TrainingPreset, training_preset
from sola.data.samples import TrackSet
from sola.data.track_data import OpenOptions, TrainingData, open_training_data
from sola.network.weights import load_selector, save_selector
from sola.training.budget import fit_epochs
from sola.training.loop import train
from sola.training.observers import on_screen
from sola.training.parallel import World, joined, own_device

T = TypeVar("T")


@dataclass(frozen=True)
class Caches:
    """Track caches and whose they are: one value for all of them, or one each.

    Attributes:
        option: that names the caches.
        folders: of the caches.
        datasets: names; none takes those of the training.
        splits: none takes the validation splits.
        roots: folders of the datasets, one for all or one for each that is read from disk.
    """

    option: str
    folders: Sequence[Path] | None
    datasets: Sequence[str] | None = None
    splits: Sequence[str] | None = None
    roots: Sequence[Path] | None = None

    def opened(self) -> list[TrackSet]:
        """The caches with their splits.

        Raises:
            UsageError: neither one value nor one each.
        """
        folders, names = self.folders or (), self.names()
        splits = self._each(self.splits or [None], len(folders), "splits")
        on_disk = _on_disk(names)
        places = self._each(self.roots, len(on_disk), "data folders") if self.roots else []
        roots = dict(zip(on_disk, places, strict=False))
        return [
            TrackSet(folder, load_dataset(names[i], roots.get(i), splits[i]))
            for i, folder in enumerate(folders)
        ]

    def of(self, train: Caches) -> Caches:
        """These caches, for validation, of the training's datasets unless they say otherwise."""
        if not self.folders:
            return self
        known = train.names()
        names = self.datasets or (known if len(set(known)) > 1 else known[:1])
        if not self.datasets and len(names) not in (1, len(self.folders)):
            raise UsageError(
                f"{len(self.folders)} {self.option} for training on "
                f"{' and '.join(dict.fromkeys(known))}: say whose they are with --valid-dataset, "
                "and --valid-data for its folder"
            )
        roots = self.roots or train.roots
        if not self.roots and len(roots or ()) > 1:
            places = dict(zip([known[i] for i in _on_disk(known)], train.roots or (), strict=False))
            roots = [places[name] for name in names if name in places]
        return replace(self, datasets=names, roots=roots)

    def names(self) -> list[str]:
        """The dataset of each cache."""
        return self._each(self.datasets or (), len(self.folders or ()), "datasets")

    def _each(self, values: Sequence[T], count: int, what: str) -> list[T]:
        if count and len(values) not in (1, count):
            raise UsageError(
                f"{len(values)} {what} for {count} {self.option}: give one for all of them, or "
                "one each"
            )
        return list(values) * (count if len(values) == 1 else 1)


def _on_disk(names: Sequence[str]) -> list[int]:
    """Which of some datasets are read from a folder."""
    return [i for i, name in enumerate(names) if dataset_spec(name).needs_root]


def run_training(
    train: Caches, valid: Caches, asked: TrainOptions
) -> tuple[Path, dict[str, float]] | None:
    """Trains; gives folder and best epoch, or None to all processes but the first.

    Raises:
        UsageError: two options say the same thing, or leave open whose caches they are.
    """
    chosen = _chosen(asked, train.names()[0])
    sets, others = train.opened(), valid.of(train).opened()
    device = own_device(choose_device(asked.device))
    with joined(device) as world:
        how = OpenOptions(chosen.text_encoder, device, workers=asked.workers)
        data = _open(sets, others, how, world)
        out = asked.out or _default_folder(chosen, data, train.names())
        if asked.minutes:
            seconds = 60 * asked.minutes
            fitted = fit_epochs(data, chosen.selector, chosen.training, seconds, out, device)
            chosen = replace(chosen, training=world.broadcast(fitted))
        best = _train(data, chosen, out, device, world, asked.tensorboard)
    if not world.first:
        return None
    if asked.half:
        save_selector(out, load_selector(out), torch.float16)
    return out, best


def _chosen(asked: TrainOptions, dataset: str) -> TrainingPreset:
    """The preset with all changes. Raises UsageError if two options say the same thing."""
    settings = asked.settings or []
    given = parse_assignments(settings)
    if asked.minutes and (asked.epochs or "epochs" in given):
        raise UsageError("--minutes chooses the number of epochs: give it or --epochs, not both")
    options = {"epochs": asked.epochs, "seed": asked.seed}
    options = {name: value for name, value in options.items() if value is not None}
    for name in options.keys() & given.keys():
        raise UsageError(f"--{name} and --set {name}= say the same thing: give one of them")
    chosen = training_preset(asked.preset, dataset)
    chosen = chosen.changed([*settings, *(f"{k}={v}" for k, v in options.items())])
    return replace(chosen, text_encoder=asked.text_encoder or chosen.text_encoder)


def _train(
    data: TrainingData, chosen: TrainingPreset, out: Path, device: str, world: World, board: bool
) -> dict[str, float]:
    config = chosen.training
    if not world.first:
        return train(data, chosen.selector, config, out, device, world=world)
    say(f"{len(data.train)} videos to learn from, {len(data.valid)} to choose by; {out}")
    if data.n_other_splits:
        say(f"{data.n_other_splits} videos of the caches are of other splits, and left out")
    with on_screen(config.epochs, out / "tensorboard" if board else None) as observers:
        return train(data, chosen.selector, config, out, device, observers, world)


def _open(
    sets: Sequence[TrackSet], others: Sequence[TrackSet], how: OpenOptions, world: World
) -> TrainingData:
    """The first process computes what is missing beside the caches; the others wait, then read."""
    if not world.first:
        world.broadcast(None)
        return open_training_data(sets, others, how)
    total = sum(len(TrackCache(s.cache).files()) for s in (*sets, *others))
    with progress("tracks against ground truth", total) as on_done:
        opened = open_training_data(sets, others, replace(how, on_done=on_done))
    world.broadcast(None)
    return opened


def _default_folder(chosen: TrainingPreset, data: TrainingData, names: Sequence[str]) -> Path:
    facts = [asdict(chosen.selector), asdict(chosen.training), dict(data.facts)]
    return Path("runs") / f"sola-train-{'-'.join(dict.fromkeys(names))}-{digest(facts)[:8]}"


def show_trained(trained: tuple[Path, dict[str, float]] | None, as_json: bool) -> None:
    """Prints what `run_training` gave."""
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
