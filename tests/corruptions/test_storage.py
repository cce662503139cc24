"""Corrupted frames as files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvosbench.corruptions import Plan
from rvosbench.corruptions.storage import (
    Storage,
    encode,
    faults,
    manifest,
    read_manifest,
    sha256,
)
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.errors import DatasetError, UsageError

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


def test_a_manifest_says_what_was_done() -> None:
    content = manifest(Plan("fog", 2, seed=3), Storage("jpeg", 70), {"dataset": "demo"}, {"a": "b"})
    assert content["corruption"] == "fog:2@fast.1,per_frame,seed3,jpeg70"
    assert content["parameters"] == {"thickness": 2, "decay": 2}
    assert content["storage"] == {"format": "jpeg", "quality": 70, "names": "frame"}
    assert {"numpy", "pillow", "rvosbench", "libjpeg"} <= content["libraries"].keys()
    assert json.loads(json.dumps(content)) == content


def test_impossible_storage_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'jpeg'"):
        Storage("jpg")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="1 to 95"):
        Storage("jpeg", 0)


def test_faults_are_found(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name * 9)
    files = {name: sha256(tmp_path / name) for name in "abc"}
    assert list(faults(tmp_path, files)) == []
    (tmp_path / "a").write_text("a" * 8)
    (tmp_path / "c").unlink()
    found = {fault.path: fault.what for fault in faults(tmp_path, files)}
    assert found == {"a": "changed (8 bytes)", "c": "missing"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        ("{", "cannot be read as JSON"),
        ("[]", "not the manifest"),
        ('{"format": 99, "corruption": "", "files": {}}', "update rvosbench"),
    ],
)
def test_a_broken_manifest_is_told(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_manifest(tmp_path)
