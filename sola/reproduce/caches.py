"""The candidate tracks that everything shares: one cache for every split and corruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rvosbench.datasets.capabilities import corruption_of
from rvosbench.datasets.choice import DatasetChoice
from rvosbench.execution.executors.local import local
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import write_json
from rvosbench.models.weights import TEXT_ENCODER, embedded, identify
from rvosbench.recipe import Recipe
from rvosbench.tracks.cache import SUFFIX, TrackCache
from rvosbench.tracks.cache_build import BuildOptions, build_tracks
from rvosbench.tracks.cache_file import TrackCacheError, read_header
from rvosbench.tracks.candidates import CandidateConfig, wanted_header
from rvosbench.tracks.text_tokens import build_text_tokens
from sola.reproduce.experiments import EXPERIMENTS
from sola.reproduce.settings import Settings, SplitFrames

OnDone = Callable[[Unit, bool], None]


def needed_caches(experiments: Sequence[str], settings: Settings) -> tuple[SplitFrames, ...]:
    """The caches of some experiments: for training, for the clean splits, for corrupted frames.

    Corrupted frames are evaluated on the main split only.
    """
    cached = [EXPERIMENTS[name] for name in experiments if EXPERIMENTS[name].cached]
    if not cached:
        return ()
    train = [settings.train] if any(EXPERIMENTS[name].network for name in experiments) else []
    corruptions = dict.fromkeys(e.corruption for e in cached if e.corruption)
    corrupted = [SplitFrames(settings.main_split, corruption) for corruption in corruptions]
    return (*train, *map(SplitFrames, settings.splits), *corrupted)


def make_cache(frames: SplitFrames, settings: Settings, on_done: OnDone) -> None:
    """Brings a cache up to date, text tokens too.

    A cache that is there keeps its extras: truth-prompted or box tracks that nobody asked for. One
    that was made here with the same settings is not looked into again.

    Raises:
        TrackCacheError: what is there was made otherwise; says what differs.
        WeightsError: weights are not there.
    """
    choice, folder = settings.choice(frames), settings.cache(frames)
    ids = choice.video_ids
    if is_finished(frames, settings):
        for video in ids:
            on_done(Unit(video, ""), True)
        return
    config, options = _asked(frames, settings, ids)
    try:
        build_tracks(choice.dataset, config, folder, options, local(settings.workers), on_done)
    except TrackCacheError as error:
        raise TrackCacheError(
            f"{error} (here: delete {folder}, or give another folder with --tracks)"
        ) from error
    texts = [e.text for video in ids for e in choice.dataset.sample(video).expressions]
    sola = settings.sola
    build_text_tokens(folder, texts, sola.text_encoder, settings.device, sola.dtype)
    remember(frames, settings)


def is_finished(frames: SplitFrames, settings: Settings) -> bool:
    """Whether the cache is as `remember` saw it, tracks and all, and is what is wanted now.

    Opens no frame: drawing those of the demo costs minutes.
    """
    try:
        kept = json.loads(_stamp(frames, settings).read_text(encoding="utf-8"))
        return bool(kept["digest"] == _recipe(frames, settings).digest)
    except (OSError, ValueError, KeyError, TypeError, TrackCacheError):
        return False


def remember(frames: SplitFrames, settings: Settings) -> None:
    """Notes what the cache was made with and what is in it."""
    write_json(_stamp(frames, settings), {"digest": _recipe(frames, settings).digest})


def _stamp(frames: SplitFrames, settings: Settings) -> Path:
    return settings.out / "caches" / f"{settings.cache(frames).name}.json"


def _asked(
    frames: SplitFrames, settings: Settings, videos: Sequence[str]
) -> tuple[CandidateConfig, BuildOptions]:
    config = settings.sola.candidates
    options = BuildOptions(truth=frames.for_training, device=settings.device, videos=videos)
    there = next(iter(sorted(settings.cache(frames).glob(f"*{SUFFIX}"))), None)
    header = None if there is None else read_header(there)
    if frames.for_training and (header is None or header.grounder is None):
        config = replace(config, grounder="")
    if header is not None:
        truth = frames.for_training or header.truth
        options = replace(options, truth=truth, token_dtype=header.token_dtype)
    return config, options


def _recipe(frames: SplitFrames, settings: Settings) -> Recipe:
    """What decides a cache, and what is in it; the frames of a folder are looked at when made."""
    choice, config = settings.choice(frames), settings.sola.candidates
    encoder = embedded(settings.sola.text_encoder, TEXT_ENCODER)
    return Recipe(
        {
            "data": data_facts(choice),
            "tracks": wanted_header(config).recipe.digest,
            "text": asdict(identify(str(encoder), TEXT_ENCODER)),
            "settings": [frames.for_training, config.dtype, settings.device],
            "content": TrackCache(settings.cache(frames)).content(choice.video_ids),
        }
    )


def data_facts(choice: DatasetChoice) -> list[str]:
    """What decides expressions and masks, the corruption, and the videos."""
    return [choice.dataset.fingerprint, corruption_of(choice.dataset) or "", *choice.video_ids]
