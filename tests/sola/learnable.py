"""Videos that a selector can learn: a sentence names a direction, tokens of targets point there."""

from __future__ import annotations

import numpy as np

from sola.config import SelectorConfig, TrainConfig
from sola.data.samples import LazyTokens, Tokens, VideoSample
from sola.data.track_data import TrainingData

TINY = SelectorConfig(
    object_token_dim=8,
    lang_token_dim=16,
    n_layers=1,
    n_negative=2,
    n_heads=2,
    n_groups=2,
    dropout=0.1,
)
FAST = TrainConfig(
    epochs=4, batch_size=8, learning_rate=5e-3, label_threshold=0.5, schedule="cosine", warm_up=0.02
)
WORDS = ("first", "second", "third", "fourth")


def in_memory(array: Tokens) -> LazyTokens:
    """Tokens (N, T, D) that need not be read."""
    n_tracks, n_frames, dim = array.shape
    return LazyTokens(lambda: array, slice(0, n_tracks), (n_tracks, n_frames, dim))


def make_video(number: int) -> VideoSample:
    """Four objects in random order, a track for each and one of the background; T = 5 to 12."""
    rng = np.random.default_rng((7, number))
    kinds = rng.permutation(4)
    directions = np.eye(8, dtype=np.float32)
    n_frames = int(rng.integers(5, 13))
    tokens = np.concatenate([directions[kinds], directions[None, 7]])[:, None]
    noise = rng.normal(0, 0.1, (5, n_frames, 8)).astype(np.float32)
    overlap = np.vstack([np.eye(4) * 0.9, np.full((1, 4), 0.1)]).astype(np.float32)
    targets = np.array([kinds == kind for kind in range(4)])
    return VideoSample(
        f"v{number:03d}",
        in_memory(tokens + noise),
        overlap,
        ("0", "1", "2", "3"),
        WORDS,
        targets,
    )


def make_data(n_train: int = 24, n_valid: int = 6) -> TrainingData:
    rng = np.random.default_rng(1)
    texts = {w: rng.normal(size=(i + 2, 16)).astype(np.float32) for i, w in enumerate(WORDS)}
    videos = [make_video(i) for i in range(n_train + n_valid)]
    return TrainingData(videos[:n_train], videos[n_train:], texts)
