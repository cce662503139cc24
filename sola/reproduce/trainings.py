"""The trainings: a selector for each network and seed; and units of any kind, made once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from time import monotonic

import torch

from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Job, Unit
from rvosbench.files.atomic import write_json
from rvosbench.models.runtime import choose_device
from rvosbench.recipe import Recipe
from rvosbench.records import Json
from rvosbench.tracks.cache import TrackCache
from sola.config import TrainingPreset
from sola.data.samples import TrackSet
from sola.data.track_data import OpenOptions, TrainingData, open_training_data
from sola.network.weights import count_parameters, initial_hash, read_selector
from sola.reproduce.experiments import NETWORKS
from sola.reproduce.settings import Settings, budgeted
from sola.training.loop import train
from sola.training.observers import Lines

Tell = Callable[[str], None]
"""Takes a line for people, from any process: a function of a module, sent by pickle."""


def make_units(
    stage: str, recipes: Mapping[str, Recipe], job: Job, settings: Settings, tell: Tell
) -> dict[str, Path]:
    """Makes the units of a stage that are missing or were made otherwise.

    Args:
        stage: its name, and that of its folder.
        recipes: key of a unit -> what decides its output.
        job: makes one, a JSON file.
        settings: of all experiments.
        tell: is told of every unit.

    Returns:
        Key -> the output.
    """
    store = Store(settings.out / stage / "done")
    done: list[str] = []

    def on_done(unit: Unit, reused: bool) -> None:
        done.append(unit.key)
        was = " (was there)" if reused else ""
        tell(f"{len(done)}/{len(recipes)} {stage}: {unit.key}{was}")

    units = [Unit(key, recipe.digest) for key, recipe in recipes.items()]
    run_units(units, job, store, local(settings.workers), on_done)
    return {key: store.output(key) for key in recipes}


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """On a CPU, sums depend on the number of threads: one, so that numbers do not."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Trained:
    """A selector that is there.

    Attributes:
        folder: of the selector.
        parameters: trainable ones.
        best: measures of the epoch that was kept.
        training: how it was trained, JSON-safe.
        seconds: that it took where it was made.
    """

    folder: Path
    parameters: int
    best: Mapping[str, float]
    training: Mapping[str, Json]
    seconds: float


Selectors = Mapping[tuple[str, int], Trained]
"""(network, seed) -> the selector."""


def make_trainings(
    names: Sequence[str], settings: Settings, tell: Tell
) -> dict[tuple[str, int], Trained]:
    """Trains what is missing.

    Args:
        names: of `NETWORKS`.
        settings: their caches are there.
        tell: is told, from any process, how it goes; sent to processes by pickle.

    Raises:
        TrainingInterruptedError: after a signal; the same call goes on.
    """
    if not names:
        return {}
    job = Train(settings, tell)
    planned = {f"{name}/{seed}": (name, seed) for name in names for seed in range(settings.seeds)}
    recipes = {key: job.recipe(*planned[key]) for key in planned}
    made = make_units("trainings", recipes, job, settings, tell)
    return {planned[key]: _read(path, settings.out) for key, path in made.items()}


@dataclass(frozen=True)
class Train:
    """The job: trains a selector, whose output says where it is and how it went."""

    settings: Settings
    tell: Tell

    def __getstate__(self) -> dict[str, object]:
        return {"settings": self.settings, "tell": self.tell}

    @cached_property
    def data(self) -> TrainingData:
        """Opened on first use in every process; overlaps are computed by the first one."""
        return open_data(self.settings)

    def recipe(self, network: str, seed: int) -> Recipe:
        """Everything that decides the weights."""
        preset = planned_training(network, seed, self.settings, self.data)
        return Recipe(
            {
                "selector": asdict(preset.selector),
                "training": asdict(preset.training),
                "initial": initial_hash(preset.training.init),
                "data": dict(self.data.facts),
            }
        )

    def __call__(self, key: str, output: Path) -> None:
        """Train one selector."""
        name, _, seed = key.rpartition("/")
        preset = planned_training(name, int(seed), self.settings, self.data)
        digest = self.recipe(name, int(seed)).digest
        folder = Path("trainings") / f"{name}-{seed}-{digest[:8]}"
        place, begin = self.settings.out / folder, monotonic()
        told = [Lines(f"{NETWORKS[name][0]}, seed {seed}", preset.training.epochs, self.tell)]
        device = choose_device(self.settings.device)
        with one_thread(device):
            best = train(self.data, preset.selector, preset.training, place, device, told)
        _, tensors = read_selector(place)
        count, seconds = count_parameters(tensors), round(monotonic() - begin, 1)
        trained = Trained(folder, count, best, asdict(preset.training), seconds)
        write_json(output, {**asdict(trained), "folder": folder.as_posix()}, indent=1)


def planned_training(
    network: str, seed: int, settings: Settings, data: TrainingData
) -> TrainingPreset:
    """A network and its training on some data, within the budget.

    Without background the epoch is chosen among box tracks, as at inference, if there are any.
    """
    preset = settings.selector(network, seed)
    available = sum(len(sample.texts) for sample in data.train)
    config = budgeted(preset.training, settings.expressions, available)
    boxes = any("box" in sample.sources for sample in data.valid)
    inference = config.background_training or not boxes
    return replace(preset, training=replace(config, background_inference=inference))


def open_data(settings: Settings) -> TrainingData:
    """The training data of the shared caches, restricted to the videos asked for.

    Raises:
        TrackCacheError: a cache is missing or of other frames.
    """
    frames = [settings.train, *([settings.validation] if settings.validation else [])]
    choices = [settings.choice(some) for some in frames]
    sets = [TrackSet(settings.cache(f), c.dataset) for f, c in zip(frames, choices, strict=True)]
    sola = settings.sola
    how = OpenOptions(sola.text_encoder, settings.device, sola.dtype, settings.workers)
    data = open_training_data(sets[:1], sets[1:], how)
    wanted = {video for choice in choices for video in choice.video_ids}
    first = choices[0].dataset
    facts = {
        "train": [{"dataset": first.name, "split": first.split}],
        "fingerprints": [choice.dataset.fingerprint for choice in choices],
        "tracks": [
            TrackCache(s.cache).content(c.video_ids) for s, c in zip(sets, choices, strict=True)
        ],
        "text_encoder": data.facts["text_encoder"],
    }
    learnt, judged = ([s for s in part if s.video in wanted] for part in (data.train, data.valid))
    return TrainingData(learnt, judged, data.texts, facts)


def _read(path: Path, out: Path) -> Trained:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Trained(**{**content, "folder": out / content["folder"]})
