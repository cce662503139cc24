from __future__ import annotations

import numpy as np
import pytest

from rvosbench.demo.clips import Clip, ClipConfig, make_clip
from rvosbench.demo.expressions import CATEGORIES
from rvosbench.demo.shapes import COLOURS

SEEDS = range(60)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [make_clip((7, seed), ClipConfig(size=96)) for seed in SEEDS]


def test_a_seed_gives_the_same_bytes_in_any_order() -> None:
    config = ClipConfig(n_frames=5, step=0.1)
    forward = [make_clip(seed, config) for seed in (1, 2, 3)]
    backward = [make_clip(seed, config) for seed in (3, 2, 1)][::-1]
    for a, b in zip(forward, backward, strict=True):
        assert a.frames.tobytes() == b.frames.tobytes()
        assert a.masks.tobytes() == b.masks.tobytes()
    assert forward[0].frames.tobytes() != forward[1].frames.tobytes()


def test_sentences_do_not_change_what_is_drawn() -> None:
    with_them, without = make_clip(5), make_clip(5, with_expressions=False)
    assert np.array_equal(with_them.frames, without.frames)
    assert with_them.expressions
    assert without.expressions == ()
    assert make_clip(5).expressions == with_them.expressions


@pytest.mark.parametrize("size", [64, 128, 160])
def test_shapes_and_types(size: int) -> None:
    clip = make_clip(2, ClipConfig(size=size, n_frames=9))
    count = len(clip.objects)
    assert clip.frames.shape == (9, size, size, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.masks.shape == (count, 9, size, size)
    assert clip.masks.dtype == np.bool_
    assert all(
        o.x.shape == o.y.shape == o.size.shape == o.angle.shape == (9,) for o in clip.objects
    )
    assert [o.depth for o in clip.objects] == list(range(count))


def test_a_larger_frame_shows_the_same_scene() -> None:
    small, large = (make_clip(4, ClipConfig(size=size)) for size in (64, 128))
    for a, b in zip(small.objects, large.objects, strict=True):
        assert np.array_equal(a.x, b.x)
    share = small.masks.mean(axis=(2, 3)), large.masks.mean(axis=(2, 3))
    assert np.abs(share[0] - share[1]).max() < 0.01


def test_masks_are_disjoint(clips: list[Clip]) -> None:
    for clip in clips:
        assert clip.masks.sum(axis=0).max() <= 1


def test_mask_pixels_have_the_colour_of_their_object(clips: list[Clip]) -> None:
    """Inside a plain shape, every pixel is its colour up to exposure, edge and noise."""
    checked = 0
    for clip in clips[:20]:
        for shape, masks in zip(clip.objects, clip.masks, strict=True):
            for frame, mask in zip(clip.frames, masks, strict=True):
                if shape.texture == "plain" and mask.sum() > 60:
                    seen = np.median(frame[mask].astype(float), axis=0)
                    assert np.abs(seen - COLOURS[shape.colour]).max() < 50
                    checked += 1
    assert checked > 100


def test_pixels_of_no_mask_are_muted_background(clips: list[Clip]) -> None:
    for clip in clips[:20]:
        nobody = ~clip.masks.any(axis=0)
        pixels = clip.frames[nobody].astype(int)
        saturation = pixels.max(axis=1) - pixels.min(axis=1)
        assert np.quantile(saturation, 0.9) < 90


def test_windows_move_on_by_the_asked_step() -> None:
    config = ClipConfig(n_frames=3, step=0.05)
    whole = make_clip(11, ClipConfig(n_frames=3))
    window = make_clip(11, config)
    travelled = [np.hypot(np.diff(o.x), np.diff(o.y)).sum() for o in window.objects]
    assert max(travelled) < 0.3
    assert len(whole.expressions) == 0  # too short to speak of change


def test_every_clip_has_sentences_and_every_category_occurs(clips: list[Clip]) -> None:
    counts = dict.fromkeys(CATEGORIES, 0)
    for clip in clips:
        assert 4 <= len(clip.expressions) <= 6
        assert len({e.text for e in clip.expressions}) == len(clip.expressions)
        for expression in clip.expressions:
            counts[expression.category] += 1
    total = sum(counts.values())
    assert min(counts.values()) >= 0.06 * total
    assert max(counts.values()) <= 0.2 * total


def test_number_of_targets_fits_the_category(clips: list[Clip]) -> None:
    for clip in clips:
        for e in clip.expressions:
            count = len(e.objects)
            assert (count == 0) == (e.category == "no_target")
            assert (count > 1) == (e.category == "multiple")


def test_look_alikes_are_common_and_move_differently(clips: list[Clip]) -> None:
    with_twins = 0
    for clip in clips:
        looks = [(o.colour, o.shape, o.texture) for o in clip.objects]
        pairs = [
            (a, b)
            for i, a in enumerate(clip.objects)
            for j, b in enumerate(clip.objects)
            if i < j and looks[i] == looks[j]
        ]
        with_twins += bool(pairs)
        for a, b in pairs:
            assert np.hypot(a.x - b.x - a.x[0] + b.x[0], a.y - b.y - a.y[0] + b.y[0]).max() > 0.05
    assert with_twins >= 0.4 * len(clips)


def test_named_shapes_are_seen(clips: list[Clip]) -> None:
    least = 40 / 128**2 * 96**2
    edge = ("picture", "view", "frame")
    for clip in clips:
        for e in clip.expressions:
            part = 0.25 if any(word in e.text for word in edge) else 0.5
            for index in e.objects:
                seen = (clip.masks[index].sum(axis=(1, 2)) >= least).mean()
                assert seen >= part, e.text
