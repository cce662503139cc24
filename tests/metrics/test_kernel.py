"""The packed-bit kernel counts what the definition counts, integer by integer."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rvosbench.masks import MaskSequence
from rvosbench.metrics import counts, kernel
from rvosbench.metrics.counts import Counts, Outlines, count, stability

from . import reference
from .golden import DAVIS, davis_prediction, davis_truth, needs_golden

Mask = NDArray[np.bool_]


def random_mask(rng: np.random.Generator, shape: tuple[int, int]) -> Mask:
    """Noise, a rectangle, stripes, an empty or a full mask, or a few dots on the border."""
    kind = rng.integers(6)
    mask = np.zeros(shape, bool)
    if kind == 0:
        noise: Mask = rng.random(shape) < rng.choice([0.01, 0.1, 0.5, 0.95])
        return noise
    if kind == 1:
        (top, bottom), (left, right) = (np.sort(rng.integers(0, n + 1, 2)) for n in shape)
        mask[top:bottom, left:right] = True
    if kind == 2:
        mask[:: rng.integers(1, 5), :: rng.integers(1, 5)] = True
    if kind == 3:
        mask[:] = True
    if kind == 4:
        mask[rng.choice([0, -1])] = rng.random(shape[1]) < 0.5
        mask[:, rng.choice([0, -1])] = rng.random(shape[0]) < 0.5
    return mask


def columns(found: Counts) -> list[tuple[int, ...]]:
    table = [getattr(found, name) for name in Counts.__dataclass_fields__]
    return [tuple(row) for row in np.stack(table, axis=1).tolist()]


def test_ten_thousand_random_pairs_are_counted_as_by_definition() -> None:
    rng = np.random.default_rng(7)
    for _ in range(10_000):
        shape = (int(rng.integers(1, 24)), int(rng.choice([1, 5, 63, 64, 65, 100, 130])))
        p, t, radius = random_mask(rng, shape), random_mask(rng, shape), int(rng.integers(0, 12))
        answer, truth = (MaskSequence.from_arrays([m]) for m in (p, t))
        assert columns(count(answer, truth, radius=radius)) == [reference.integers(p, t, radius)]


@pytest.mark.parametrize("radius", [30, 62, 63, 64, 65, 100, 250])
def test_wide_disks_are_counted_as_by_definition(radius: int) -> None:
    rng = np.random.default_rng(radius)
    for density in (0.0005, 0.01, 0.3):
        p, t = rng.random((2, 170, 300)) < density
        t[:, :150] = False
        answer, truth = (MaskSequence.from_arrays([m]) for m in (p, t))
        # Within the image the disk of a huge radius is a large square.
        assert columns(count(answer, truth, radius=radius)) == [reference.integers(p, t, radius)]


@needs_golden
@pytest.mark.parametrize("scale", [1.0, 1.5, 2.25], ids=["480p", "720p", "1080p"])
def test_real_masks_of_any_size_are_counted_as_by_definition(scale: float) -> None:
    assert DAVIS.is_dir()
    pairs = []
    for sequence in ("dog", "parkour"):
        prediction = davis_prediction("osvos", sequence)[::9] == 1
        truth = davis_truth(sequence)[::9] == 1
        pairs += list(zip(prediction, truth, strict=True))
    height, width = round(480 * scale), round(854 * scale)
    radius = round(8 * scale)
    for pair in pairs:
        p, t = (cv2.resize(m.astype(np.float32), (width, height)) > 0.5 for m in pair)
        one, other = (MaskSequence.from_arrays([m]) for m in (p, t))
        assert columns(count(one, other, radius=radius)) == [reference.integers(p, t, radius)]


@pytest.mark.parametrize("radius", [0, 1, 2, 7, 8, 18, 63])
def test_the_disk_is_all_pixels_within_the_radius(radius: int) -> None:
    rows = {}
    for first, last, half in kernel.disk(radius).tolist():
        rows.update({dy: half for dy in range(first, last + 1)})
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    expected = (x * x + y * y <= radius * radius).sum(axis=1)
    assert [2 * rows[abs(dy)] + 1 for dy in range(-radius, radius + 1)] == expected.tolist()


def test_known_outlines_give_the_same_counts_and_stay_within_their_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    p, t, v = (MaskSequence.from_arrays(list(rng.random((5, 30, 70)) < 0.2)) for _ in range(3))
    expected = columns(count(p, t, v, 3))
    known = Outlines(t, v)
    assert [columns(count(p, known, radius=3)) for _ in range(2)] == [expected] * 2
    kept = known.frame(2)
    assert known.frame(2)[0] is kept[0]
    size = kept[0].nbytes + kept[1][0].nbytes
    monkeypatch.setattr(counts, "KEPT_BYTES", 2 * size)
    small = Outlines(t, v)
    assert [columns(count(p, small, radius=3)) for _ in range(2)] == [expected] * 2
    assert len(small._kept) == 2


def test_stability_is_the_overlap_of_successive_masks() -> None:
    frames = np.zeros((3, 4, 10), bool)
    frames[0, :, :4] = frames[1, :, :4] = frames[2, :, 2:6] = True
    assert stability(MaskSequence.from_arrays(frames)) == (1 + 2 / 6) / 2
    assert stability(MaskSequence.from_arrays(frames[:1])) == 1.0
    assert stability(MaskSequence.empty(3, (4, 4))) == 1.0


def test_nothing_is_compiled_or_imported_before_masks_are_scored() -> None:
    code = (
        "import sys, rvosbench, rvosbench.metrics, rvosbench.runs.evaluate, rvosbench.cli.app\n"
        "assert 'numba' not in sys.modules\n"
        "from rvosbench.metrics import kernel\n"
        "assert not kernel.near.signatures and not kernel.outline.signatures\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
