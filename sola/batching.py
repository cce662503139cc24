"""Padded batches of expressions, from one or several videos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .labels import LabelTarget, pseudo_labels
from .samples import Flags, Floats, TextTable, VideoSample


class Item(NamedTuple):
    """One expression with its own candidates.

    Attributes:
        objects: (N, T, D) object tokens, N >= 1.
        text: (W, E) text tokens.
        labels: (N,) bool.
    """

    objects: Floats
    text: Floats
    labels: Flags


class Batch(NamedTuple):
    """B expressions, padded with zeros at the end of every axis.

    Attributes:
        objects: (B, N, T, D).
        text: (B, W, E).
        labels: (B, N), 0 or 1.
        track_mask: (B, N) bool, True is valid.
        frame_mask: (B, T) bool.
        word_mask: (B, W) bool.
    """

    objects: Tensor
    text: Tensor
    labels: Tensor
    track_mask: Tensor
    frame_mask: Tensor
    word_mask: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        return Batch(*(tensor.to(device) for tensor in self))


def make_item(
    sample: VideoSample,
    expression: int,
    texts: TextTable,
    threshold: float,
    against: LabelTarget = "object",
) -> Item:
    """One expression of a video, with its candidates' tokens and pseudo-labels."""
    return Item(
        sample.tokens[sample.candidates_of(expression)],
        texts[sample.texts[expression]],
        pseudo_labels(sample, expression, threshold, against),
    )


def collate(items: Sequence[Item]) -> Batch:
    """Pads expressions to one size; `items` must not be empty."""
    objects = _pad([item.objects for item in items])
    text = _pad([item.text for item in items])
    labels = _pad([item.labels.astype(np.float32) for item in items])
    return Batch(
        objects,
        text,
        labels,
        _mask([item.objects.shape[0] for item in items], objects.shape[1]),
        _mask([item.objects.shape[1] for item in items], objects.shape[2]),
        _mask([item.text.shape[0] for item in items], text.shape[1]),
    )


def _pad(arrays: Sequence[Floats]) -> Tensor:
    shape = np.max([array.shape for array in arrays], axis=0)
    padded = np.zeros((len(arrays), *shape), np.float32)
    for row, array in zip(padded, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return torch.from_numpy(padded)


def _mask(lengths: Sequence[int], longest: int) -> Tensor:
    return torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]
