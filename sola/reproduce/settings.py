"""On what the experiments are made, how long they train, and where everything lies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from rvosbench import plugins
from rvosbench.config import configure, keys
from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan, parse
from rvosbench.datasets import load_dataset
from rvosbench.datasets.capabilities import video_ids
from rvosbench.datasets.corrupted import corrupted
from rvosbench.files.names import file_name
from rvosbench.models import weights
from rvosbench.records import Json
from rvosbench.runs.methods import MethodChoice, load_method
from rvosbench.tracks.maker import CandidateConfig
from sola.config import TrainConfig, TrainingPreset, training_preset
from sola.method import SPEC, SolaConfig
from sola.reproduce.plan import GROUNDER, TRAININGS, TRIALS, TRUTH_GROUNDER


@dataclass(frozen=True)
class Place:
    """A split and what is done to it; it has one cache of tracks.

    Attributes:
        split: of the dataset.
        corruption: of its frames, or empty.
        learnt_from: it is for training: truth-prompted tracks, and no box tracks.
    """

    split: str
    corruption: str = ""
    learnt_from: bool = False

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.split}, {self.corruption}" if self.corruption else self.split


@dataclass(frozen=True)
class Settings:
    """What decides the figures, and (`workers`, `out`, `tracks`) how they are made.

    Attributes:
        dataset: name.
        preset: of SOLA and of its training.
        splits: evaluated ones; orderings are tested on the first. If there are several, the last
            one chooses the epoch of a training, otherwise held-out training videos do.
        root: folder of the dataset; None for the demo.
        train_split: learnt from.
        train_videos: the first so many videos of it; 0: all.
        limit: the first so many videos of every evaluated split; 0: all.
        seeds: trainings of every network, with seeds 0, 1, ...
        sentences: that a training sees in all; 0: as many epochs of all data as the preset says.
        epochs: parts of a training, each followed by a validation; 0: as the preset says.
        training: further changes of the training, as `sola train --set` takes them.
        method: further changes of SOLA, such as {"prompts.points_per_side": 8}; the other methods
            get those that they have too.
        device: "auto", "cpu", "cuda", ...
        workers: processes; 0 works in this one.
        out: folder of trainings, evaluations and the report.
        tracks: folder of the track caches.
    """

    dataset: str
    preset: str
    splits: tuple[str, ...]
    root: Path | None = None
    train_split: str = "train"
    train_videos: int = 0
    limit: int = 0
    seeds: int = 3
    sentences: int = 0
    epochs: int = 0
    training: tuple[str, ...] = ()
    method: Mapping[str, Json] = field(default_factory=dict)
    device: str = "auto"
    workers: int = 0
    out: Path = Path("runs/reproduce")
    tracks: Path = Path("runs/reproduce/tracks")

    @property
    def judged(self) -> str:
        """The split on which orderings are tested."""
        return self.splits[0]

    @property
    def learnt(self) -> Place:
        """What is learnt from."""
        return Place(self.train_split, learnt_from=True)

    @property
    def chooses(self) -> Place | None:
        """What chooses the epoch; None: held-out training videos."""
        return Place(self.splits[-1]) if len(self.splits) > 1 else None

    @property
    def sola(self) -> SolaConfig:
        """The method, without a trained selector."""
        return configure(configure(SolaConfig(), SPEC.presets[self.preset]), self.method)

    @property
    def candidates(self) -> CandidateConfig:
        """How tracks are made."""
        return self.sola.candidates

    def open(self, place: Place) -> Dataset:
        """A split, its frames corrupted when read."""
        dataset = load_dataset(self.dataset, self.root, place.split)
        if not place.corruption:
            return dataset
        ((name, severity),) = parse(place.corruption)
        return corrupted(dataset, Plan(name, severity))

    def videos(self, dataset: Dataset, learnt_from: bool = False) -> list[str]:
        """The ids of the videos that are looked at, in the dataset's order."""
        return video_ids(dataset)[: (self.train_videos if learnt_from else self.limit) or None]

    def cache(self, place: Place) -> Path:
        """The folder of a split's tracks, such as `train`, `test` or `test-motion_blur-5`."""
        parts = [place.split, *place.corruption.split(":")] if place.corruption else [place.split]
        if place.learnt_from and place.split in self.splits:
            parts.append("training")
        return self.tracks / file_name("-".join(parts))

    def selector(self, training: str, seed: int) -> TrainingPreset:
        """A network and its training, before the budget is applied."""
        preset = training_preset(self.preset, self.dataset)
        preset = preset.changed([*self.training, *TRAININGS[training].changes, f"seed={seed}"])
        if self.epochs:
            preset = preset.changed([f"epochs={self.epochs}"])
        return replace(preset, text_encoder=self.sola.text_encoder)

    def at(
        self, out: Path | None, tracks: Path | None, device: str = "auto", workers: int = 0
    ) -> Settings:
        """The same experiments in another place, on another device; nothing changes a figure.

        Args:
            out: None: a folder named after the dataset.
            tracks: None: within `out`.
            device: "auto", "cpu", "cuda", ...
            workers: processes.
        """
        place = out or Path("runs") / f"reproduce-{self.dataset}"
        return replace(
            self, out=place, tracks=tracks or place / "tracks", device=device, workers=workers
        )

    def facts(self) -> dict[str, Json]:
        """What decides the figures, JSON-safe, without places."""
        names = ["dataset", "preset", "splits", "train_split", "train_videos", "limit"]
        names += ["seeds", "sentences", "epochs", "training", "method"]
        mine = asdict(self)
        return {name: _plain(mine[name]) for name in names}


def budgeted(config: TrainConfig, sentences: int, available: int) -> TrainConfig:
    """The training with so many sentences in all, in about as many epochs as before.

    Args:
        config: how to train.
        sentences: in all; 0 leaves the training as it is.
        available: sentences of the training data.
    """
    if not sentences:
        return config
    size = math.ceil(sentences / config.epochs)
    if size < available:
        return replace(config, epoch_size=size)
    return replace(config, epoch_size=0, epochs=max(1, round(sentences / max(1, available))))


def why_not(trial: str, settings: Settings) -> str:
    """Why a trial cannot be made here; empty if it can."""
    spec = TRIALS[trial]
    if spec.method not in plugins.names(plugins.METHODS):
        return f"no method called {spec.method} is installed"
    if spec.method == TRUTH_GROUNDER and settings.dataset != "demo":
        return "only the demo says what a single frame tells"
    if trial == "shipped" and settings.preset != "demo":
        return "only the demo's selector comes with the package"
    if not spec.background and not settings.candidates.grounder:
        return "there are no box tracks: name a grounder with --set grounder=NAME"
    if spec.method == GROUNDER and _absent(trial, settings):
        return "there is no embedded grounder: name one with --set grounder=NAME"
    return ""


def _absent(trial: str, settings: Settings) -> bool:
    config = chosen_method(trial, settings).config
    name = str(getattr(config, "grounder", ""))
    return name == "demo" and weights.identify(name, weights.GROUNDER).sha256 is None


def possible(trials: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """The trials that can be made here."""
    return tuple(name for name in trials if not why_not(name, settings))


def chosen_method(
    trial: str, settings: Settings, changes: Mapping[str, Json] | None = None
) -> MethodChoice:
    """The trial's method, changed as SOLA is where it has the same settings.

    Args:
        trial: one of `TRIALS`.
        settings: of the experiments.
        changes: further settings, such as the folder of its tracks.

    Raises:
        UnknownNameError: the method is not installed.
        ConfigurationError: a setting that it does not have.
    """
    method = TRIALS[trial].method
    spec = plugins.method_spec(method)
    known = set(keys(spec.config_type))
    shared = {k: v for k, v in settings.method.items() if k in known}
    preset = settings.preset if settings.preset in spec.presets else None
    merged = {**shared, **(changes or {})}
    return load_method(method, preset, merged, settings.device, settings.dataset)


def _plain(value: Json) -> Json:
    return list(value) if isinstance(value, tuple) else value
