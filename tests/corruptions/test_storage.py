"""Corrupted frames as files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rvosbench.corruptions import Plan
from rvosbench.corruptions.storage import Storage, encode
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.errors import UsageError

from .scenes import scene


def test_png_keeps_every_bit_and_jpeg_is_what_pillow_writes() -> None:
    frame = scene()
    png = Image.open(io.BytesIO(encode(frame, Storage())))
    assert (png.format, png.mode) == ("PNG", "RGB")
    np.testing.assert_array_equal(np.array(png), frame)
    wanted = io.BytesIO()
    Image.fromarray(frame).save(wanted, "JPEG", quality=85, optimize=True)
    assert encode(frame, Storage("jpeg")) == wanted.getvalue()


def test_jpeg_halves_colour_noise_and_so_is_not_the_default() -> None:
    flat = np.full((128, 128, 3), 128, np.uint8)
    noisy = corrupted_frame(Plan("gaussian_noise", 5), "v", "0", 0, flat)
    stored = np.array(Image.open(io.BytesIO(encode(noisy, Storage("jpeg")))))
    assert stored.std() < 0.85 * noisy.std()
    assert np.corrcoef(stored[..., 0].ravel(), stored[..., 2].ravel())[0, 1] > 0.5


def test_impossible_storage_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'jpeg'"):
        Storage("jpg")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="1 to 95"):
        Storage("jpeg", 0)
