"""The one learning-rate schedule of all recipes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up by steps, times a cosine by progress.

    Attributes:
        peak: greatest rate.
        floor: share of the peak that is left at the end.
        warm_up: steps until the rate is that of the cosine; at least 1.
    """

    peak: float
    floor: float = 0.02
    warm_up: int = 100

    def rate(self, progress: float, step: int) -> float:
        """The rate of step `step` (from 0), when `progress` in [0, 1] of the training is done."""
        cosine = self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))
        return self.peak * (min(1.0, (step + 1) / self.warm_up) * cosine)
