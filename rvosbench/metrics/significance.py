"""How sure a mean over expressions is, and whether two differ: over videos, not over expressions.

The expressions of one video share its frames and its objects, so they are not independent: videos
are what is drawn again (a cluster bootstrap) or swapped between two methods (a permutation test).

Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, sections 13.3 and 15;
Field and Welsh, J. R. Stat. Soc. B 69, 2007 (clusters).

Every interval and every test draws from a generator of its own, made from the same seed: what is
computed beside it changes no number (docs/decisions/030).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import ResultError

Floats = NDArray[np.float64]
Seed = int | np.random.Generator
"""A seed makes a generator of its own; one that is given goes on."""

RESAMPLES = 10_000
LEVEL = 0.05
EXACT_VIDEOS = 13
"""Up to so many videos all 2^n swaps are tried instead of a sample of them."""


@dataclass(frozen=True)
class VideoScores:
    """Scores summed by video; videos in sorted order.

    Attributes:
        videos: ids.
        sums: "jf", "j" and "f" -> (V,) sum over a video's expressions, in [0, 1] each.
        counts: (V,) number of expressions.
    """

    videos: tuple[str, ...]
    sums: Mapping[str, Floats]
    counts: Floats

    def mean(self, metric: str = "jf") -> float:
        """Over expressions."""
        return float(self.sums[metric].sum() / self.counts.sum())

    def means(self, metric: str = "jf") -> dict[str, float]:
        """Video -> mean over its expressions."""
        return dict(zip(self.videos, (self.sums[metric] / self.counts).tolist(), strict=True))


def scores_by_video(scores: Iterable[ExpressionScore]) -> VideoScores:
    """Sums of J&F, J and F by video; without scores there are no videos."""
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for score in scores:
        rows[score.video].append((score.j, score.f))
    videos = tuple(sorted(rows))
    j, f = (np.array([sum(row[k] for row in rows[v]) for v in videos], np.float64) for k in (0, 1))
    counts = np.array([len(rows[v]) for v in videos], np.float64)
    return VideoScores(videos, {"jf": (j + f) / 2, "j": j, "f": f}, counts)


@dataclass(frozen=True)
class Difference:
    """J&F of one method minus that of another, in [-1, 1].

    Attributes:
        mean: over expressions.
        low: of its 95 % confidence interval, paired bootstrap over videos; likewise `high`.
        p_value: two-sided, of the paired permutation test over videos.
    """

    mean: float
    low: float
    high: float
    p_value: float


def paired_difference(
    ours: Sequence[ExpressionScore], theirs: Sequence[ExpressionScore], seed: int = 0
) -> Difference:
    """Compare two methods on the same expressions, video by video.

    Args:
        ours: at least one.
        theirs: of the same expressions, in any order.
        seed: of the interval and of the test; the same seed gives the same answer.

    Raises:
        ResultError: they are not of the same expressions, or there are none.
    """
    other = {(s.video, s.expression): s for s in theirs}
    if not ours or {(s.video, s.expression) for s in ours} != set(other):
        raise ResultError("two results can be compared only if they are of the same expressions")
    rows: dict[str, list[float]] = defaultdict(list)
    for a in ours:
        b = other[a.video, a.expression]
        rows[a.video].append((a.j + a.f - b.j - b.f) / 2)
    sums = np.array([sum(rows[video]) for video in sorted(rows)], np.float64)
    counts = np.array([len(rows[video]) for video in sorted(rows)], np.float64)
    low, high = interval(sums, counts, bootstrap_weights(len(sums), seed))
    return Difference(float(sums.sum() / counts.sum()), low, high, permutation_p(sums, seed))


def bootstrap_weights(n: int, seed: Seed = 0, resamples: int = RESAMPLES) -> Floats:
    """How often each of `n` videos is drawn in each resample, (R, n)."""
    rng = np.random.default_rng(seed)
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


def permutation_p(differences: Floats, seed: Seed = 0, resamples: int = RESAMPLES) -> float:
    """Two-sided p-value that two methods are the same, swapping them video by video.

    Args:
        differences: (V,) sum over a video's expressions of one method's score minus the other's.
        seed: used if there are more than `EXACT_VIDEOS` videos; then the observed order counts as
            one of the resamples, so that p is never 0.
        resamples: size of the sample.
    """
    n, observed = len(differences), abs(float(differences.sum()))
    slack = 1e-12 * max(1.0, float(np.abs(differences).sum()))
    if n <= EXACT_VIDEOS:
        bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
        return float(np.mean(np.abs((1 - 2 * bits) @ differences) >= observed - slack))
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, size=(resamples, n), dtype=np.int8).astype(np.float64) * 2 - 1
    extreme = int(np.sum(np.abs(signs @ differences) >= observed - slack))
    return (extreme + 1) / (resamples + 1)
