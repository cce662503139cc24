"""Padded batches of expressions, from one or several videos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sola.config import LabelTarget
from sola.data.labels import pseudo_labels
from sola.data.samples import Flags, Floats, TextTable, Tokens, VideoSample


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
        labels: (B, N), 0 or 1.
        track_mask: (V or B, N) bool, True is valid, or None.
        frame_mask: (V, T) bool or None.
        word_mask: (B, W) bool or None.
        video: (B,) int64, each expression's row of `objects`.
    """

    objects: Tensor
    text: Tensor
    labels: Tensor
    track_mask: Tensor | None
    frame_mask: Tensor | None
    word_mask: Tensor | None
    video: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        return Batch(*(None if t is None else t.to(device) for t in self))  # type: ignore[arg-type]

    def track_mask_of_sentences(self) -> Tensor | None:
        """(B, N), or None if everything is valid."""
        if self.track_mask is None or len(self.track_mask) == len(self.video):
            return self.track_mask
        return self.track_mask[self.video]


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


def collate(items: Sequence[Item]) -> Batch:
    """Pads videos and expressions to one size; `items` must not be empty.

    Expressions keep the order of `items`. Tokens of a video are held once.
    """
    objects = _pad([item.objects for item in items])
    text = _pad([words for item in items for words in item.texts])
    labels = _pad([row for item in items for row in item.labels.astype(np.float32)])
    counts = [len(item.texts) for item in items]
    return Batch(
        objects,
        text,
        labels,
        _track_mask(items, objects.shape[1]),
        _length_mask([item.objects.shape[1] for item in items], objects.shape[2]),
        _length_mask([len(words) for item in items for words in item.texts], text.shape[1]),
        torch.arange(len(items)).repeat_interleave(torch.tensor(counts)),
    )


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
