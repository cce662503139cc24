"""All of it: tracks, trainings, evaluations, and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rvosbench.errors import NoGroundTruthError
from rvosbench.execution.units import Unit
from sola.reproduce.caches import make_cache, needed_caches
from sola.reproduce.plan import TablePlan, needed_trainings, needed_trials
from sola.reproduce.report import Report, make_report
from sola.reproduce.settings import Place, Settings, possible, why_not
from sola.reproduce.trainings import Tell, make_trainings
from sola.reproduce.trials import make_evaluations

Bar = Callable[[str, int], AbstractContextManager[Callable[[Unit, bool], None]]]


@dataclass(frozen=True)
class Screen:
    """Where people see how it goes.

    Attributes:
        tell: takes a line, from any process: a function of a module.
        bar: opens a progress bar with a label over so many videos.
    """

    tell: Tell
    bar: Bar


def reproduce(tables: Sequence[TablePlan], settings: Settings, screen: Screen) -> Report:
    """Makes what is missing of the experiments behind some tables.

    It may be killed at any time: the same call goes on, in the middle of a video's evaluation and
    of a training too. Rows that cannot be made here are left out, and the report says why.

    Raises:
        NoGroundTruthError: an evaluated split keeps its truth.
        TrainingInterruptedError: after a signal.
        TrackCacheError: a cache was made otherwise.
        WeightsError: weights are not there.
    """
    wanted = needed_trials(tables)
    trials = possible(wanted, settings)
    _check_truth(settings)
    for place in needed_caches(trials, settings):
        _make(place, settings, screen)
    names = needed_trainings(trials)
    selectors = make_trainings(names, settings, screen.tell)
    results = make_evaluations(trials, selectors, settings, screen.tell)
    missing = {name: why_not(name, settings) for name in wanted if name not in trials}
    return make_report(tables, settings, results, selectors, missing)


def _make(place: Place, settings: Settings, screen: Screen) -> None:
    dataset = settings.open(place)
    total = len(settings.videos(dataset, place.learnt_from))
    with screen.bar(f"tracks of {settings.dataset}/{place.title}", total) as on_done:
        make_cache(place, settings, on_done)


def _check_truth(settings: Settings) -> None:
    for split in settings.splits:
        dataset = settings.open(Place(split))
        sample = next(iter(dataset))
        try:
            dataset.target(sample.video.id, sample.expressions[0].id)
        except NoGroundTruthError as error:
            raise NoGroundTruthError(
                f"{settings.dataset}/{split} keeps its truth, so nothing can be compared on it: "
                "give a split with truth, such as --split valid_u"
            ) from error
