"""One mask as a PNG, in the forms that people submit."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.errors import PredictionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rvosbench.masks import BoolArray

_ONE_CHANNEL = frozenset({"1", "L", "P", "I", "I;16"})


def encode_mask(mask: NDArray[np.generic]) -> bytes:
    """(H, W), nonzero = foreground, as a gray PNG (mode L) of 0 and 255."""
    from PIL import Image

    file = io.BytesIO()
    pixels = np.where(mask.astype(bool, copy=False), 255, 0).astype(np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def decode_mask(content: bytes, where: str, size: tuple[int, int]) -> BoolArray:
    """A PNG as a (H, W) bool mask.

    Gray (0/255, 0/1, 16 bit) and 1-bit images: nonzero is foreground. Palette images: index > 0,
    whatever the colours.

    Args:
        content: the file.
        where: what to call it in messages.
        size: the wanted (height, width).

    Raises:
        PredictionError: not a readable PNG, more than one channel, or another size.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            mode, (width, height) = image.mode, image.size
            if mode not in _ONE_CHANNEL:
                raise PredictionError(
                    f"{where}: a colour image ({mode}), wanted one channel: save masks as mode L "
                    "with 0 and 255, as 1-bit, or with a palette (index 0 = background)"
                )
            if (height, width) != size:
                raise PredictionError(
                    f"{where}: got {height}x{width}, wanted {size[0]}x{size[1]} "
                    "(height x width): save masks at the size of the video's frames"
                )
            return np.array(image).astype(bool)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise PredictionError(
            f"{where}: not a readable PNG ({error}); write the file again"
        ) from error
