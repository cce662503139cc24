"""What is evaluated: every trial on every split, each a unit that can be taken up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.models.devices import choose_device
from rvosbench.models.weights import GROUNDER, TRACKER, identify
from rvosbench.recipe import digest
from rvosbench.records import Json
from rvosbench.runs.evaluate import RunOptions, evaluate
from rvosbench.runs.methods import MethodChoice
from rvosbench.runs.result import Result, read_result, write_result
from sola.method import EMBEDDED_SELECTOR
from sola.network.weights import checkpoint_hash
from sola.reproduce.caches import cache_content
from sola.reproduce.plan import TRIALS
from sola.reproduce.settings import Place, Settings, chosen_method
from sola.reproduce.trainings import Tell, Trained, one_thread

SILENCE = 20.0
"""Seconds after which a long evaluation says how far it is."""

Selectors = Mapping[tuple[str, int], Trained]


@dataclass(frozen=True)
class Evaluation:
    """One run of a method.

    Attributes:
        trial: one of `TRIALS`.
        split: of the dataset.
        seed: of the selector; 0 where nothing is trained.
    """

    trial: str
    split: str
    seed: int = 0

    @property
    def key(self) -> str:
        """Names the unit."""
        return f"{self.split}/{self.trial}/{self.seed}"

    @property
    def place(self) -> Place:
        """The frames it sees."""
        return Place(self.split, TRIALS[self.trial].corruption)


def planned_evaluations(trials: Sequence[str], settings: Settings) -> tuple[Evaluation, ...]:
    """All runs; corrupted frames on the judged split only. What takes longest comes first."""
    found = []
    for name in sorted(trials, key=lambda name: TRIALS[name].cached):
        spoilt, seeds = TRIALS[name].corruption, settings.seeds if TRIALS[name].training else 1
        splits = (settings.judged,) if spoilt else settings.splits
        found += [Evaluation(name, split, seed) for split in splits for seed in range(seeds)]
    return tuple(found)


def make_evaluations(
    trials: Sequence[str], selectors: Selectors, settings: Settings, tell: Tell
) -> dict[Evaluation, Result]:
    """Evaluates what is missing.

    Args:
        trials: of `TRIALS`, possible here.
        selectors: what `make_trainings` gave.
        settings: the caches are there.
        tell: is told, from any process, how it goes.
    """
    planned = {e.key: e for e in planned_evaluations(trials, settings)}
    sights = {e.place: _sight(e.place, settings) for e in planned.values()}
    job = _Evaluate(settings, dict(selectors), sights, tell)
    units = [Unit(key, job.digest(e)) for key, e in planned.items()]
    store = Store(settings.out / "evaluations" / "done")
    done: list[str] = []

    def on_done(unit: Unit, reused: bool) -> None:
        done.append(unit.key)
        was = " (was there)" if reused else ""
        tell(f"{len(done)}/{len(units)} evaluations: {unit.key}{was}")

    run_units(units, job, store, local(settings.workers), on_done)
    return {e: read_result(store.output(key)) for key, e in planned.items()}


@dataclass(frozen=True)
class _Sight:
    """What is seen in one place.

    Attributes:
        videos: ids.
        whole: they are all of the split's.
        truth: what decides sentences and masks, and the corruption.
        tracks: hash of the cache; None without one.
    """

    videos: tuple[str, ...]
    whole: bool
    truth: tuple[str, str]
    tracks: str | None


def _sight(place: Place, settings: Settings) -> _Sight:
    dataset = settings.open(place)
    ids = settings.videos(dataset)
    folder = settings.cache(place)
    truth = (dataset.fingerprint, str(getattr(dataset, "corruption", "")))
    tracks = cache_content(folder, ids) if folder.is_dir() else None
    return _Sight(tuple(ids), len(ids) == len(dataset), truth, tracks)


@dataclass(frozen=True)
class _Evaluate:
    settings: Settings
    selectors: Selectors
    sights: Mapping[Place, _Sight]
    tell: Tell

    def choice(self, evaluation: Evaluation) -> MethodChoice:
        """The method, its selector and its tracks."""
        trial, settings = TRIALS[evaluation.trial], self.settings
        changes: dict[str, Json] = {}
        if trial.cached:
            changes["tracks"] = str(settings.cache(evaluation.place))
        if trial.training:
            trained = self.selectors[trial.training, evaluation.seed]
            changes["selector"] = str(trained.folder)
            changes["background_inference"] = trial.background
        return chosen_method(evaluation.trial, settings, changes)

    def digest(self, evaluation: Evaluation) -> str:
        """Of everything that decides the scores."""
        choice, sight = self.choice(evaluation), self.sights[evaluation.place]
        facts = choice.facts()
        config = {k: v for k, v in facts["config"].items() if k != "selector"}
        selector = self._selector(evaluation)
        return digest(
            {
                "method": [facts["method"], facts["preset"], config],
                "data": [*sight.truth, *sight.videos],
                "selector": checkpoint_hash(selector) if selector else None,
                "tracks": sight.tracks if TRIALS[evaluation.trial].cached else None,
                "models": _models(choice.config),
            }
        )

    def __call__(self, key: str, output: Path) -> None:
        """Run one evaluation in a folder of its own and copy its result to `output`."""
        split, trial, seed = key.split("/")
        evaluation = Evaluation(trial, split, int(seed))
        sight = self.sights[evaluation.place]
        name = f"{split}-{trial}-{seed}-{self.digest(evaluation)[:8]}"
        folder = self.settings.out / "evaluations" / name
        videos = None if sight.whole else list(sight.videos)
        run = RunOptions(folder, resume=True, on_done=_told(self.tell, key, len(sight.videos)))
        with one_thread(choose_device(self.settings.device)):
            dataset = self.settings.open(evaluation.place)
            result = evaluate(self.choice(evaluation), dataset, videos=videos, run=run)
        write_result(output, result)

    def _selector(self, evaluation: Evaluation) -> Path | None:
        trial = TRIALS[evaluation.trial]
        if trial.training:
            return self.selectors[trial.training, evaluation.seed].folder
        return EMBEDDED_SELECTOR if evaluation.trial == "shipped" else None


def _models(config: object) -> list[str | None]:
    """Hashes of the frozen models that a configuration names."""
    tracker, grounder = (str(getattr(config, name, "")) for name in ("tracker", "grounder"))
    return [
        identify(tracker, TRACKER).sha256 if tracker else None,
        identify(grounder, GROUNDER).sha256 if grounder else None,
    ]


def _told(tell: Tell, key: str, total: int) -> Callable[[Unit, bool], None]:
    done, last = [0], [monotonic()]

    def on_done(unit: Unit, reused: bool) -> None:
        done[0] += 1
        if monotonic() - last[0] > SILENCE:
            last[0] = monotonic()
            tell(f"{key}: {done[0]}/{total} videos")

    return on_done
