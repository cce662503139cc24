"""Tracks from a network with random weights: shapes, order, sharing, independence."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Sample, Track
from rvosbench.tracks.candidates import CandidateConfig, foretold
from rvosbench.tracks.config import Compute
from rvosbench.tracks.follower import FrameFeatureCache
from rvosbench.tracks.grid import grid_points, grid_prompts
from rvosbench.tracks.track_maker import TrackMaker

from .worlds import EASY, SIZE, generate_tracks, make_sample, random_sam2, truth_tracks


@pytest.fixture(scope="module")
def sam2() -> Sam2:
    return random_sam2()


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.fixture(scope="module")
def tracks(sam2: Sam2, sample: Sample) -> tuple[Track, ...]:
    return generate_tracks(sam2, sample, EASY)


def test_tracks_cover_the_whole_video(tracks: tuple[Track, ...]) -> None:
    assert len(tracks) >= 2
    assert [t.id for t in tracks] == [str(i) for i in range(len(tracks))]
    assert {t.prompt_frame for t in tracks} <= {0, 3}
    for track in tracks:
        assert (len(track.masks), track.masks.size) == (5, SIZE)
        assert (track.tokens.shape, track.tokens.dtype) == ((5, 128), np.dtype(np.float32))
        assert np.isfinite(track.tokens).all()
        assert 0 <= track.score <= 1
        assert track.serves("any")


def same(ours: tuple[Track, ...], theirs: tuple[Track, ...]) -> None:
    """The same tracks, but for the last bits of tokens computed in another batch."""
    assert [t.prompt for t in ours] == [t.prompt for t in theirs]
    assert [t.masks for t in ours] == [t.masks for t in theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.tokens, b.tokens, atol=1e-4)


@pytest.mark.parametrize("order", ["video", "frame"])
def test_the_compute_batch_changes_no_track(sam2: Sam2, sample: Sample, order: str) -> None:
    config = replace(EASY, order=order)  # type: ignore[arg-type]
    whole = generate_tracks(sam2, sample, config)
    assert len(whole) > 2
    same(whole, generate_tracks(sam2, sample, config, compute=Compute(batch_size=2)))
    same(whole, generate_tracks(sam2, sample, config, compute=Compute(feature_budget=0)))


def test_frame_by_frame_the_prompts_of_the_first_frame_come_first(
    sam2: Sam2, sample: Sample
) -> None:
    tracks = generate_tracks(sam2, sample, replace(EASY, order="frame"))
    frames = [t.prompt_frame for t in tracks]
    assert frames == sorted(frames)


def test_what_fits_the_budget_stays_and_the_rest_is_encoded_again(
    sam2: Sam2, sample: Sample
) -> None:
    one = sum(m.numel() * m.element_size() for m in sam2.encode(sample.video.read(0)).maps)
    cache = FrameFeatureCache(sam2, sample.video, Compute(feature_budget=2 * one))
    first = cache(3).maps[0].clone()
    for _ in range(2):
        for index in range(5):
            cache(index)
    assert torch.equal(cache(3).maps[0], first)
    assert cache.encoded == 5 + 3  # frames 3 and 0 are kept


def test_spilled_features_come_back_bit_for_bit(sam2: Sam2, sample: Sample, tmp_path: Path) -> None:
    compute = Compute(feature_budget=0, spill=str(tmp_path / "features"))
    for network in (sam2, replace(sam2, dtype="bfloat16")):
        cache = FrameFeatureCache(network, sample.video, compute)
        before = [[level.clone() for level in cache(i).maps] for i in range(5)]
        for index, levels in enumerate(before):
            again = cache(index).maps
            assert all(torch.equal(a, b) for a, b in zip(again, levels, strict=True))
        assert cache.encoded == 5
    del cache
    assert not list((tmp_path / "features").iterdir())


def test_no_prompt_passes_an_impossible_threshold(sam2: Sam2, sample: Sample) -> None:
    assert generate_tracks(sam2, sample, replace(EASY, predicted_iou=1.1)) == ()


def test_truth_prompts_skip_empty_masks_and_show_the_prompt_in_its_frame(
    sam2: Sam2, sample: Sample
) -> None:
    masks = np.zeros((2, *SIZE), bool)
    masks[1, 10:40, 20:50] = True
    (track,) = truth_tracks(sam2, sample.video, 2, masks)
    assert (track.source, track.prompt_frame, track.prompt) == ("truth", 2, ())
    shown = track.masks.frame(2)
    assert (shown & masks[1]).sum() / (shown | masks[1]).sum() > 0.9


def test_grid_points_are_the_centres_of_cells() -> None:
    assert grid_points(2, (4, 8)).tolist() == [[2, 1], [6, 1], [2, 3], [6, 3]]


def test_prompts_are_sorted_by_area_and_carry_their_point(sam2: Sam2, sample: Sample) -> None:
    features = sam2.encode(sample.video.read(0))
    found = grid_prompts(sam2, features, 0, SIZE, EASY)
    areas = [p.area for p in found]
    assert areas == sorted(areas, reverse=True)
    assert min(areas) > 0
    assert {p.place for p in found} <= {tuple(p) for p in grid_points(4, SIZE)}
    single = grid_prompts(sam2, features, 0, SIZE, replace(EASY, multimask=False))
    assert len(single) <= 16


LIGHT = """
import importlib, pkgutil, sys, rvosbench.tracks
for module in pkgutil.iter_modules(rvosbench.tracks.__path__):
    if module.name not in ("track_maker", "cache_build"):  # they open networks
        importlib.import_module(f"rvosbench.tracks.{module.name}")
print(sorted({"torch", "transformers"} & sys.modules.keys()))
"""


def test_only_the_maker_of_tracks_needs_torch() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_opened_models_say_is_known_without_opening_them() -> None:
    for config in (CandidateConfig("demo", "demo"), CandidateConfig("demo", "", dtype="bfloat16")):
        assert TrackMaker(config, "cpu").provenance() == foretold(config, "cpu")
    assert foretold(CandidateConfig("./none", ""), "cpu") is None
