"""Every frame is encoded once, whatever is asked of the video."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvosbench.demo.dataset import open_demo
from rvosbench.masks import MaskSequence
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Frame
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_build import BuildOptions, build_tracks, object_tracks
from rvosbench.tracks.candidates import CandidateConfig
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.track_maker import candidate_tracks

from .worlds import EASY, LENGTH, SIZE, Reader, make_sample, random_sam2

LEFT, RIGHT, WIDE = (2.0, 5.0, 30.0, 50.0), (45.0, 5.0, 78.0, 50.0), (5.0, 20.0, 75.0, 40.0)
READER = {"left": [(LEFT, 0.9)], "right": [(RIGHT, 0.8), (WIDE, 0.3)], "both": [(LEFT, 0.5)]}
TEXTS = {"0": "left", "1": "right", "2": "both", "3": "left"}
ONE_FRAME = 4 * (16 * 16 * 16 + 32 * 8 * 8 + 128 * 4 * 4)
"""Bytes of a frame's features in this network."""


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fills with a number for every pass through the image encoder."""
    passes: list[int] = []
    encode = Sam2.encode

    def counting(self: Sam2, frame: Frame) -> object:
        passes.append(len(passes))
        return encode(self, frame)

    monkeypatch.setattr(Sam2, "encode", counting)
    return passes


def everything(config: TrackConfig, compute: Compute) -> set[tuple[str, int]]:
    """Grid, boxes of four expressions and truth: sources and prompted frames of the tracks."""
    sample = make_sample(TEXTS)
    follower = Follower.of(random_sam2(), sample.video, compute)
    tracks = candidate_tracks(follower, sample, config, Reader(READER))
    truth = np.zeros((2, LENGTH, *SIZE), bool)
    truth[0, 1, 5:30, 5:30] = truth[1, 4, 20:50, 30:70] = True
    masks = {str(i): MaskSequence.from_arrays(list(m)) for i, m in enumerate(truth)}
    made = [*tracks, *object_tracks(follower, masks, range(LENGTH))]
    return {(track.source, track.prompt_frame) for track in made}


@pytest.mark.parametrize("config", [EASY, replace(EASY, frame_interval=1, box_interval=2)])
@pytest.mark.parametrize("batch_size", [1, 16])
def test_whatever_the_prompts_expressions_and_directions(
    encoded: list[int], config: TrackConfig, batch_size: int
) -> None:
    made = everything(config, Compute(batch_size=batch_size))
    assert {source for source, _ in made} == {"grid", "box", "truth"}
    assert any(frame > 0 for _, frame in made), "nothing went backward"
    assert len(encoded) == LENGTH


@pytest.mark.parametrize("frames_kept", [0, 2])
def test_with_little_memory_and_a_disk(
    encoded: list[int], tmp_path: Path, frames_kept: int
) -> None:
    everything(EASY, Compute(feature_budget=frames_kept * ONE_FRAME, spill=str(tmp_path)))
    assert len(encoded) == LENGTH


def test_with_little_memory_and_no_disk_the_rest_is_encoded_again(encoded: list[int]) -> None:
    """By design: the budget bounds memory, and the price is time. One frame more is always held."""
    everything(EASY, Compute(feature_budget=LENGTH * ONE_FRAME))
    assert len(encoded) == LENGTH
    encoded.clear()
    everything(EASY, Compute(feature_budget=(LENGTH - 2) * ONE_FRAME))
    assert len(encoded) > LENGTH


def test_a_build_with_truth_tracks_encodes_once_too(encoded: list[int], tmp_path: Path) -> None:
    demo = open_demo(None, "valid")
    few = TrackConfig(points_per_side=2, multimask=False, predicted_iou=0, stability=0)
    video = demo.sample("valid-0000").video
    options = BuildOptions(truth=True, videos=[video.id])
    build_tracks(demo, CandidateConfig("demo", "", prompts=few), tmp_path, options)
    sources = {t.source for t in TrackCache(tmp_path).tracks(video.id)}
    assert sources == {"grid", "truth"}
    assert len(encoded) == len(video)
