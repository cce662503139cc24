"""The learning rate: a pure function of the configuration and of what has happened so far."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sola.config import TrainConfig

MEANT = 1e-4
"""Relative fall of the validation loss that counts as one: torch's default, as in the code."""


def learning_rate(progress: float, valid_losses: Sequence[float], config: TrainConfig) -> float:
    """The rate of the next step.

    Args:
        progress: share of all steps that are done, in [0, 1].
        valid_losses: validation loss after each finished epoch.
        config: peak rate and schedule.
    """
    if progress < config.warm_up:
        return config.learning_rate * progress / config.warm_up
    if config.schedule == "plateau":
        return config.learning_rate * config.plateau_factor ** reductions(valid_losses, config)
    rest = (progress - config.warm_up) / (1 - config.warm_up)
    return config.learning_rate * cosine(rest)


def cosine(progress: float) -> float:
    """A factor that falls from 1 to 0 while progress goes from 0 to 1."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def reductions(valid_losses: Sequence[float], config: TrainConfig) -> int:
    """How often the rate was reduced: torch's `ReduceLROnPlateau`, replayed."""
    best, bad, count = math.inf, 0, 0
    for loss in valid_losses:
        if loss < best * (1 - MEANT):
            best, bad = loss, 0
        else:
            bad += 1
        if bad > config.plateau_patience:
            bad, count = 0, count + 1
    return count
