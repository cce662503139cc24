"""The evaluations: every experiment on every split, with every seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from rvosbench.execution.units import Unit
from rvosbench.models.runtime import choose_device
from rvosbench.recipe import Recipe
from rvosbench.records import Json
from rvosbench.runs.evaluate import RunOptions, evaluate
from rvosbench.runs.methods import MethodChoice
from rvosbench.runs.result import Result, read_result, write_result
from sola.reproduce.caches import data_facts
from sola.reproduce.experiments import EXPERIMENTS
from sola.reproduce.settings import Settings, SplitFrames, chosen_method
from sola.reproduce.trainings import Selectors, Tell, make_units, one_thread

SILENCE = 20.0
"""Seconds after which a long evaluation says how far it is."""


@dataclass(frozen=True)
class Evaluation:
    """One run of a method.

    Attributes:
        experiment: one of `EXPERIMENTS`.
        split: of the dataset.
        seed: of the selector; 0 where nothing is trained.
    """

    experiment: str
    split: str
    seed: int = 0

    @property
    def key(self) -> str:
        """Names the unit."""
        return f"{self.split}/{self.experiment}/{self.seed}"

    @property
    def frames(self) -> SplitFrames:
        """What it sees."""
        return SplitFrames(self.split, EXPERIMENTS[self.experiment].corruption)


def planned_evaluations(names: Sequence[str], settings: Settings) -> tuple[Evaluation, ...]:
    """All runs; corrupted frames on the main split only. What takes longest comes first."""
    found = []
    for name in sorted(names, key=lambda name: EXPERIMENTS[name].cached):
        seeds = settings.seeds if EXPERIMENTS[name].network else 1
        splits = (settings.main_split,) if EXPERIMENTS[name].corruption else settings.splits
        found += [Evaluation(name, split, seed) for split in splits for seed in range(seeds)]
    return tuple(found)


def make_evaluations(
    names: Sequence[str], selectors: Selectors, settings: Settings, tell: Tell
) -> dict[Evaluation, Result]:
    """Evaluates what is missing.

    Args:
        names: of `EXPERIMENTS`, possible here.
        selectors: what `make_trainings` gave.
        settings: the caches are there.
        tell: is told, from any process, how it goes.
    """
    planned = {e.key: e for e in planned_evaluations(names, settings)}
    job = Evaluate(settings, dict(selectors), tell)
    recipes = {key: job.recipe(e) for key, e in planned.items()}
    made = make_units("evaluations", recipes, job, settings, tell)
    return {planned[key]: read_result(path) for key, path in made.items()}


@dataclass(frozen=True)
class Evaluate:
    """The job: runs one evaluation in a folder of its own and copies its result."""

    settings: Settings
    selectors: Selectors
    tell: Tell

    def method(self, evaluation: Evaluation) -> MethodChoice:
        """The method, its selector and its tracks."""
        experiment, changes = EXPERIMENTS[evaluation.experiment], dict[str, Json]()
        if experiment.cached:
            changes["tracks"] = str(self.settings.cache(evaluation.frames))
        if experiment.network:
            trained = self.selectors[experiment.network, evaluation.seed]
            changes["selector"] = str(trained.folder)
            changes["background_inference"] = experiment.background
        return chosen_method(evaluation.experiment, self.settings, changes)

    def recipe(self, evaluation: Evaluation) -> Recipe:
        """Everything that decides the scores: a retrained selector or rebuilt tracks give others.

        Paths decide nothing, so the selector's folder is not in it, but what lies there.
        """
        method, data = self.method(evaluation), self.settings.choice(evaluation.frames)
        details, told = method.details(), method.identify(data.video_ids)
        values = {k: v for k, v in details["configuration"].items() if k != "selector"}
        facts = {"name": method.name, **details, "configuration": values}
        identity = None if told is None else dict(told.provenance)
        return Recipe({"method": facts, "identity": identity, "data": data_facts(data)})

    def __call__(self, key: str, output: Path) -> None:
        """Run one evaluation."""
        split, name, seed = key.split("/")
        evaluation = Evaluation(name, split, int(seed))
        choice, digest = self.settings.choice(evaluation.frames), self.recipe(evaluation).digest
        folder = self.settings.out / "evaluations" / f"{split}-{name}-{seed}-{digest[:8]}"
        on_done = _told(self.tell, key, len(choice.video_ids))
        run = RunOptions(folder, resume=True, on_done=on_done)
        with one_thread(choose_device(self.settings.device)):
            method = self.method(evaluation)
            result = evaluate(method, choice.dataset, videos=choice.restriction, run=run)
        write_result(output, result)


def _told(tell: Tell, key: str, total: int) -> Callable[[Unit, bool], None]:
    done, last = [0], [monotonic()]

    def on_done(unit: Unit, reused: bool) -> None:
        done[0] += 1
        if monotonic() - last[0] > SILENCE:
            last[0] = monotonic()
            tell(f"{key}: {done[0]}/{total} videos")

    return on_done
