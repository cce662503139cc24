"""The fast mode against the exact one, and its bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from rvosbench.corruptions import CORRUPTIONS, SEVERITIES
from rvosbench.corruptions.frame import corrupt
from rvosbench.corruptions.table import VERSION
from rvosbench.records import Frame

from .scenes import scene

SURE = (
    "defocus_blur",
    "zoom_blur",
    "brightness",
    "contrast",
    "pixelate",
    "jpeg_compression",
    "gaussian_blur",
    "saturate",
)
"""Nothing in them is random."""
RANDOM = tuple(name for name in CORRUPTIONS if name not in SURE)
DRAWS = 24
PINS = Path(__file__).parent / "fast_bytes.json"


@pytest.mark.parametrize("size", [(32, 32), (61, 97), (96, 64)])
@pytest.mark.parametrize("name", SURE)
def test_without_chance_the_modes_differ_by_one_grey_level(
    name: str, size: tuple[int, int]
) -> None:
    frame = scene(*size)
    for severity in SEVERITIES:
        fast = corrupt(frame, name, severity, np.random.default_rng(0))
        exact = corrupt(frame, name, severity, np.random.RandomState(0), "exact")
        apart = fast.astype(int) - exact
        assert np.abs(apart).max() <= 1, severity
        assert np.abs(apart).mean() < 0.12, severity


class Spread:
    """What one frame becomes in many draws: means, spreads, and the histogram of all values."""

    def __init__(self, frames: list[Frame]) -> None:
        self.mean = np.array([f.mean() for f in frames])
        self.std = np.array([f.std() for f in frames])
        counts = np.bincount(np.stack(frames).ravel(), minlength=256).reshape(32, 8).sum(axis=1)
        self.histogram = counts / counts.sum()

    def apart(self, other: Spread) -> tuple[float, float, float]:
        """Distance of means and of spreads in standard errors, of histograms in L1."""
        return (
            _standard_errors(self.mean, other.mean),
            _standard_errors(self.std, other.std),
            float(np.abs(self.histogram - other.histogram).sum()),
        )


def _standard_errors(a: np.ndarray[tuple[int], np.dtype[np.float64]], b: object) -> float:
    other = np.asarray(b)
    error = np.sqrt((a.var() + other.var()) / DRAWS) + 0.02  # 0.02 grey levels: rounding
    return float(abs(a.mean() - other.mean()) / error)


def drawn(name: str, severity: int, mode: str, first: int) -> Spread:
    frame, seeds = scene(64, 80), range(first, first + DRAWS)
    if mode == "fast":
        return Spread([corrupt(frame, name, severity, np.random.default_rng(s)) for s in seeds])
    states = [np.random.RandomState(s) for s in seeds]
    return Spread([corrupt(frame, name, severity, state, "exact") for state in states])


@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("name", RANDOM)
def test_fast_and_exact_differ_no_more_than_two_seeds_of_exact(name: str, severity: int) -> None:
    exact, again = drawn(name, severity, "exact", 0), drawn(name, severity, "exact", 1000)
    fast = drawn(name, severity, "fast", 0)
    mean, std, histogram = fast.apart(exact)
    _, _, between_seeds = again.apart(exact)
    assert mean < 4
    assert std < 4
    assert histogram < 2 * between_seeds + 0.02


@pytest.mark.parametrize("name", ["gaussian_noise", "shot_noise", "speckle_noise"])
def test_noise_of_single_values_has_the_exact_moments(name: str) -> None:
    flat = np.full((256, 256, 3), 96, np.uint8)
    for severity in SEVERITIES:
        fast = corrupt(flat, name, severity, np.random.default_rng(0)).astype(float)
        exact = corrupt(flat, name, severity, np.random.RandomState(0), "exact").astype(float)
        again = corrupt(flat, name, severity, np.random.RandomState(1), "exact").astype(float)
        error = 5 * exact.std() / np.sqrt(exact.size / 2)
        assert abs(fast.mean() - exact.mean()) < error
        assert abs(fast.std() - exact.std()) < error
        bins = np.linspace(0, 256, 65)
        ours, theirs, others = (np.histogram(v, bins)[0] / v.size for v in (fast, exact, again))
        assert np.abs(ours - theirs).sum() < 1.5 * np.abs(others - theirs).sum() + 1e-3


def test_noise_is_new_for_every_value() -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    noise = corrupt(flat, "gaussian_noise", 3, np.random.default_rng(0)).astype(float) - 128
    red, green = noise[..., 0].ravel(), noise[..., 1].ravel()
    assert abs(np.corrcoef(red, green)[0, 1]) < 0.06
    assert abs(np.corrcoef(red[:-1], red[1:])[0, 1]) < 0.06


def test_bytes_of_the_fast_mode_are_pinned() -> None:
    """A change here changes other people's data: raise `table.VERSION`, then write the pins anew.

    Only corruptions that no library's arithmetic enters; noise is from a generator NumPy promises.
    """
    pins = json.loads(PINS.read_text())
    assert pins["version"] == VERSION
    frame = np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3) * 2654435761 >> 24
    for name, wanted in pins["sha256"].items():
        rng = np.random.Generator(np.random.SFC64(7))
        out = corrupt(frame.astype(np.uint8), name, 5, rng)
        assert hashlib.sha256(out.tobytes()).hexdigest()[:16] == wanted, name
