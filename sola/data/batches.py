"""Padded batches of expressions, and in which order a pass over the training data has them.

Expressions of one video are kept together as far as a batch has room, because the selector then
works once on what they share; with a batch size of 1 a pass is a plain shuffle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sola.config import LabelTarget, TrainConfig
from sola.data.samples import Flags, Floats, TextTable, Tokens, VideoSample, pseudo_labels
from sola.data.track_data import TrainingData


class ExpressionGroup(NamedTuple):
    """A video and some of its expressions, by index."""

    video: int
    expressions: tuple[int, ...]


class Item(NamedTuple):
    """K expressions of one video, K >= 1.

    Attributes:
        objects: (N, T, D) object tokens, N >= 1.
        texts: K arrays (W, E) of text tokens.
        labels: (K, N) bool, tracks to be selected.
        candidates: (K, N) bool, tracks that may serve the expression.
    """

    objects: Tokens
    texts: tuple[Floats, ...]
    labels: Flags
    candidates: Flags


class Batch(NamedTuple):
    """B expressions of V videos, padded with zeros at the end of every axis.

    A mask is None where everything is valid: exact, and faster.

    Attributes:
        objects: (V, N, T, D).
        text: (B, W, E).
        track_mask: (V or B, N) bool, True is valid, or None.
        frame_mask: (V, T) bool or None.
        word_mask: (B, W) bool, valid text tokens, or None.
        video: (B,) int64, each expression's row of `objects`.
        labels: (B, N), 0 or 1.
    """

    objects: Tensor
    text: Tensor
    track_mask: Tensor | None
    frame_mask: Tensor | None
    word_mask: Tensor | None
    video: Tensor
    labels: Tensor

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """What `TrackSelector.forward` takes, in its order: everything but the labels."""
        return self[:-1]

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        return Batch(*(None if t is None else t.to(device) for t in self))  # type: ignore[arg-type]

    def track_mask_by_expression(self) -> Tensor | None:
        """(B, N), or None if everything is valid."""
        if self.track_mask is None or len(self.track_mask) == len(self.video):
            return self.track_mask
        return self.track_mask[self.video]


def learnable(samples: Sequence[VideoSample]) -> list[ExpressionGroup]:
    """Every video with its expressions that have candidates; videos without any are left out."""
    groups = []
    for v, sample in enumerate(samples):
        usable = tuple(e for e in range(len(sample.texts)) if sample.candidates_of(e).any())
        groups += [ExpressionGroup(v, usable)] if usable else []
    return groups


def epoch_plan(
    groups: Sequence[ExpressionGroup], config: TrainConfig, epoch: int, processes: int = 1
) -> list[list[ExpressionGroup]]:
    """The batches of an epoch over all processes; the same for the same seed and epoch.

    Every expression comes once, in random order, before the plan is cut to `epoch_size`.

    Args:
        groups: what there is.
        config: batch size of a process, how many expressions of a video are kept together, and how
            many an epoch has.
        epoch: its number, from 1.
        processes: so many times as much is in a batch.
    """
    rng = np.random.default_rng((config.seed, epoch))
    batch_size = config.batch_size * processes
    size = min(batch_size, config.sentences_per_video)
    pieces: list[ExpressionGroup] = []
    for video, expressions in groups:
        order = rng.permutation(np.array(expressions)).tolist()
        for begin in range(0, len(order), size):
            pieces.append(ExpressionGroup(video, tuple(order[begin : begin + size])))
    batches: list[list[ExpressionGroup]] = []
    room = planned = 0
    for index in rng.permutation(len(pieces)):
        count = len(pieces[index].expressions)
        if count > room:
            if config.epoch_size and planned >= config.epoch_size:
                break
            batches.append([])
            room = batch_size
        batches[-1].append(pieces[index])
        room, planned = room - count, planned + count
    return batches


def load_batch(
    data: TrainingData, groups: Sequence[ExpressionGroup], config: TrainConfig, key: tuple[int, int]
) -> Batch:
    """The padded batch of some expressions.

    Args:
        data: videos and texts.
        groups: at least one expression.
        config: labels, and the share of tracks that are left out.
        key: epoch and step, which decide together with the seed and the video what is left out.
    """
    items = []
    for v, expressions in groups:
        threshold, against = config.label_threshold, config.label_target
        item = make_item(data.train[v], expressions, data.texts, threshold, against)
        if config.track_dropout:
            item = drop_tracks(item, config.track_dropout, (config.seed, *key, v))
        items.append(item)
    return collate(items)


def make_item(
    sample: VideoSample,
    expressions: Sequence[int],
    texts: TextTable,
    threshold: float,
    against: LabelTarget = "object",
) -> Item:
    """Some expressions of a video, with their candidates and pseudo-labels."""
    return Item(
        sample.tokens,
        tuple(texts[sample.texts[e]] for e in expressions),
        np.stack([pseudo_labels(sample, e, threshold, against) for e in expressions]),
        np.stack([sample.candidates_of(e) for e in expressions]),
    )


def drop_tracks(item: Item, share: float, key: tuple[int, ...]) -> Item:
    """The item without a random share of its tracks; at least one stays."""
    rng = np.random.default_rng(key)
    keep = rng.random(len(item.objects)) >= share
    keep[rng.integers(len(keep))] = True
    return Item(item.objects[keep], item.texts, item.labels[:, keep], item.candidates[:, keep])


def collate(items: Sequence[Item]) -> Batch:
    """Pads videos and expressions to one size; `items` must not be empty.

    Expressions keep the order of `items`. Tokens of a video are held once.
    """
    objects = _pad([item.objects for item in items])
    text = _pad([tokens for item in items for tokens in item.texts])
    counts = [len(item.texts) for item in items]
    tracks = _track_mask(items, objects.shape[1])
    frames = _length_mask([item.objects.shape[1] for item in items], objects.shape[2])
    words = _length_mask([len(tokens) for item in items for tokens in item.texts], text.shape[1])
    video = torch.arange(len(items)).repeat_interleave(torch.tensor(counts))
    labels = _pad([row for item in items for row in item.labels.astype(np.float32)])
    return Batch(objects, text, tracks, frames, words, video, labels)


def _pad(arrays: Sequence[Tokens]) -> Tensor:
    shape = np.max([array.shape for array in arrays], axis=0)
    padded = np.zeros((len(arrays), *shape), np.float32)
    for row, array in zip(padded, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return torch.from_numpy(padded)


def _track_mask(items: Sequence[Item], longest: int) -> Tensor | None:
    """By video if every track is everybody's candidate: the layers can share more then."""
    if all(item.candidates.all() for item in items):
        return _length_mask([len(item.objects) for item in items], longest)
    return _pad([row.astype(np.float32) for item in items for row in item.candidates]).bool()


def _length_mask(lengths: Sequence[int], longest: int) -> Tensor | None:
    if all(length == longest for length in lengths):
        return None
    return torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]
