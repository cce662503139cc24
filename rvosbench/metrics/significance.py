"""How sure a mean over expressions is, and whether two differ: over videos, not over expressions.

The expressions of one video share its frames and its objects, so they are not independent: videos
are what is drawn again (a cluster bootstrap) or swapped between two methods (a permutation test).

Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, sections 13.3 and 15;
Field and Welsh, J. R. Stat. Soc. B 69, 2007 (clusters).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.05
EXACT_VIDEOS = 13
"""Up to so many videos all 2^n swaps are tried instead of a sample of them."""


def bootstrap_weights(n: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> Floats:
    """How often each of `n` videos is drawn in each resample, (R, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)


def interval(sums: Floats, counts: Floats, weights: Floats) -> tuple[float, float]:
    """95 % percentile interval of sum(sums) / sum(counts) over resampled videos.

    Args:
        sums: (V,) of a score, or of the difference of two.
        counts: (V,) expressions.
        weights: (R, V) of `bootstrap_weights`.
    """
    means = (weights @ sums) / (weights @ counts)
    low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def permutation_p(
    differences: Floats, rng: np.random.Generator, resamples: int = RESAMPLES
) -> float:
    """Two-sided p-value that two methods are the same, swapping them video by video.

    Args:
        differences: (V,) sum over a video's expressions of one method's score minus the other's.
        rng: used if there are more than `EXACT_VIDEOS` videos; then the observed order counts as
            one of the resamples, so that p is never 0.
        resamples: size of the sample.
    """
    n, observed = len(differences), abs(float(differences.sum()))
    slack = 1e-12 * max(1.0, float(np.abs(differences).sum()))
    if n <= EXACT_VIDEOS:
        bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
        return float(np.mean(np.abs((1 - 2 * bits) @ differences) >= observed - slack))
    signs = rng.integers(0, 2, size=(resamples, n), dtype=np.int8).astype(np.float64) * 2 - 1
    extreme = int(np.sum(np.abs(signs @ differences) >= observed - slack))
    return (extreme + 1) / (resamples + 1)
