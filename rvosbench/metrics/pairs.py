"""One mask or a sequence of masks: the metrics take both and work on sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from rvosbench.errors import MaskError
from rvosbench.masks import MaskSequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mask: TypeAlias = "NDArray[np.generic]"
"""(H, W); any nonzero value, NaN included, is foreground."""


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
