"""Token similarity as a function of mask mIoU: the bins of a curve, and how strong the relation is.

Source: SOLA paper, Figure 4: mean and variance of the similarity over mIoU.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from rvosbench.errors import UsageError
from rvosbench.records import Json
from sola.analysis.similarity import Floats, Pairs


@dataclass(frozen=True)
class Bin:
    """The pairs whose mIoU lies in [low, high), in the last bin [low, 1].

    Attributes:
        low, high: in [0, 1].
        pairs: how many.
        miou: their mean mIoU; None without pairs, as the following two.
        mean, variance: of their similarity; the variance is that of the population.
    """

    low: float
    high: float
    pairs: int
    miou: float | None = None
    mean: float | None = None
    variance: float | None = None


@dataclass(frozen=True)
class Curve:
    """Figure 4 as numbers.

    Attributes:
        bins: equally wide, from 0 to 1.
        pairs: pairs in all bins.
        left_out: pairs that are never visible.
        pearson, spearman: correlation of similarity and mIoU over all pairs, not over bins; None
            where it does not exist (below 2 pairs, or all alike).
    """

    bins: tuple[Bin, ...]
    pairs: int
    left_out: int
    pearson: float | None
    spearman: float | None

    def to_json(self) -> Json:
        """JSON-safe."""
        return {**asdict(self), "bins": [asdict(b) for b in self.bins]}


def curve_of(pairs: Pairs, bins: int = 20) -> Curve:
    """Bin pairs by their mIoU.

    Args:
        pairs: may be none: all bins are empty then.
        bins: how many, 1 to 1000.

    Raises:
        UsageError: another number of bins.
    """
    from scipy.stats import pearsonr, spearmanr

    if not 1 <= bins <= 1000:
        raise UsageError(f"number of bins: got {bins}, wanted 1 to 1000")
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, pairs.miou, side="right") - 1, 0, bins - 1)
    found = tuple(
        _bin(float(edges[i]), float(edges[i + 1]), pairs, np.asarray(place == i))
        for i in range(bins)
    )
    return Curve(
        found,
        len(pairs.miou),
        pairs.left_out,
        _correlation(pairs, lambda a, b: float(pearsonr(a, b)[0])),
        _correlation(pairs, lambda a, b: float(spearmanr(a, b)[0])),
    )


def to_csv(curve: Curve) -> str:
    """One row a bin: low, high, pairs, miou, mean, variance, std; empty cells without pairs."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["low", "high", "pairs", "miou", "mean", "variance", "std"])
    for b in curve.bins:
        numbers = (b.miou, b.mean, b.variance, None if b.variance is None else b.variance**0.5)
        shown = ["" if v is None else f"{v:.6f}" for v in numbers]
        rows.writerow([f"{b.low:g}", f"{b.high:g}", b.pairs, *shown])
    return out.getvalue()


def _bin(low: float, high: float, pairs: Pairs, inside: np.ndarray) -> Bin:
    count = int(inside.sum())
    if not count:
        return Bin(low, high, 0)
    values = pairs.similarity[inside]
    miou = float(pairs.miou[inside].mean())
    return Bin(low, high, count, miou, float(values.mean()), float(values.var()))


def _correlation(pairs: Pairs, measure: Callable[[Floats, Floats], float]) -> float | None:
    a, b = pairs.miou, pairs.similarity
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that are alike to the last bits
        found = measure(a, b)
    return found if np.isfinite(found) else None
