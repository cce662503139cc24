"""Corrupting one frame: what goes in, what comes out, what is refused."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rvosbench.corruptions import CORRUPTIONS, TABLE, corrupt
from rvosbench.corruptions.draws import Random
from rvosbench.corruptions.frame import apply, draw
from rvosbench.errors import UsageError

from .scenes import scene


def generators(seed: int) -> tuple[Random, Random]:
    return np.random.default_rng(seed), np.random.RandomState(seed)


def test_the_names_are_those_of_imagenet_c_in_its_order() -> None:
    assert len(CORRUPTIONS) == 19
    assert [CORRUPTIONS.index(n) for n in ("gaussian_noise", "frost", "jpeg_compression")] == [
        0,
        8,
        14,
    ]
    assert [n for n in CORRUPTIONS if TABLE[n].extra] == list(CORRUPTIONS[15:])
    assert [n for n in CORRUPTIONS if TABLE[n].moves_pixels] == [
        "glass_blur",
        "zoom_blur",
        "elastic_transform",
    ]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_any_size_grey_and_odd_memory_are_taken(name: str) -> None:
    frame = scene(45, 71)
    kept = frame.copy()
    for fast, exact in [generators(1)]:
        for mode, rng in (("fast", fast), ("exact", exact)):
            out = corrupt(frame, name, 3, rng, mode)  # type: ignore[arg-type]
            assert (out.shape, out.dtype) == (frame.shape, np.dtype(np.uint8))
            assert not np.shares_memory(out, frame)
            assert (out != frame).any()
    np.testing.assert_array_equal(frame, kept)
    wanted = corrupt(frame, name, 2, np.random.default_rng(5))
    frame.flags.writeable = False
    np.testing.assert_array_equal(corrupt(frame, name, 2, np.random.default_rng(5)), wanted)
    upside_down = np.asfortranarray(frame[::-1])
    turned = corrupt(upside_down[::-1], name, 2, np.random.default_rng(5))
    np.testing.assert_array_equal(turned, wanted)
    grey = corrupt(frame[..., 0], name, 2, np.random.default_rng(5))
    repeated = np.repeat(frame[..., :1], 3, axis=2)
    np.testing.assert_array_equal(grey, corrupt(repeated, name, 2, np.random.default_rng(5)))


@pytest.mark.parametrize("mode", ["fast", "exact"])
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupt_is_apply_after_draw_and_repeats_itself(name: str, mode: str) -> None:
    frame = scene(40, 52)
    outs = []
    for _ in range(2):
        rng = generators(3)[mode == "exact"]
        outs.append(apply(frame, draw(name, 4, frame.shape, rng), rng))
    rng = generators(3)[mode == "exact"]
    outs.append(corrupt(frame, name, 4, rng, mode))  # type: ignore[arg-type]
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_smallest_frame_and_black_and_white_ones_work(name: str) -> None:
    for value in (0, 255):
        frame = np.full((32, 32, 3), value, np.uint8)
        for severity in (1, 5):
            assert corrupt(frame, name, severity, np.random.default_rng(0)).shape == frame.shape
            exact = corrupt(frame, name, severity, np.random.RandomState(0), "exact")
            assert exact.shape == frame.shape


def test_what_is_drawn_can_be_shared() -> None:
    rng = np.random.default_rng(0)
    for name, row in TABLE.items():
        drawn = draw(name, 3, (40, 50, 3), rng)
        assert set(drawn.values) - {"flakes"} == set(row.shared)
    drawn = draw("fog", 3, (40, 50), rng)
    first, second = (apply(scene(40, 50, s), drawn, rng).astype(int) for s in (0, 1))
    np.testing.assert_array_equal(
        np.argmax(first[:13, :12].sum(2)), np.argmax(second[:13, :12].sum(2))
    )


FRAME = scene(40, 40)


@pytest.mark.parametrize(
    ("frame", "name", "severity", "mode", "message"),
    [
        (FRAME, "motion_blr", 3, "fast", "did you mean 'motion_blur'"),
        (FRAME, "fog", 0, "fast", "from 1 to 5"),
        (FRAME, "fog", 6, "fast", "from 1 to 5"),
        (FRAME, "fog", True, "fast", "from 1 to 5"),
        (FRAME, "fog", 2.5, "fast", "from 1 to 5"),
        (FRAME / 255, "fog", 3, "fast", "wanted a uint8 array"),
        ([[0]], "fog", 3, "fast", "the frame is list"),
        (FRAME[:31], "fog", 3, "fast", "at least 32 x 32"),
        (FRAME[..., :2], "fog", 3, "fast", "(H, W, 3)"),
        (FRAME, "fog", 3, "quick", "unknown mode 'quick'"),
        (FRAME, "fog", 3, "exact", "numpy.random.RandomState"),
    ],
)
def test_mistakes_are_told(
    frame: object, name: str, severity: int, mode: str, message: str
) -> None:
    with pytest.raises(UsageError) as error:
        corrupt(frame, name, severity, np.random.default_rng(0), mode)  # type: ignore[arg-type]
    assert message in str(error.value)


def test_wrong_generators_and_sizes_are_told() -> None:
    drawn = draw("fog", 3, (40, 40), np.random.default_rng(0))
    with pytest.raises(UsageError, match="drawn for 40x40, the frame is 41x40"):
        apply(scene(41, 40), drawn, np.random.default_rng(0))
    with pytest.raises(UsageError, match="drawn in fast mode"):
        apply(FRAME, drawn, np.random.RandomState(0))
    with pytest.raises(UsageError, match="rng is a Random"):
        draw("fog", 3, (40, 40), random.Random(0))  # type: ignore[arg-type]
