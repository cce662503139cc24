"""J, the region similarity: intersection over union of two masks.

Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation", CVPR 2016, section 3; values equal those of davis2017-evaluation bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, overload

import numpy as np

from rvosbench.masks import MaskSequence
from rvosbench.metrics.counts import Counts, count
from rvosbench.metrics.pairs import Mask, lift

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scores: TypeAlias = "NDArray[np.float64]"


@overload
def region_similarity(
    prediction: MaskSequence, target: MaskSequence, void: MaskSequence | None = None
) -> Scores: ...
@overload
def region_similarity(prediction: Mask, target: Mask, void: Mask | None = None) -> float: ...
def region_similarity(
    prediction: Mask | MaskSequence,
    target: Mask | MaskSequence,
    void: Mask | MaskSequence | None = None,
) -> float | Scores:
    """J of two masks, in [0, 1], or of every frame of two sequences.

    Args:
        prediction: (H, W), nonzero = foreground, or T masks.
        target: the same shape.
        void: pixels to be left out, the same shape, or None.

    Returns:
        A float for arrays, (T,) float64 for sequences. Two empty masks score 1, one empty mask 0.

    Raises:
        MaskError: shapes or lengths differ, or the masks have no pixels.
    """
    scores = jaccard(count(*lift(prediction, target, void)))
    return scores if isinstance(prediction, MaskSequence) else float(scores[0])


def jaccard(counts: Counts) -> Scores:
    """J of every counted pair, (T,) float64."""
    scores = np.ones(counts.union.shape)
    return np.divide(counts.intersection, counts.union, out=scores, where=counts.union > 0)
