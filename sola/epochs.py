"""One pass over the training data: in which order, in which batches.

Expressions of one video are kept together as far as a batch has room, because the selector then
works once on what they share; with a batch size of 1 this is a plain shuffle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .batching import Batch, Item, collate, make_item
from .config import TrainConfig
from .samples import TextTable, VideoSample

Chunk = tuple[int, tuple[int, ...]]
"""A video and some of its expressions, by index."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training sees: videos to learn from, videos to choose by, their text tokens."""

    train: Sequence[VideoSample]
    valid: Sequence[VideoSample]
    texts: TextTable


def learnable(samples: Sequence[VideoSample]) -> list[Chunk]:
    """Every video with its expressions that have candidates; videos without any are left out."""
    chunks = [
        (v, tuple(e for e in range(len(sample.texts)) if sample.candidates_of(e).any()))
        for v, sample in enumerate(samples)
    ]
    return [(v, expressions) for v, expressions in chunks if expressions]


def plan_epoch(
    chunks: Sequence[Chunk], batch_size: int, per_video: int, rng: np.random.Generator
) -> list[list[Chunk]]:
    """Batches of at most `batch_size` expressions; every expression comes once, in random order.

    Args:
        chunks: what there is.
        batch_size: most expressions in a batch.
        per_video: most expressions that are kept together.
        rng: decides the order.
    """
    size = min(batch_size, per_video)
    pieces: list[Chunk] = []
    for video, expressions in chunks:
        order = rng.permutation(np.array(expressions))
        for begin in range(0, len(order), size):
            pieces.append((video, tuple(int(e) for e in order[begin : begin + size])))
    batches: list[list[Chunk]] = []
    room = 0
    for index in rng.permutation(len(pieces)):
        count = len(pieces[index][1])
        if count > room:
            batches.append([])
            room = batch_size
        batches[-1].append(pieces[index])
        room -= count
    return batches


def load_batch(
    data: TrainingData, chunks: Sequence[Chunk], config: TrainConfig, rng: np.random.Generator
) -> Batch:
    """The padded batch of a plan's entry; `rng` decides which tracks are left out."""
    items = (
        make_item(data.train[v], e, data.texts, config.label_threshold, config.label_target)
        for v, e in chunks
    )
    return collate([_thinned(item, config.track_dropout, rng) for item in items])


def epoch_batches(
    data: TrainingData, chunks: Sequence[Chunk], config: TrainConfig, epoch: int
) -> tuple[int, Iterator[Batch]]:
    """Number of batches of an epoch, and the batches; the same for the same seed and epoch."""
    rng = np.random.default_rng((config.seed, epoch))
    plan = plan_epoch(chunks, config.batch_size, config.sentences_per_video, rng)
    return len(plan), (load_batch(data, entry, config, rng) for entry in plan)


def _thinned(item: Item, share: float, rng: np.random.Generator) -> Item:
    """The item without a random share of its tracks; at least one stays."""
    if not share:
        return item
    keep = rng.random(len(item.objects)) >= share
    keep[rng.integers(len(keep))] = True
    return Item(item.objects[keep], item.texts, item.labels[:, keep], item.candidates[:, keep])
