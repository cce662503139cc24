"""A small selector and random batches of expressions of different sizes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sola.config import SelectorConfig
from sola.model import TrackSelector

SMALL = SelectorConfig(
    object_token_dim=16, lang_token_dim=32, n_negative=4, n_heads=4, n_groups=4, dropout=0.1
)


@dataclass(frozen=True)
class Case:
    """One expression: tokens (1, N, T, D), text (1, W, E), labels (1, N)."""

    objects: Tensor
    text: Tensor
    labels: Tensor


def make_selector(config: SelectorConfig = SMALL, seed: int = 0) -> TrackSelector:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TrackSelector(config).eval()


def make_case(sizes: tuple[int, int, int], seed: int, config: SelectorConfig = SMALL) -> Case:
    n_tracks, n_frames, n_words = sizes
    generator = torch.Generator().manual_seed(seed)
    objects = torch.randn(1, n_tracks, n_frames, config.object_token_dim, generator=generator)
    text = torch.randn(1, n_words, config.lang_token_dim, generator=generator)
    labels = (torch.rand(1, n_tracks, generator=generator) < 0.4).float()
    return Case(objects, text, labels)
