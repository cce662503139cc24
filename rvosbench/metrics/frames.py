"""J and F of every frame in one pass: what the official protocols average."""

from __future__ import annotations

from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import BOUND_TH, f_measure, tolerance
from rvosbench.metrics.counts import count
from rvosbench.metrics.region import Scores, jaccard


def score_frames(
    prediction: MaskSequence,
    target: MaskSequence,
    void: MaskSequence | None = None,
    bound_th: float = BOUND_TH,
) -> tuple[Scores, Scores]:
    """(J, F) of T frames, each (T,) float64 in [0, 1]; every mask is read once.

    Raises:
        MaskError, UsageError: as `region_similarity` and `contour_accuracy`.
    """
    counts = count(prediction, target, void, tolerance(prediction.size, bound_th))
    return jaccard(counts), f_measure(counts)
