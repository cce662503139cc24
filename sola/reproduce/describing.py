"""What would be done, without doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sola.reproduce.caches import needed_caches
from sola.reproduce.plan import TRAININGS, TRIALS, TablePlan, needed_trainings, needed_trials
from sola.reproduce.settings import Settings, possible, why_not
from sola.reproduce.trials import planned_evaluations


def describe(tables: Sequence[TablePlan], settings: Settings) -> dict[str, list[str]]:
    """What `reproduce` would do, for people: nothing is opened or made.

    Returns:
        "tracks", "trainings", "evaluations" and "left out", each a list of lines.
    """
    wanted = needed_trials(tables)
    trials = possible(wanted, settings)
    caches = needed_caches(trials, settings)
    names = needed_trainings(trials)
    return {
        "tracks": [f"{p.title} -> {settings.cache(p)}" for p in caches],
        "trainings": [_training_line(name, settings) for name in names],
        "evaluations": _evaluation_lines(trials, settings),
        "left out": [f"{n}: {why_not(n, settings)}" for n in wanted if n not in trials],
    }


def _training_line(name: str, settings: Settings) -> str:
    preset = settings.selector(name, 0)
    amount = f"{settings.sentences} sentences" if settings.sentences else "all sentences"
    changes = " ".join(f"--set {c}" for c in TRAININGS[name].changes)
    config = preset.training
    per = f" in {config.epochs} parts" if settings.sentences else f" x {config.epochs} epochs"
    return (
        f"{TRAININGS[name].title} x {settings.seeds} seeds: {amount}{per}, batch "
        f"{config.batch_size}, rate {config.learning_rate} {changes}".rstrip()
    )


def _evaluation_lines(trials: Sequence[str], settings: Settings) -> list[str]:
    counts = Counter((e.trial, e.split) for e in planned_evaluations(trials, settings))
    return [
        f"{split}: {trial} ({TRIALS[trial].method})" + (f" x {count} seeds" if count > 1 else "")
        for (trial, split), count in counts.items()
    ]
