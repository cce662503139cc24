"""The candidate tracks that everything shares: one cache for every split and corruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.execution.executors.local import local
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import write_json
from rvosbench.models.weights import TEXT_ENCODER, embedded, identify
from rvosbench.recipe import digest
from rvosbench.records import Json
from rvosbench.tracks.cache import SUFFIX, TrackCache
from rvosbench.tracks.cache_build import BuildOptions, build_tracks
from rvosbench.tracks.cache_file import TrackCacheError, read_header
from rvosbench.tracks.candidates import CandidateConfig, grounder_identity, tracker_identity
from rvosbench.tracks.text_tokens import build_text_tokens
from sola.reproduce.plan import TRIALS
from sola.reproduce.settings import Place, Settings

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


def make_cache(place: Place, settings: Settings, on_done: OnDone) -> None:
    """Brings a cache up to date, text tokens too.

    A cache that is there keeps its extras: truth-prompted or box tracks that nobody asked for. One
    that was made here with the same settings is not looked into again.

    Raises:
        TrackCacheError: what is there was made otherwise; says what differs.
        WeightsError: weights are not there.
    """
    dataset, folder = settings.open(place), settings.cache(place)
    ids = settings.videos(dataset, place.learnt_from)
    if _finished(place, settings, dataset, ids):
        for video in ids:
            on_done(Unit(video, ""), True)
        return
    config, options = _asked(place, settings, ids)
    try:
        build_tracks(dataset, config, folder, options, local(settings.workers), on_done)
    except TrackCacheError as error:
        raise TrackCacheError(
            f"{error} (here: delete {folder}, or give another folder with --tracks)"
        ) from error
    texts = [e.text for video in ids for e in dataset.sample(video).expressions]
    build_text_tokens(
        folder, texts, settings.sola.text_encoder, settings.device, settings.sola.dtype
    )
    stamp = {
        "asked": _request(place, settings, dataset, ids),
        "content": cache_content(folder, ids),
    }
    write_json(_stamp(place, settings), stamp)


def cache_content(folder: Path, videos: Sequence[str]) -> str:
    """Hash of the tracks of some videos.

    Raises:
        TrackCacheError: one of them is not there.
    """
    return digest([[video, TrackCache(folder).header(video).content] for video in videos])


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


def _stamp(place: Place, settings: Settings) -> Path:
    return settings.out / "caches" / f"{settings.cache(place).name}.json"


def _finished(place: Place, settings: Settings, dataset: Dataset, videos: Sequence[str]) -> bool:
    try:
        stamp = json.loads(_stamp(place, settings).read_text(encoding="utf-8"))
        same = stamp["asked"] == _request(place, settings, dataset, videos)
        return bool(same and stamp["content"] == cache_content(settings.cache(place), videos))
    except (OSError, ValueError, KeyError, TrackCacheError):
        return False


def _request(
    place: Place, settings: Settings, dataset: Dataset, videos: Sequence[str]
) -> dict[str, Json]:
    """What decides a cache; the frames of a folder are looked at when it is made."""
    config = settings.candidates
    grounder = grounder_identity(config)
    encoder = embedded(settings.sola.text_encoder, TEXT_ENCODER)
    return {
        "dataset": [dataset.fingerprint, str(getattr(dataset, "corruption", "")), list(videos)],
        "models": [asdict(tracker_identity(config)), grounder and asdict(grounder)],
        "text": asdict(identify(str(encoder), TEXT_ENCODER)),
        "prompts": asdict(config.prompts),
        "settings": [place.learnt_from, config.dtype, settings.device],
    }
