"""J, the region similarity: intersection over union of two masks.

Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation", CVPR 2016, section 3; values equal those of davis2017-evaluation bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, overload

from rvosbench.errors import MaskError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.counts import Scores, count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mask: TypeAlias = "NDArray[np.generic]"
"""(H, W); any nonzero value, NaN included, is foreground."""


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
    scores = count(*lift(prediction, target, void)).j
    return scores if isinstance(prediction, MaskSequence) else float(scores[0])


def lift(
    prediction: Mask | MaskSequence, target: Mask | MaskSequence, void: Mask | MaskSequence | None
) -> tuple[MaskSequence, MaskSequence, MaskSequence | None]:
    """Make sequences of one frame of bare arrays; sequences pass as they are.

    Raises:
        MaskError: arrays and sequences are mixed, or an array is not two-dimensional.
    """
    given = [m for m in (prediction, target, void) if m is not None]
    if len({isinstance(m, MaskSequence) for m in given}) > 1:
        raise MaskError(
            "a mask array was paired with a MaskSequence: pass either (H, W) arrays or sequences"
        )
    lifted_void = None if void is None else _sequence(void, "void")
    return _sequence(prediction, "prediction"), _sequence(target, "target"), lifted_void


def _sequence(mask: Mask | MaskSequence, name: str) -> MaskSequence:
    if isinstance(mask, MaskSequence):
        return mask
    if mask.ndim != 2:
        raise MaskError(f"the {name} has shape {mask.shape}, wanted one (height, width) mask")
    return MaskSequence.from_arrays([mask])
