"""The trainings: a selector for each network and seed, each a unit that can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from time import monotonic

from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import write_json
from rvosbench.models.devices import choose_device
from rvosbench.recipe import digest
from rvosbench.records import Json
from sola.config import TrainConfig, TrainingPreset
from sola.data.samples import TrackSet
from sola.data.track_data import OpenOptions, TrainingData, open_training_data
from sola.network.weights import initial_hash
from sola.reproduce.caches import cache_content
from sola.reproduce.plan import TRAININGS
from sola.reproduce.settings import Settings, budgeted
from sola.training.loop import train
from sola.training.observers import Lines

Tell = Callable[[str], None]


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


def make_trainings(
    names: Sequence[str], settings: Settings, tell: Tell
) -> dict[tuple[str, int], Trained]:
    """Trains what is missing.

    Args:
        names: of `TRAININGS`.
        settings: their caches are there.
        tell: is told, from any process, how it goes; sent to processes by pickle.

    Returns:
        (name, seed) -> the selector.

    Raises:
        TrainingInterruptedError: after a signal; the same call goes on.
    """
    if not names:
        return {}
    job = _Train(settings, tell)
    planned = {f"{name}/{seed}": (name, seed) for name in names for seed in range(settings.seeds)}
    units = [Unit(key, job.digest(*planned[key])) for key in planned]
    store = Store(settings.out / "trainings" / "done")
    run_units(units, job, store, local(settings.workers), _counted(tell, len(units)))
    return {planned[u.key]: _read(store.output(u.key), settings.out) for u in units}


@dataclass(frozen=True)
class _Train:
    settings: Settings
    tell: Tell

    def __getstate__(self) -> dict[str, object]:
        return {"settings": self.settings, "tell": self.tell}

    @cached_property
    def data(self) -> TrainingData:
        """Opened on first use in every process; overlaps are computed by the first one."""
        return open_data(self.settings)

    def planned(self, name: str, seed: int) -> TrainingPreset:
        """A network and its training, within the budget."""
        preset = self.settings.selector(name, seed)
        config = budgeted(preset.training, self.settings.sentences, sentences(self.data))
        return replace(preset, training=_validated(config, self.data))

    def digest(self, name: str, seed: int) -> str:
        """Of everything that decides the weights."""
        preset = self.planned(name, seed)
        initial = initial_hash(preset.training.init)
        facts = [asdict(preset.selector), asdict(preset.training), initial, dict(self.data.facts)]
        return digest(facts)

    def __call__(self, key: str, output: Path) -> None:
        """Train one selector; `output` says where it is and how it went."""
        name, _, seed = key.rpartition("/")
        preset = self.planned(name, int(seed))
        folder = Path("trainings") / f"{name}-{seed}-{self.digest(name, int(seed))[:8]}"
        label, begin = f"{TRAININGS[name].title}, seed {seed}", monotonic()
        device = choose_device(self.settings.device)
        with one_thread(device):
            watch = Lines(label, preset.training.epochs, self.tell)
            place = self.settings.out / folder
            best = train(self.data, preset.selector, preset.training, place, device, watch)
        write_json(
            output,
            {
                "folder": folder.as_posix(),
                "parameters": _parameters(place),
                "best": best,
                "training": asdict(preset.training),
                "seconds": round(monotonic() - begin, 1),
            },
            indent=1,
        )


def open_data(settings: Settings) -> TrainingData:
    """The training data of the shared caches, restricted to the videos asked for.

    Raises:
        TrackCacheError: a cache is missing or of other frames.
    """
    places = [settings.learnt, *([settings.chooses] if settings.chooses else [])]
    opened = [settings.open(place) for place in places]
    sets = [TrackSet(settings.cache(p), d) for p, d in zip(places, opened, strict=True)]
    how = OpenOptions(
        settings.sola.text_encoder, settings.device, settings.sola.dtype, settings.workers
    )
    data = open_training_data(sets[:1], sets[1:], how)
    ids = [settings.videos(d, p.learnt_from) for p, d in zip(places, opened, strict=True)]
    wanted = {video for some in ids for video in some}
    facts = {
        "train": [{"dataset": d.name, "split": d.split} for d in opened[:1]],
        "fingerprints": [d.fingerprint for d in opened],
        "tracks": [cache_content(s.cache, some) for s, some in zip(sets, ids, strict=True)],
        "text_encoder": data.facts["text_encoder"],
    }
    return TrainingData(
        [s for s in data.train if s.video in wanted],
        [s for s in data.valid if s.video in wanted],
        data.texts,
        facts,
    )


def sentences(data: TrainingData) -> int:
    """How many there are to learn from."""
    return sum(len(sample.texts) for sample in data.train)


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """On a CPU, sums depend on the number of threads: one, so that figures do not."""
    import torch

    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _validated(config: TrainConfig, data: TrainingData) -> TrainConfig:
    """Without background the epoch is chosen among box tracks, as at inference, if there are."""
    boxes = any("box" in sample.sources for sample in data.valid)
    return replace(config, background_inference=config.background_training or not boxes)


def _parameters(folder: Path) -> int:
    from sola.network.weights import load_selector

    return sum(p.numel() for p in load_selector(folder).parameters() if p.requires_grad)


def _read(path: Path, out: Path) -> Trained:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Trained(**{**content, "folder": out / content["folder"]})


def _counted(tell: Tell, total: int) -> Callable[[Unit, bool], None]:
    done: list[str] = []

    def on_done(unit: Unit, reused: bool) -> None:
        done.append(unit.key)
        tell(f"{len(done)}/{total} trainings: {unit.key}{' (was there)' if reused else ''}")

    return on_done
