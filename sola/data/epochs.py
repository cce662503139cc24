"""One pass over the training data: in which order, in which batches.

Expressions of one video are kept together as far as a batch has room, because the selector then
works once on what they share; with a batch size of 1 this is a plain shuffle.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sola.config import TrainConfig
from sola.data.batches import Batch, Item, collate, make_item
from sola.data.samples import VideoSample
from sola.data.track_data import TrainingData

Chunk = tuple[int, tuple[int, ...]]
"""A video and some of its expressions, by index."""


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


def epoch_plan(
    chunks: Sequence[Chunk], config: TrainConfig, epoch: int, processes: int = 1
) -> list[list[Chunk]]:
    """The batches of an epoch over all processes; the same for the same seed and epoch.

    Args:
        chunks: what there is.
        config: batch size of a process, and how many expressions an epoch has.
        epoch: its number, from 1.
        processes: so many times as much is in a batch.
    """
    rng = np.random.default_rng((config.seed, epoch))
    size = config.batch_size * processes
    plan = plan_epoch(chunks, size, config.sentences_per_video, rng)
    if not config.epoch_size:
        return plan
    counts = np.cumsum([sum(len(expressions) for _, expressions in batch) for batch in plan])
    return plan[: int(np.searchsorted(counts, config.epoch_size)) + 1]


def load_batch(
    data: TrainingData, entry: Sequence[Chunk], config: TrainConfig, key: tuple[int, int]
) -> Batch:
    """The padded batch of a plan's entry.

    Args:
        data: videos and texts.
        entry: at least one expression.
        config: labels, and the share of tracks that are left out.
        key: epoch and step, which decide together with the seed and the video what is left out.
    """
    items = []
    for v, expressions in entry:
        threshold, against = config.label_threshold, config.label_target
        item = make_item(data.train[v], expressions, data.texts, threshold, against)
        if config.track_dropout:
            item = _thinned(item, config.track_dropout, (config.seed, *key, v))
        items.append(item)
    return collate(items)


def _thinned(item: Item, share: float, key: tuple[int, ...]) -> Item:
    """The item without a random share of its tracks; at least one stays."""
    rng = np.random.default_rng(key)
    keep = rng.random(len(item.objects)) >= share
    keep[rng.integers(len(keep))] = True
    return Item(item.objects[keep], item.texts, item.labels[:, keep], item.candidates[:, keep])
