"""Training data from track caches: which caches, of which datasets, with which text tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from rvosbench.execution.units import Unit
from rvosbench.recipe import digest
from rvosbench.records import Json
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import TrackCacheError
from rvosbench.tracks.text_tokens import open_text_tokens
from sola.data.overlaps import build_overlaps, read_overlaps
from sola.data.samples import (
    Flags,
    Floats,
    LazyTokens,
    TextTable,
    TokenStore,
    TrackSet,
    VideoSample,
)

HELD_OUT = 10
"""Without validation data, every tenth training video chooses the best epoch."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training sees.

    Attributes:
        train: videos to learn from.
        valid: videos to choose the best epoch by.
        texts: text tokens of all their expressions.
        facts: what the data are, for provenance: datasets, fingerprints, hashes. JSON-safe.
        n_other_splits: videos of the caches that are of other splits, and so left out.
    """

    train: Sequence[VideoSample]
    valid: Sequence[VideoSample]
    texts: TextTable
    facts: Mapping[str, Json] = field(default_factory=dict)
    n_other_splits: int = 0


@dataclass(frozen=True)
class OpenOptions:
    """How training data are opened; only `text_encoder` changes a number.

    Attributes:
        text_encoder: "demo" (embedded), a hub id or a local folder.
        device: where the encoder runs for texts that a cache does not have.
        dtype: of the encoder; "auto" accepts any.
        workers: processes that compute overlaps; 0 works in this one.
        on_done: called for each video whose overlaps are known.
    """

    text_encoder: str = "demo"
    device: str = "auto"
    dtype: str = "auto"
    workers: int = 0
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None


def open_training_data(
    train: Sequence[TrackSet], valid: Sequence[TrackSet] = (), options: OpenOptions | None = None
) -> TrainingData:
    """Opens caches for training; object tokens stay on disk.

    Args:
        train: one or several (joint training): all their videos are learnt from.
        valid: to choose the best epoch by; none holds out every tenth training video.
        options: how.

    Raises:
        TrackCacheError: a cache is missing, broken, of other frames, or its text tokens are of
            another encoder than those of the others.
        NoGroundTruthError: a split without ground truth.
        WeightsError: texts are not cached, and the encoder's weights are not there.
    """
    options = options or OpenOptions()
    store = TokenStore()
    opened = {s: _open(s, store, options) for s in (*train, *valid)}
    samples, held_out = ([v for s in sets for v in opened[s][0]] for sets in (train, valid))
    used = len(samples) + len(held_out)
    if not valid:
        samples, held_out = hold_out(samples)
    texts, encoder = _texts([*train, *valid], [*samples, *held_out], options)
    facts = {
        "train": [opened[s][1] for s in train],
        "valid": [opened[s][1] for s in valid] or f"every {HELD_OUT}th training video",
        "text_encoder": encoder,
    }
    cached = sum(len(TrackCache(s.cache).files()) for s in (*train, *valid))
    return TrainingData(samples, held_out, texts, facts, cached - used)


def hold_out(videos: Sequence[VideoSample]) -> tuple[list[VideoSample], list[VideoSample]]:
    """All videos but every tenth, and every tenth; a single one is in both."""
    rest = [video for i, video in enumerate(videos) if i % HELD_OUT]
    return rest or list(videos), list(videos[::HELD_OUT])


def _open(
    tracks: TrackSet, store: TokenStore, options: OpenOptions
) -> tuple[list[VideoSample], dict[str, Json]]:
    covered = build_overlaps(tracks.cache, tracks.dataset, options.workers, options.on_done)
    samples = [_sample(header.video, overlaps, store, tracks) for header, overlaps in covered]
    return samples, {
        "dataset": tracks.dataset.name,
        "split": tracks.dataset.split,
        "fingerprint": tracks.dataset.fingerprint,
        "tracks": digest(sorted([header.video, header.content] for header, _ in covered)),
        "videos": len(samples),
        "expressions": sum(len(s.expressions) for s in samples),
    }


def _sample(video: str, overlaps: Path, store: TokenStore, origin: TrackSet) -> VideoSample:
    content = read_overlaps(overlaps)
    tracks, objects = content["tracks"], content["objects"]
    ids = tuple(e[0] for e in content["expressions"])
    meant = [e[2] for e in content["expressions"]]
    overlap = np.array(content["overlap"], np.float32).reshape(len(tracks), len(objects))
    targets = np.array([[o in names for o in objects] for names in meant], bool)
    targets = targets.reshape(len(ids), len(objects))
    read = partial(store.read, TrackCache(origin.cache).path(video))
    shape = (len(tracks), content["frames"], content["dim"])
    unions = {tuple(names): row for names, row in content["unions"]}
    return VideoSample(
        video=video,
        stored=LazyTokens(read, slice(0, len(tracks)), shape),
        overlap=overlap,
        expressions=ids,
        texts=tuple(e[1] for e in content["expressions"]),
        targets=targets,
        union_overlap=_unions(overlap, targets, [unions.get(tuple(n)) for n in meant]),
        candidates=_candidates([c for _, c in tracks], ids),
        sources=tuple(source for source, _ in tracks),
        origin=origin,
    )


def _unions(overlap: Floats, targets: Flags, several: Sequence[list[float] | None]) -> Floats:
    """(K, N): a single target's column, the stored row of several, 0 without a target."""
    rows = np.zeros((len(targets), len(overlap)), np.float32)
    for row, wanted, stored in zip(rows, targets, several, strict=True):
        if stored is not None:
            row[:] = stored
        elif wanted.any():
            row[:] = overlap[:, wanted.argmax()]
    return rows


def _candidates(serves: Sequence[list[str] | None], ids: Sequence[str]) -> Flags | None:
    """(K, N); None if every track serves every expression."""
    if all(known is None for known in serves):
        return None
    flags = [[known is None or i in known for known in serves] for i in ids]
    return np.array(flags, bool).reshape(len(ids), len(serves))


def _texts(
    sets: Sequence[TrackSet], samples: Sequence[VideoSample], options: OpenOptions
) -> tuple[TextTable, str]:
    """Every distinct text once, from the caches where they have it; the encoder's hash."""
    table: dict[str, Floats] = {}
    checksum = ""
    for cache in dict.fromkeys(s.cache for s in sets):
        mine = {t for s in samples if s.origin and s.origin.cache == cache for t in s.texts}
        new = sorted(mine - table.keys())
        if not new:
            continue
        source = open_text_tokens(str(cache), options.text_encoder, options.device, options.dtype)
        if checksum not in ("", source.checkpoint_hash):
            raise TrackCacheError(
                f"{cache}: its text tokens are of another {options.text_encoder} (sha256 "
                f"{source.checkpoint_hash[:12]}) than those of the caches before it "
                f"({checksum[:12]}): encode all texts with one, `rvosbench tracks build "
                "--text-encoder`, after deleting the folder texts/ of those that differ"
            )
        checksum = source.checkpoint_hash
        table.update(zip(new, source.encode(new), strict=True))
    return table, checksum


def limited(samples: Sequence[VideoSample], count: int) -> list[VideoSample]:
    """At most `count` samples, spread evenly; 0 takes all."""
    if not count or len(samples) <= count:
        return list(samples)
    return [samples[i * len(samples) // count] for i in range(count)]


def prepared(data: TrainingData, train: Sequence[str], valid: Sequence[str]) -> TrainingData:
    """The data with tracks of some sources only, on either side."""
    return replace(
        data, train=[s.only(train) for s in data.train], valid=[s.only(valid) for s in data.valid]
    )
