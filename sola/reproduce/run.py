"""All of it: tracks, trainings, evaluations, and the report; or what would be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from rvosbench.errors import NoGroundTruthError
from rvosbench.execution.units import Unit
from sola.reproduce.caches import make_cache, needed_caches
from sola.reproduce.evaluations import make_evaluations, planned_evaluations
from sola.reproduce.experiments import (
    EXPERIMENTS,
    NETWORKS,
    PaperTable,
    needed_experiments,
    needed_networks,
)
from sola.reproduce.report import Report, make_report
from sola.reproduce.settings import Settings, SplitFrames, possible
from sola.reproduce.trainings import Tell, make_trainings

Bar = Callable[[str, int], AbstractContextManager[Callable[[Unit, bool], None]]]
"""Opens a progress bar with a label over so many videos."""


def reproduce(tables: Sequence[PaperTable], settings: Settings, tell: Tell, bar: Bar) -> Report:
    """Makes what is missing of the experiments behind some tables.

    It may be killed at any time: the same call goes on, in the middle of a video's evaluation and
    of a training too. Rows that cannot be made here are left out, and the report says why.

    Raises:
        NoGroundTruthError: an evaluated split has no public ground truth.
        TrainingInterruptedError: after a signal.
        TrackCacheError: a cache was made otherwise.
        WeightsError: weights are not there.
    """
    names, missing = possible(needed_experiments(tables), settings)
    _check_truth(settings)
    for frames in needed_caches(names, settings):
        total = len(settings.choice(frames).video_ids)
        with bar(f"tracks of {settings.dataset}/{frames.title}", total) as on_done:
            make_cache(frames, settings, on_done)
    selectors = make_trainings(needed_networks(names), settings, tell)
    results = make_evaluations(names, selectors, settings, tell)
    return make_report(tables, settings, results, selectors, missing)


def describe(tables: Sequence[PaperTable], settings: Settings) -> dict[str, list[str]]:
    """What `reproduce` would do, for people: nothing is opened or made.

    Returns:
        "tracks", "trainings", "evaluations" and "left out", each a list of lines.
    """
    names, missing = possible(needed_experiments(tables), settings)
    counts = Counter((e.split, e.experiment) for e in planned_evaluations(names, settings))
    return {
        "tracks": [f"{f.title} -> {settings.cache(f)}" for f in needed_caches(names, settings)],
        "trainings": [_training_line(name, settings) for name in needed_networks(names)],
        "evaluations": [
            f"{split}: {name} ({EXPERIMENTS[name].method})" + (f" x {n} seeds" if n > 1 else "")
            for (split, name), n in counts.items()
        ],
        "left out": [f"{name}: {why}" for name, why in missing.items()],
    }


def _training_line(name: str, settings: Settings) -> str:
    config = settings.selector(name, 0).training
    title, change = NETWORKS[name]
    amount = f"all expressions x {config.epochs} epochs"
    if settings.expressions:
        amount = f"{settings.expressions} expressions in {config.epochs} parts"
    return (
        f"{title} x {settings.seeds} seeds: {amount}, batch {config.batch_size}, "
        f"rate {config.learning_rate}{f' --set {change}' if change else ''}"
    )


def _check_truth(settings: Settings) -> None:
    for split in settings.splits:
        dataset = settings.choice(SplitFrames(split)).dataset
        sample = next(iter(dataset))
        try:
            dataset.target(sample.video.id, sample.expressions[0].id)
        except NoGroundTruthError as error:
            raise NoGroundTruthError(
                f"{settings.dataset}/{split} has no public ground truth, so nothing can be scored "
                "on it: give a split that has it, such as --split valid_u"
            ) from error
