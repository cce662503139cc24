"""J and F of every frame in one pass: what the official protocols average."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import BOUND_TH, f_measure, tolerance
from rvosbench.metrics.counts import Counts, count, kernel, without_void
from rvosbench.metrics.region import Scores, jaccard


@dataclass(frozen=True, eq=False)
class Measures:
    """What one pass over T mask pairs gives.

    Attributes:
        counts: exact integers.
    """

    counts: Counts

    @cached_property
    def j(self) -> Scores:
        """(T,) region similarity in [0, 1]."""
        return jaccard(self.counts)

    @cached_property
    def f(self) -> Scores:
        """(T,) contour accuracy in [0, 1]."""
        return f_measure(self.counts)


def score_frames(
    prediction: MaskSequence,
    target: MaskSequence,
    void: MaskSequence | None = None,
    bound_th: float = BOUND_TH,
) -> tuple[Scores, Scores]:
    """(J, F) of T frames, each (T,) float64 in [0, 1]; every mask is read once.

    Args:
        prediction: T masks.
        target: T masks.
        void: T masks of pixels to be left out, or None.
        bound_th: see `contour_accuracy`.

    Raises:
        MaskError, UsageError: as `region_similarity` and `contour_accuracy`.
    """
    measures = Measures(count(prediction, target, void, tolerance(prediction.size, bound_th)))
    return measures.j, measures.f


def stability(masks: MaskSequence) -> float:
    """Mean J of every mask with the next one, in [0, 1]; 1 for less than two frames.

    It falls with flicker and with motion: compare a prediction's with that of its target.
    """
    rows, last = [], None
    for index in range(len(masks)):
        words = without_void(masks, None, index)
        if last is not None:
            rows.append(kernel().region(last, words)[:2])
        last = words
    if not rows:
        return 1.0
    shared, either = np.array(rows, dtype=np.int64).T
    return float(np.mean(np.divide(shared, either, out=np.ones(either.shape), where=either > 0)))
