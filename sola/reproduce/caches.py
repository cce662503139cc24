"""The candidate tracks that everything shares: one cache for every split and corruption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rvosbench.tracks.building import BuildOptions, build_tracks
from rvosbench.tracks.cache import read_header
from rvosbench.tracks.cached import SUFFIX, track_file
from rvosbench.tracks.maker import CandidateConfig
from rvosbench.tracks.words import build_words
from rvosbench.work import Unit, digest, local

from .plan import TRIALS
from .settings import Place, Settings

OnDone = Callable[[Unit, bool], None]


def needed_caches(trials: tuple[str, ...], settings: Settings) -> tuple[Place, ...]:
    """The caches of some trials: for training, for the clean splits, for corrupted frames.

    Corrupted frames are evaluated on the judged split only.
    """
    cached = [TRIALS[name] for name in trials if TRIALS[name].cached]
    if not cached:
        return ()
    places = [settings.learnt] if any(TRIALS[name].training for name in trials) else []
    places += [Place(split) for split in settings.splits]
    spoilt = dict.fromkeys(t.corruption for t in cached if t.corruption)
    return (*places, *(Place(settings.judged, corruption) for corruption in spoilt))


def make_cache(place: Place, settings: Settings, on_done: OnDone) -> int:
    """Brings a cache up to date, text tokens too; returns its number of videos.

    A cache that is there keeps its extras: truth-prompted or box tracks that nobody asked for.

    Raises:
        TrackCacheError: what is there was made otherwise; says what differs.
        WeightsError: weights are not there.
    """
    dataset, folder = settings.open(place), settings.cache(place)
    ids = settings.videos(dataset, place.learnt_from)
    config, options = _asked(place, settings, ids)
    build_tracks(dataset, config, folder, options, local(settings.workers), on_done)
    texts = [e.text for video in ids for e in dataset.sample(video).expressions]
    build_words(folder, texts, settings.sola.text_encoder, settings.device, settings.sola.dtype)
    return len(ids)


def cache_content(folder: Path, videos: Sequence[str]) -> str:
    """Hash of the tracks of some videos.

    Raises:
        TrackCacheError: one of them is not there.
    """
    return digest([[video, read_header(track_file(folder, video)).content] for video in videos])


def _asked(
    place: Place, settings: Settings, videos: Sequence[str]
) -> tuple[CandidateConfig, BuildOptions]:
    config = settings.candidates
    options = BuildOptions(truth=place.learnt_from, device=settings.device, videos=videos)
    there = next(iter(sorted(settings.cache(place).glob(f"*{SUFFIX}"))), None)
    if there is None:
        return (replace(config, grounder="") if place.learnt_from else config), options
    header = read_header(there)
    if place.learnt_from and header.grounder is None:
        config = replace(config, grounder="")
    options = replace(
        options, truth=place.learnt_from or header.truth, token_dtype=header.token_dtype
    )
    return config, options
