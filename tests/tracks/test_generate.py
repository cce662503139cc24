"""Tracks from a network with random weights: shapes, order, sharing, independence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rvosbench.adapters.sam2 import Sam2
from rvosbench.adapters.sam2_model import build_sam2, tiny_config
from rvosbench.records import Track, Video
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.features import FrameFeatureCache
from rvosbench.tracks.generate import generate_tracks, truth_tracks
from rvosbench.tracks.grid import grid_points, grid_prompts

SIZE = (60, 80)
EASY = TrackConfig(
    points_per_side=4,
    predicted_iou=0,
    stability=0,
    box_nms=0.99,
    part_share=1,
    iou_filter=0.95,
    max_grid_tracks=7,
    frame_interval=3,
)


@pytest.fixture(scope="module")
def sam2() -> Sam2:
    torch.manual_seed(1)
    model = build_sam2(tiny_config(image_size=64, dim=128))
    for name, parameter in model.named_parameters():
        if "mask_decoder" in name and parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15)  # so that points give different masks
    return Sam2(model, "random")


@pytest.fixture(scope="module")
def video() -> Video:
    frames = np.random.default_rng(0).integers(0, 255, (5, *SIZE, 3), np.uint8)
    frames[:, 10:40, 20:50] = (200, 30, 30)
    return Video("v", tuple("01234"), lambda i: frames[i], lambda: SIZE)


@pytest.fixture(scope="module")
def tracks(sam2: Sam2, video: Video) -> tuple[Track, ...]:
    return generate_tracks(sam2, video, EASY)


def test_tracks_cover_the_whole_video(tracks: tuple[Track, ...]) -> None:
    assert len(tracks) >= 2
    assert [t.id for t in tracks] == [str(i) for i in range(len(tracks))]
    assert {t.prompt_frame for t in tracks} <= {0, 3}
    for track in tracks:
        assert (len(track.masks), track.masks.size) == (5, SIZE)
        assert (track.tokens.shape, track.tokens.dtype) == ((5, 128), np.float32)
        assert np.isfinite(track.tokens).all()
        assert 0 <= track.score <= 1
        assert track.serves("any")


def test_tracks_come_out_the_same_again(
    sam2: Sam2, video: Video, tracks: tuple[Track, ...]
) -> None:
    again = generate_tracks(sam2, video, EASY)
    assert [t.masks for t in again] == [t.masks for t in tracks]
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(again, tracks, strict=True))


def test_every_frame_is_encoded_once(
    sam2: Sam2, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = []
    encode = Sam2.encode
    monkeypatch.setattr(Sam2, "encode", lambda self, f: encoded.append(1) or encode(self, f))  # type: ignore[func-returns-value]
    generate_tracks(sam2, video, replace(EASY, frame_interval=1))
    assert len(encoded) == len(video)


def test_features_beyond_the_budget_are_encoded_again(sam2: Sam2, video: Video) -> None:
    cache = FrameFeatureCache(sam2, video, budget=1)
    first = cache(0).maps[0].clone()
    cache(1)
    assert torch.equal(cache(0).maps[0], first)
    assert cache.encoded == 3


def test_no_prompt_passes_an_impossible_threshold(sam2: Sam2, video: Video) -> None:
    assert generate_tracks(sam2, video, replace(EASY, predicted_iou=1.1)) == ()


def test_truth_prompts_skip_empty_masks_and_show_the_prompt_in_its_frame(
    sam2: Sam2, video: Video
) -> None:
    masks = np.zeros((2, *SIZE), bool)
    masks[1, 10:40, 20:50] = True
    (track,) = truth_tracks(sam2, video, 2, masks)
    assert (track.source, track.prompt_frame, track.prompt) == ("truth", 2, ())
    shown = track.masks.frame(2)
    assert (shown & masks[1]).sum() / (shown | masks[1]).sum() > 0.9


def test_grid_points_are_the_centres_of_cells() -> None:
    assert grid_points(2, (4, 8)).tolist() == [[2, 1], [6, 1], [2, 3], [6, 3]]


def test_prompts_are_sorted_by_area_and_carry_their_point(sam2: Sam2, video: Video) -> None:
    found = grid_prompts(sam2, sam2.encode(video.read(0)), SIZE, EASY)
    areas = found.masks.sum(axis=(1, 2))
    assert (np.diff(areas) <= 0).all()
    assert (areas > 0).all()
    grid = {tuple(p) for p in grid_points(4, SIZE)}
    assert {tuple(p) for p in found.points} <= grid
    single = grid_prompts(sam2, sam2.encode(video.read(0)), SIZE, replace(EASY, multimask=False))
    assert len(single.masks) <= 16
