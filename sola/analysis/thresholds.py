"""A finished run at other thresholds: its alignment scores are stored, nothing runs again.

Removing or adding tracks after they are scored changes no score, so a threshold is only another
choice among the run's own numbers. The masks come from the track cache that the run used, or are
made again as the run made them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rvosbench.config import configure
from rvosbench.contracts import Dataset, ExpressionScore, Summary
from rvosbench.errors import ResultError, UsageError
from rvosbench.masks import union
from rvosbench.metrics import official
from rvosbench.records import Prediction, Sample, Track
from rvosbench.runs.evaluation_set import GroundTruth
from rvosbench.runs.result import Result
from rvosbench.runs.run_folder import RunFolder
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.track_maker import TrackMaker
from sola.method import SolaConfig, select

THRESHOLDS = tuple(round(0.1 * i, 1) for i in range(1, 10))
Scores = Mapping[str, Mapping[str, float]]
"""Expression id -> track id -> alignment score."""


@dataclass(frozen=True)
class SweepRow:
    """A run as if its threshold had been another one.

    Attributes:
        threshold: tracks with a greater score are selected.
        j: region similarity, in [0, 1], by the run's protocol.
        f: contour accuracy.
        jf: their mean.
        tracks: selected tracks an expression, on average.
        empty: share of expressions without any.
        own: whether it is the run's own threshold.
    """

    threshold: float
    j: float
    f: float
    jf: float
    tracks: float
    empty: float
    own: bool


TracksOf = Callable[[Sample], Sequence[Track]]
"""What gives the tracks that a run chose among."""


def sweep(
    run: Path,
    tracks: Path | TracksOf,
    dataset: Dataset,
    thresholds: Sequence[float] = THRESHOLDS,
    on_video: Callable[[str], None] = lambda video: None,
) -> list[SweepRow]:
    """J, F and J&F by threshold; the run's own is always among them, and must come out the same.

    Args:
        run: folder of a finished `rvosbench eval --method sola`.
        tracks: the track cache it was made with, or what makes its tracks, see `made_again`.
        dataset: the split of the run.
        thresholds: in [0, 1].
        on_video: called after each video.

    Returns:
        A row a threshold, ascending.

    Raises:
        ResultError: no such run, or one without alignment scores.
        UsageError: another dataset or cache than that of the run.
    """
    result = finished_run(run)
    _check_dataset(result, dataset)
    own = float(result.facts["config"].get("threshold", 0.5))
    wanted = sorted({*thresholds, own})
    source = "tracks made again" if callable(tracks) else str(tracks)
    tracks_of = tracks if callable(tracks) else _cached(tracks)
    videos = list(dict.fromkeys(e.score.video for e in result.expressions))
    rows: dict[float, list[tuple[ExpressionScore, int]]] = {t: [] for t in wanted}
    for video in videos:
        for threshold, found in _video(run, tracks_of, dataset, result, video, wanted).items():
            rows[threshold] += found
        on_video(video)
    protocol = official.protocol(result.facts["protocol"])
    means = {t: protocol.summarize([score for score, _ in rows[t]]) for t in wanted}
    _check_same(result, means[own], source)
    counts = {t: np.array([count for _, count in rows[t]]) for t in wanted}
    return [
        SweepRow(t, m.j, m.f, m.jf, float(n.mean()), float((n == 0).mean()), t == own)
        for (t, m), n in zip(means.items(), counts.values(), strict=True)
    ]


def made_again(result: Result, device: str = "auto") -> TracksOf:
    """Makes the candidate tracks of a run of SOLA again, from the configuration that it records.

    As long as the run took. On another device or in another precision than the run's, tracks
    differ, and `sweep` will say so.

    Args:
        result: of the run.
        device: "auto" or a device.

    Raises:
        UsageError: the run is of corrupted frames, or not of SOLA.
        WeightsError: weights are not there.
    """
    facts = result.facts
    if facts["method"] != "sola" or facts.get("corruption"):
        raise UsageError(
            f"the run is of {facts['method']} on {facts.get('corruption') or 'clean'} frames: "
            "tracks can be made again for SOLA on clean frames only; name its cache with --tracks"
        )
    config = configure(SolaConfig(), facts["config"])
    return TrackMaker(config.candidates, device).tracks


def _cached(cache: Path) -> TracksOf:
    return lambda sample: TrackCache(cache).tracks(sample.video.id)


def finished_run(run: Path) -> Result:
    """The result of a run that kept alignment scores and could be scored.

    Raises:
        ResultError: there is none.
    """
    result = RunFolder(run).result()
    if result.summary is None:
        raise ResultError(f"{run}: the split has no public ground truth to score a threshold by")
    return result


def _check_dataset(result: Result, dataset: Dataset) -> None:
    facts = result.facts
    same = (facts["dataset"], facts["split"]) == (dataset.name, dataset.split)
    if not same or (not facts.get("corruption") and facts["fingerprint"] != dataset.fingerprint):
        raise UsageError(
            f"the run is of {facts['dataset']}/{facts['split']} ({facts['fingerprint'][:12]}), the "
            f"dataset is {dataset.name}/{dataset.split} ({dataset.fingerprint[:12]}): open the one "
            "that the run was made with"
        )


def _check_same(result: Result, summary: Summary, source: str) -> None:
    """The run's own threshold must give the run's own score: else the masks are others."""
    assert result.summary is not None
    have, want = (summary.j, summary.f), (result.summary.j, result.summary.f)
    if not np.allclose(have, want, atol=1e-9, rtol=0):
        raise UsageError(
            f"{source}: with these masks the run's own threshold gives J {have[0]:.4f}, F "
            f"{have[1]:.4f}, but the run says {want[0]:.4f}, {want[1]:.4f}: give the cache that "
            "the run was made with"
        )


def _video(
    run: Path,
    source: TracksOf,
    dataset: Dataset,
    result: Result,
    video: str,
    thresholds: Sequence[float],
) -> dict[float, list[tuple[ExpressionScore, int]]]:
    sample = dataset.sample(video)
    scores = _alignment(run, video)
    tracks = {t.id: t for t in source(sample)}
    missing = sorted({t for known in scores.values() for t in known} - tracks.keys())
    if missing:
        raise UsageError(
            f"video {video!r} has no track {missing[0]!r}, which the run chose among: "
            "give the cache that the run was made with"
        )
    argmax = bool(result.facts["config"].get("argmax_if_none", False))
    truth, protocol = GroundTruth(dataset, video), official.protocol(result.facts["protocol"])
    found: dict[float, list[tuple[ExpressionScore, int]]] = {}
    last: dict[str, list[str]] = {}
    for threshold in thresholds:
        chosen = {e: _selected(known, threshold, argmax) for e, known in scores.items()}
        if chosen != last or not found:
            predictions = {e: _prediction(sample, names, tracks) for e, names in chosen.items()}
            measured = protocol.score_video(sample, truth, predictions)
        found[threshold] = [(score, len(chosen.get(score.expression, ()))) for score in measured]
        last = chosen
    return found


def _alignment(run: Path, video: str) -> Scores:
    files = RunFolder(run).video(video)
    found = files.predictions().by_expression
    try:
        return {e: dict(p.diagnostics["alignment"]) for e, p in found.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(
            f"{files.path}: holds no alignment scores ({error!r}): was this a run of SOLA?"
        ) from error


def _selected(scores: Mapping[str, float], threshold: float, argmax: bool) -> list[str]:
    names = list(scores)
    return [names[i] for i in select([scores[n] for n in names], threshold, argmax)]


def _prediction(sample: Sample, names: Sequence[str], tracks: Mapping[str, Track]) -> Prediction:
    chosen = [tracks[name].masks for name in names]
    return Prediction(union(chosen, len(sample.video), sample.video.size))
