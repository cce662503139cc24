"""What J and F must be for any masks, and by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from rvosbench.errors import MaskError, UsageError
from rvosbench.masks import MaskSequence
from rvosbench.metrics import contour_accuracy, region_similarity, score_frames
from rvosbench.metrics.boundary import tolerance
from rvosbench.metrics.counts import count

from . import reference

Mask = NDArray[np.bool_]
SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=90)


@st.composite
def several(draw: st.DrawFn, number: int) -> tuple[Mask, ...]:
    """Masks of one shape: noise, rectangles, stripes, empty or full."""
    shape = draw(SHAPES)
    return tuple(draw(_mask(shape)) for _ in range(number))


def _mask(shape: tuple[int, ...]) -> st.SearchStrategy[Mask]:
    plain = st.sampled_from([np.zeros(shape, bool), np.ones(shape, bool)])
    return st.one_of(arrays(bool, shape), _rectangles(shape), _noise(shape), _stripes(shape), plain)


@st.composite
def _rectangles(draw: st.DrawFn, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, bool)
    for _ in range(draw(st.integers(1, 3))):
        (top, bottom), (left, right) = (
            sorted(draw(st.tuples(st.integers(0, side), st.integers(0, side)))) for side in shape
        )
        mask[top:bottom, left:right] = True
    return mask


@st.composite
def _noise(draw: st.DrawFn, shape: tuple[int, ...]) -> Mask:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    density: float = draw(st.sampled_from([0.01, 0.1, 0.5, 0.9]))
    mask: Mask = rng.random(shape) < density
    return mask


@st.composite
def _stripes(draw: st.DrawFn, shape: tuple[int, ...]) -> Mask:
    period, turned = draw(st.integers(2, 9)), draw(st.booleans())
    y, x = np.indices(shape)
    mask: Mask = np.equal((x if turned else y) % period, 0)
    return mask


RADII = st.sampled_from([0.0, 0.008, 0.05, 0.3, 1, 2, 3, 7, 47, 48, 49, 120])


@settings(max_examples=300, deadline=None)
@given(several(3), st.booleans(), RADII)
def test_scores_equal_the_definition(
    masks: tuple[Mask, ...], use_void: bool, bound_th: float
) -> None:
    prediction, target, void = masks[0], masks[1], masks[2] if use_void else None
    assert region_similarity(prediction, target, void) == reference.region(prediction, target, void)
    got = contour_accuracy(prediction, target, void, bound_th)
    assert got == reference.contour(prediction, target, void, bound_th)


@settings(deadline=None)
@given(several(1))
def test_a_mask_agrees_with_itself(masks: tuple[Mask]) -> None:
    assert region_similarity(masks[0], masks[0]) == 1.0
    assert contour_accuracy(masks[0], masks[0]) == 1.0


@settings(deadline=None)
@given(several(2))
def test_scores_are_symmetric_and_between_0_and_1(masks: tuple[Mask, Mask]) -> None:
    p, t = masks
    for measure in (region_similarity, contour_accuracy):
        assert 0 <= measure(p, t) <= 1
        assert measure(p, t) == measure(t, p)


@settings(deadline=None)
@given(several(2), st.integers(1, 70), st.integers(1, 70))
def test_background_around_changes_nothing_but_the_tolerance(
    masks: tuple[Mask, Mask], rows: int, columns: int
) -> None:
    p, t = (np.pad(m, 1) for m in masks)  # the objects no longer touch the border
    far_p, far_t = (np.pad(m, ((rows, 0), (0, columns))) for m in (p, t))
    assert region_similarity(far_p, far_t) == region_similarity(p, t)
    assert contour_accuracy(far_p, far_t, bound_th=2) == contour_accuracy(p, t, bound_th=2)


@settings(deadline=None)
@given(several(2))
def test_void_everywhere_scores_one(masks: tuple[Mask, Mask]) -> None:
    void = np.ones(masks[0].shape, bool)
    p, t = masks
    assert region_similarity(p, t, void) == contour_accuracy(p, t, void) == 1.0


@settings(deadline=None, max_examples=30)
@given(several(6))
def test_sequences_score_like_their_frames(masks: tuple[Mask, ...]) -> None:
    p, t, v = masks[0:2], masks[2:4], masks[4:6]
    ps, ts, vs = (MaskSequence.from_arrays(m) for m in (p, t, v))
    j, f = score_frames(ps, ts, vs)
    frames = list(zip(p, t, v, strict=True))
    assert j.tolist() == [region_similarity(*frame) for frame in frames]
    assert f.tolist() == [contour_accuracy(*frame) for frame in frames]
    assert region_similarity(ps, ts, vs).tolist() == j.tolist()
    assert contour_accuracy(ps, ts, vs).tolist() == f.tolist()


def test_storage_and_memory_layout_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    p, t = rng.random((2, 40, 130)) < 0.3
    expected = contour_accuracy(p, t)
    assert contour_accuracy(np.asfortranarray(p), t[::-1][::-1]) == expected
    coded_p, coded_t = (MaskSequence.from_arrays([m]).compressed() for m in (p, t))
    assert contour_accuracy(coded_p, coded_t).tolist() == [expected]


def test_any_nonzero_value_is_foreground() -> None:
    soft = np.array([[0.0, 0.01], [np.nan, -3.0]])
    assert region_similarity(soft, np.array([[0, 255], [1, 7]])) == 1.0


FULL, EMPTY = np.ones((20, 30), bool), np.zeros((20, 30), bool)
BLOCK = np.pad(np.ones((6, 6), bool), ((5, 9), (5, 19)))


@pytest.mark.parametrize(
    ("prediction", "target", "j", "f"),
    [
        pytest.param(EMPTY, EMPTY, 1.0, 1.0, id="both empty"),
        pytest.param(BLOCK, EMPTY, 0.0, 0.0, id="false alarm"),
        pytest.param(EMPTY, BLOCK, 0.0, 0.0, id="miss"),
        pytest.param(FULL, FULL, 1.0, 1.0, id="both full"),
        pytest.param(EMPTY, FULL, 0.0, 1.0, id="a full mask has no outline"),
        pytest.param(FULL, BLOCK, 36 / 600, 0.0, id="full against an object"),
        pytest.param(EMPTY[:1, :1], FULL[:1, :1], 0.0, 1.0, id="one pixel"),
    ],
)
def test_edge_cases(prediction: Mask, target: Mask, j: float, f: float) -> None:
    assert region_similarity(prediction, target) == j
    assert contour_accuracy(prediction, target) == f


@pytest.mark.parametrize(
    ("y", "x", "pixels"), [(5, 5, 4), (0, 0, 1), (9, 9, 3), (0, 5, 2), (5, 9, 4)]
)
def test_the_outline_of_one_pixel_in_a_10x10_image(y: int, x: int, pixels: int) -> None:
    mask = np.zeros((10, 10), bool)
    mask[y, x] = True
    dot, nothing = MaskSequence.from_arrays([mask]), MaskSequence.empty(1, (10, 10))
    assert count(dot, nothing, radius=1).prediction_boundary.tolist() == [pixels]


@pytest.mark.parametrize(
    ("size", "radius"),
    [((360, 640), 6), ((480, 854), 8), ((480, 910), 9), ((480, 1152), 10), ((1080, 1920), 18)],
)
def test_the_tolerance_grows_with_the_image(size: tuple[int, int], radius: int) -> None:
    assert tolerance(size) == radius


def test_a_tolerance_in_pixels_is_taken_as_it_is() -> None:
    assert [tolerance((480, 854), bound_th) for bound_th in (0, 1, 5.0)] == [0, 1, 5]


@pytest.mark.parametrize("bound_th", [1.5, -0.1, float("nan"), float("inf")])
def test_impossible_tolerances_are_refused(bound_th: float) -> None:
    with pytest.raises(UsageError, match="bound_th is"):
        contour_accuracy(BLOCK, BLOCK, bound_th=bound_th)


def test_no_frames_score_nothing() -> None:
    none = MaskSequence.empty(0, (4, 4))
    assert region_similarity(none, none).shape == contour_accuracy(none, none).shape == (0,)


def test_shapes_that_do_not_fit_are_refused() -> None:
    sequence = MaskSequence.from_arrays([BLOCK])
    with pytest.raises(MaskError, match=r"1 x 20x30 .* target 1 x 30x20"):
        region_similarity(BLOCK, BLOCK.T)
    with pytest.raises(MaskError, match=r"void 1 x 30x20"):
        contour_accuracy(BLOCK, BLOCK, BLOCK.T)
    with pytest.raises(MaskError, match="target 2 x 20x30"):
        region_similarity(sequence, MaskSequence.from_arrays([BLOCK, BLOCK]))
    with pytest.raises(MaskError, match=r"target has shape \(20, 30, 1\)"):
        region_similarity(BLOCK, BLOCK[..., None])
    with pytest.raises(MaskError, match="have no pixels"):
        contour_accuracy(BLOCK[:0], BLOCK[:0])
    with pytest.raises(MaskError, match="paired with a MaskSequence"):
        region_similarity(sequence, BLOCK)  # type: ignore[call-overload]
