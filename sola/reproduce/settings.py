"""On what the experiments are made, how long they train, and where everything lies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from rvosbench import plugins
from rvosbench.config import configure, keys, parse_assignments
from rvosbench.corruptions.plan import Plan, parse
from rvosbench.datasets.choice import DatasetChoice
from rvosbench.errors import UnknownNameError
from rvosbench.files.names import file_name
from rvosbench.records import Json
from rvosbench.runs.methods import MethodChoice, load_method
from sola.config import TrainConfig, TrainingPreset, split_keys, training_preset
from sola.method import SPEC, SolaConfig
from sola.reproduce.experiments import EXPERIMENTS, GROUNDER, NETWORKS, TRUTH_GROUNDER

TRAINING = "train."
"""Keys of `--set` that begin so change the training, all others SOLA."""

_PLACES = ("root", "device", "workers", "out", "tracks")


@dataclass(frozen=True)
class SplitFrames:
    """The frames of a split, as they are or corrupted; they have one cache of tracks.

    Attributes:
        split: of the dataset.
        corruption: of its frames, or empty.
        for_training: truth-prompted tracks, and no box tracks.
    """

    split: str
    corruption: str = ""
    for_training: bool = False

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.split}, {self.corruption}" if self.corruption else self.split


@dataclass(frozen=True)
class Settings:
    """What decides the numbers, and (`root`, `device` to `tracks`) where and how they are made.

    Attributes:
        dataset: name.
        preset: of SOLA and of its training.
        splits: evaluated ones; orderings are tested on the first. If there are several, the last
            one chooses the epoch of a training, otherwise held-out training videos do.
        root: folder of the dataset; None for the demo.
        train_split: trained on.
        train_videos: the first so many videos of it; 0: all.
        limit: the first so many videos of every evaluated split; 0: all.
        seeds: trainings of every network, with seeds 0, 1, ...
        expressions: expressions that a training sees in all: the same work on every machine; 0: as
            many epochs of all data as the preset says.
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
    expressions: int = 0
    epochs: int = 0
    training: tuple[str, ...] = ()
    method: Mapping[str, Json] = field(default_factory=dict)
    device: str = "auto"
    workers: int = 0
    out: Path = Path("runs/reproduce")
    tracks: Path = Path("runs/reproduce/tracks")

    @property
    def main_split(self) -> str:
        """The split on which orderings are tested."""
        return self.splits[0]

    @property
    def train(self) -> SplitFrames:
        """What is trained on."""
        return SplitFrames(self.train_split, for_training=True)

    @property
    def validation(self) -> SplitFrames | None:
        """What chooses the epoch; None: held-out training videos."""
        return SplitFrames(self.splits[-1]) if len(self.splits) > 1 else None

    @property
    def sola(self) -> SolaConfig:
        """The method, without a trained selector."""
        return configure(configure(SolaConfig(), SPEC.presets[self.preset]), self.method)

    def choice(self, frames: SplitFrames) -> DatasetChoice:
        """The split, its frames corrupted when read, and the videos that are looked at."""
        limit = self.train_videos if frames.for_training else self.limit
        choice = DatasetChoice(self.dataset, frames.split, self.root, limit=limit or None)
        if not frames.corruption:
            return choice
        ((name, severity),) = parse(frames.corruption)
        return replace(choice, corruption=Plan(name, severity))

    def cache(self, frames: SplitFrames) -> Path:
        """The folder of a split's tracks, such as `train`, `test` or `test-motion_blur-5`."""
        parts = [frames.split, *(frames.corruption.split(":") if frames.corruption else ())]
        if frames.for_training and frames.split in self.splits:
            parts.append("training")
        return self.tracks / file_name("-".join(parts))

    def selector(self, network: str, seed: int) -> TrainingPreset:
        """A network and its training, before the budget is applied."""
        preset = training_preset(self.preset, self.dataset)
        changes = [*self.training, NETWORKS[network][1], f"seed={seed}"]
        changes += [f"epochs={self.epochs}"] if self.epochs else []
        preset = preset.changed([change for change in changes if change])
        return replace(preset, text_encoder=self.sola.text_encoder)

    def at(self, out: Path | None, tracks: Path | None) -> Settings:
        """The same experiments in another place: by default a folder named after the dataset."""
        place = out or Path("runs") / f"reproduce-{self.dataset}"
        return replace(self, out=place, tracks=tracks or place / "tracks")

    def facts(self) -> dict[str, Json]:
        """What decides the numbers, JSON-safe, without places."""
        mine = {name: value for name, value in asdict(self).items() if name not in _PLACES}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in mine.items()}


def default_settings(dataset: str, preset: str | None = None) -> Settings:
    """What is done if nothing else is said: a small budget on the demo, everything elsewhere.

    Args:
        dataset: name.
        preset: None: "demo" on the demo, "released" elsewhere.

    Raises:
        UnknownNameError: there is no such dataset or preset.
    """
    demo = dataset == "demo"
    preset = preset or ("demo" if demo else "released")
    if preset not in SPEC.presets:
        raise UnknownNameError("preset", preset, SPEC.presets)
    if demo:  # three to four minutes a training on one core
        return Settings("demo", preset, ("test", "valid"), train_videos=2000, expressions=60_000)
    return Settings(dataset, preset, plugins.dataset_spec(dataset).splits[:1])


def changed(settings: Settings, assignments: Sequence[str]) -> Settings:
    """The settings with `key=value` applied to SOLA, `train.key=value` to its training.

    Raises:
        ConfigurationError: an unknown key, or a value that does not fit: told before any work.
    """
    training, method = split_keys(parse_assignments(assignments), TRAINING)
    made = replace(settings, training=tuple(f"{k}={v}" for k, v in training.items()), method=method)
    _ = made.sola, made.selector("full", 0)
    return made


def budgeted(config: TrainConfig, expressions: int, available: int) -> TrainConfig:
    """The training with so many expressions in all, in about as many epochs as before.

    Args:
        config: how to train.
        expressions: in all; 0 leaves the training as it is.
        available: expressions of the training data.
    """
    if not expressions:
        return config
    size = math.ceil(expressions / config.epochs)
    if size < available:
        return replace(config, epoch_size=size)
    return replace(config, epoch_size=0, epochs=max(1, round(expressions / max(1, available))))


def why_not(name: str, settings: Settings) -> str:
    """Why an experiment cannot be made here; empty if it can."""
    experiment = EXPERIMENTS[name]
    if experiment.method not in plugins.names(plugins.METHODS):
        return f"no method called {experiment.method} is installed"
    if experiment.method == TRUTH_GROUNDER and settings.dataset != "demo":
        return "only the demo says what a single frame tells"
    if name == "shipped" and settings.preset != "demo":
        return "only the demo's selector comes with the package"
    boxes = not experiment.background or experiment.method == GROUNDER
    if boxes and not settings.sola.grounder:
        return "there are no boxes: name a grounder with --set grounder=NAME"
    return ""


def possible(wanted: Sequence[str], settings: Settings) -> tuple[tuple[str, ...], dict[str, str]]:
    """The experiments that can be made here; and the others, with why not."""
    missing = {name: why for name in wanted if (why := why_not(name, settings))}
    return tuple(name for name in wanted if name not in missing), missing


def chosen_method(
    experiment: str, settings: Settings, changes: Mapping[str, Json] | None = None
) -> MethodChoice:
    """The experiment's method, changed as SOLA is where it has the same settings.

    Args:
        experiment: one of `EXPERIMENTS`.
        settings: of all experiments.
        changes: further settings, such as the folder of its tracks.

    Raises:
        UnknownNameError: the method is not installed.
        ConfigurationError: a setting that it does not have.
    """
    method = EXPERIMENTS[experiment].method
    spec = plugins.method_spec(method)
    known = set(keys(spec.config_type))
    shared = {k: v for k, v in settings.method.items() if k in known}
    preset = settings.preset if settings.preset in spec.presets else None
    merged = {**shared, **(changes or {})}
    return load_method(method, preset, merged, settings.device, settings.dataset)
