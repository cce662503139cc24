"""Compiled loops against plain or library versions of the same arithmetic."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from rvosbench.corruptions.draws import halves, index, normals, uniform
from rvosbench.corruptions.exact.blur import disc
from rvosbench.corruptions.fast.digital import affine_map
from rvosbench.corruptions.kernels.lines import line_blur, line_blur_exact, offsets, taps
from rvosbench.corruptions.kernels.pixels import in_hsv
from rvosbench.corruptions.kernels.plasma import plasma
from rvosbench.corruptions.kernels.sampling import displace, enlarge, shuffle, shuffled_pixels, warp
from rvosbench.corruptions.kernels.smoothing import gaussian_weights, smooth, symmetric
from rvosbench.corruptions.kernels.zooms import zoom, zoom_axis
from rvosbench.records import Frame

from .scenes import scene

SIZES = st.tuples(st.integers(32, 90), st.integers(32, 90))


def scipy_zoom(image: np.ndarray[tuple[int, ...], np.dtype[np.float32]], factor: float) -> object:
    """The middle enlarged as the original does it, both axes on their own."""
    (height, width), crops = image.shape[:2], [math.ceil(n / factor) for n in image.shape[:2]]
    top, left = (height - crops[0]) // 2, (width - crops[1]) // 2
    part = image[top : top + crops[0], left : left + crops[1]]
    large = ndimage.zoom(part, (factor, factor, 1), order=1)
    y, x = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return large[y : y + height, x : x + width]


@settings(max_examples=25, deadline=None)
@given(SIZES, st.sampled_from([1.0, 1.01, 1.05, 1.09, 1.2, 1.28, 2.0, 2.5, 3.0, 4.5]))
def test_zoom_is_scipys_bit_for_bit(size: tuple[int, int], factor: float) -> None:
    image = (scene(*size) / 255).astype(np.float32)
    ours = zoom(image, zoom_axis(size[0], factor), zoom_axis(size[1], factor))
    np.testing.assert_array_equal(ours, scipy_zoom(image, factor))


def plain_line_blur(frame: Frame, radius: int, sigma: float, angle: float) -> Frame:
    weights = taps(radius, sigma)
    height, width = frame.shape[:2]
    total = np.zeros(frame.shape)
    for weight, (dy, dx) in zip(weights, offsets(len(weights), angle), strict=True):
        rows = np.clip(np.arange(height) + dy, 0, height - 1)
        columns = np.clip(np.arange(width) + dx, 0, width - 1)
        total += weight * (257.0 * frame[rows][:, columns])
    return (np.floor(total + 0.5) // 257).astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(SIZES, st.floats(-180, 180), st.sampled_from([(10, 3), (20, 15)]), st.sampled_from([1, 3]))
def test_line_blur_is_the_plain_sum(
    size: tuple[int, int], angle: float, level: tuple[int, float], channels: int
) -> None:
    frame = np.ascontiguousarray(scene(*size)[..., :channels])
    exact = line_blur_exact(frame, *level, angle)
    np.testing.assert_array_equal(exact, plain_line_blur(frame, *level, angle))
    assert np.abs(line_blur(frame, *level, angle).astype(int) - exact).max() <= 1


def test_line_blur_longer_than_the_frame_stays_inside() -> None:
    frame = scene(32, 32)
    np.testing.assert_array_equal(
        line_blur_exact(frame, 40, 30, 0), plain_line_blur(frame, 40, 30, 0)
    )


def plain_shuffle(
    frame: Frame, moves: np.ndarray[tuple[int, ...], np.dtype[np.int8]], reach: int
) -> Frame:
    """The original's loop, whose exchange of two views is no exchange."""
    out = frame.copy()
    height, width = frame.shape[:2]
    for scan in moves:
        steps = iter(scan)
        for y in range(height - reach, reach, -1):
            for x in range(width - reach, reach, -1):
                dx, dy = next(steps)
                out[y, x], out[y + dy, x + dx] = out[y + dy, x + dx], out[y, x]
    return out


@pytest.mark.parametrize("reach", [1, 3, 4])
def test_shuffle_is_the_originals_loop(reach: int) -> None:
    frame = scene(33, 40)
    pixels = shuffled_pixels(33, 40, reach)
    rng = np.random.default_rng(reach)
    moves = rng.integers(-reach, reach, (2, pixels, 2)).astype(np.int8)
    shuffled = shuffle(frame, moves, reach)
    np.testing.assert_array_equal(shuffled, plain_shuffle(frame, moves, reach))
    assert (shuffled != frame).any()


@pytest.mark.parametrize("border", ["nearest", "reflect"])
@pytest.mark.parametrize("sigma", [0.7, 1.1, 2.44, 6.0])
def test_integer_smoothing_is_the_gaussian(sigma: float, border: str) -> None:
    frame = scene(40, 51)
    wanted = ndimage.gaussian_filter(
        frame.astype(float), (sigma, sigma, 0), mode=border, truncate=3
    )
    ours = smooth(frame, sigma, 3.0, border) / 256  # type: ignore[arg-type]
    assert np.abs(ours - wanted).max() < 0.05


def test_integer_smoothing_keeps_flat_areas_and_reaches_beyond_small_images() -> None:
    for value in (0, 1, 37, 255):
        flat = np.full((5, 6, 1), value, np.uint8)
        np.testing.assert_array_equal(smooth(flat, 6.0, 4.0, "reflect"), value * 256)
    weights = gaussian_weights(6.0, 4.0).astype(int)
    assert 2 * weights.sum() - weights[0] == 65536


@pytest.mark.parametrize("level", [(3, 0.1), (8, 0.5), (10, 0.5)])
def test_symmetric_filter_is_opencvs(level: tuple[int, float]) -> None:
    frame, kernel = scene(35, 60), disc(*level)
    wanted = np.clip(cv2.filter2D(frame.astype(np.float64), -1, kernel), 0, 255)
    apart = symmetric(frame, kernel) - wanted
    assert apart.max() < 0.1
    assert apart.min() > -1.1  # cut, not rounded


def plain_hsv(frame: Frame, change: str, level: tuple[float, ...]) -> Frame:
    """By the definition of HSV, one pixel at a time."""
    import colorsys

    out = np.empty_like(frame)
    for place in np.ndindex(*frame.shape[:2]):
        h, s, v = colorsys.rgb_to_hsv(*(frame[place] / 255))
        if change == "value":
            v = min(v + level[0], 1)
        else:
            s = min(max(s * level[0] + level[1], 0), 1)
        out[place] = np.array(colorsys.hsv_to_rgb(h, s, v)) * 255
    return out


def test_changes_in_hsv_are_those_of_the_definition() -> None:
    frame = scene(32, 40)
    brighter, redder = in_hsv(frame, 1.0, 0.0, 0.3), in_hsv(frame, 5.0, 0.1, 0.0)
    assert np.abs(brighter.astype(int) - plain_hsv(frame, "value", (0.3,))).max() <= 1
    assert np.abs(redder.astype(int) - plain_hsv(frame, "saturation", (5, 0.1))).max() <= 1


def test_plasma_fills_the_unit_interval_and_wraps_around() -> None:
    numbers = halves(np.random.default_rng(3), 64 * 64)
    height = plasma(numbers, 64, np.float32(3), 64, 64)
    assert (height.min(), height.max()) == (0, 1)
    seam, inside = np.abs(height[0] - height[-1]).mean(), np.abs(np.diff(height, axis=0)).mean()
    assert seam < 2 * inside
    np.testing.assert_array_equal(plasma(numbers, 64, np.float32(3), 20, 30), height[:20, :30])


def test_warp_and_displace_by_nothing_change_nothing() -> None:
    frame = scene(33, 47)
    still = warp(frame, np.eye(2, 3))
    np.testing.assert_array_equal(still, frame.astype(np.uint16) * 256)
    np.testing.assert_array_equal(displace(still, np.zeros((2, 33, 47), np.float32)), frame)


def test_warp_is_opencvs_but_for_its_coarser_places() -> None:
    frame = cv2.GaussianBlur(scene(60, 80), (0, 0), 3)
    back = np.array([[0.9, 0.2, 3.3], [-0.1, 1.1, -4.7]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wanted = cv2.warpAffine(frame, back, (80, 60), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    assert np.abs(warp(frame, back) / 256 - wanted).max() < 3


def test_displace_takes_pixels_from_where_the_field_points() -> None:
    frame = scene(40, 50)
    field = np.zeros((2, 40, 50), np.float32)
    field[0], field[1] = 3, -2
    moved = displace(warp(frame, np.eye(2, 3)), field)
    np.testing.assert_array_equal(moved[2:, :-3], frame[:-2, 3:])
    np.testing.assert_array_equal(moved[5, -1], frame[3, -3])  # mirrored, edge pixel twice


def test_enlarge_keeps_planes_and_means() -> None:
    ramp = (np.arange(8, dtype=np.uint16) * 100)[None, :, None].repeat(6, axis=0)
    large = enlarge(ramp, 4, 22, 30)
    np.testing.assert_allclose(np.diff(large[10, 4:26]), 25, atol=1e-3)
    np.testing.assert_array_equal(enlarge(ramp, 1, 6, 8), ramp[..., 0])


def test_affine_map_takes_its_points_along() -> None:
    source = np.array([[10.0, 20.0], [40.0, 15.0], [22.0, 60.0]])
    target = source + np.array([[1, 2], [-3, 4], [5, -6]])
    matrix = affine_map(source, target)
    np.testing.assert_allclose(source @ matrix[:, :2].T + matrix[:, 2], target)
    np.testing.assert_array_equal(affine_map(np.zeros((3, 2)), target), np.eye(2, 3))


def test_numbers_from_words_have_their_ranges() -> None:
    rng = np.random.default_rng(0)
    numbers = np.array([uniform(rng, -45, 45) for _ in range(2000)])
    assert -45 <= numbers.min() < -44
    assert 44 < numbers.max() < 45
    assert abs(numbers.mean()) < 3
    places = np.bincount([index(rng, 5) for _ in range(2000)])
    assert len(places) == 5
    assert places.min() > 330
    table = normals()
    assert abs(table.mean()) < 1e-6
    assert abs(table.std() - 1) < 1e-3
