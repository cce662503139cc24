"""The exact mode against the original: bit for bit on the stack of the golden values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rvosbench.corruptions import CORRUPTIONS, SEVERITIES, TABLE
from rvosbench.corruptions.frame import corrupt

from .golden import Golden, original_frost, other_versions, sha256

EXACT = [name for name in CORRUPTIONS if name not in ("frost", "impulse_noise")]
"""frost needs the original's pictures, impulse_noise was drawn from an unseeded generator."""

BOUNDS = {"elastic_transform": 45.0, "jpeg_compression": 40.0}
"""dB of PSNR on another stack; everything else is at most 1 grey level off."""


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> Golden:
    return Golden(shared_data / "golden" / "corruptions")


def test_the_hash_table_covers_every_corruption_and_severity(golden: Golden) -> None:
    assert set(golden.hashes) == {f"{n}/{s}" for n in CORRUPTIONS for s in SEVERITIES}


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", EXACT)
def test_exact_mode_gives_the_originals_bytes(name: str, severity: int, golden: Golden) -> None:
    if other := other_versions():
        pytest.skip(f"golden values are of another stack, here is {other}: see the tolerance test")
    assert sha256(golden.exact(name, severity)) == golden.hashes[f"{name}/{severity}"]


@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("name", EXACT)
def test_exact_mode_is_close_to_the_original_on_any_stack(
    name: str, severity: int, golden: Golden
) -> None:
    ours = golden.exact(name, severity).astype(float)
    apart = np.abs(ours - golden.outputs[f"{name}/{severity}"])
    if name in BOUNDS:
        assert 10 * np.log10(255**2 / max(np.mean(apart**2), 1e-9)) >= BOUNDS[name]
    else:
        assert apart.max() <= 1
        assert np.mean(apart > 0) < 0.01


@pytest.mark.parametrize("severity", SEVERITIES)
def test_frost_gives_the_originals_bytes_with_the_originals_pictures(
    severity: int, golden: Golden
) -> None:
    folder = original_frost()
    if folder is None:
        pytest.skip(
            "needs the original frost pictures: install imagecorruptions-imaug without its "
            "dependencies, or give their folder in RVOSBENCH_FROST_DIR"
        )
    if other := other_versions():
        pytest.skip(f"golden values are of another stack, here is {other}")
    assert sha256(golden.exact("frost", severity, folder)) == golden.hashes[f"frost/{severity}"]


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_impulse_noise_has_the_originals_statistics(severity: int, golden: Golden) -> None:
    amount = TABLE["impulse_noise"].level(severity)["amount"]
    theirs, ours = (
        golden.outputs[f"impulse_noise/{severity}"],
        golden.exact("impulse_noise", severity),
    )
    clean, count = golden.frame, golden.frame.size
    for output in (theirs, ours):
        changed = (output != clean) & (output != _cut(clean))
        assert set(np.unique(output[changed])) <= {0, 255}
        spread = 4 * np.sqrt(amount * (1 - amount) / count)
        assert abs(changed.mean() - amount) < spread + 0.002  # black and white may be there before
        assert abs((output[changed] == 255).mean() - 0.5) < 4 * np.sqrt(0.25 / changed.sum()) + 0.01


def _cut(
    clean: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return (clean / 255.0 * 255).astype(np.uint8)


def test_severity_4_and_5_of_defocus_brighten_as_in_the_original() -> None:
    flat = np.full((64, 64, 3), 100, np.uint8)
    outs = [corrupt(flat, "defocus_blur", s, np.random.RandomState(0), "exact") for s in (3, 4, 5)]
    third, fourth, fifth = (int(out[32, 32, 0]) for out in outs)
    assert third in (99, 100)  # its disc sums to 1, and sums are cut
    assert (fourth, fifth) == (101, 101)


def test_pixelate_and_glass_blur_work_on_the_whole_of_a_large_frame() -> None:
    frame = np.tile(np.arange(240, dtype=np.uint8)[None, :, None], (300, 2, 3))
    for name in ("pixelate", "glass_blur"):
        out = corrupt(frame, name, 5, np.random.RandomState(0), "exact")
        assert out.shape == frame.shape
        corner = out[-60:-10, -60:-10], frame[-60:-10, -60:-10]
        assert (corner[0] != corner[1]).mean() > 0.5
