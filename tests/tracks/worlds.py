"""What several tests of tracks share: masks, videos, small networks, a grounder that reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from rvosbench.masks import MaskSequence
from rvosbench.models.grounding_dino.detector import Detections
from rvosbench.models.sam2.model import build_sam2, tiny_config
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Expression, Frame, Sample, Track, Video
from rvosbench.tracks.boxes import Grounder
from rvosbench.tracks.cache_build import object_tracks
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.track_maker import candidate_tracks

SIZE = (60, 80)
LENGTH = 5
EASY = TrackConfig(
    points_per_side=4,
    predicted_iou=0,
    stability=0,
    box_nms=0.99,
    part_share=1,
    iou_filter=0.95,
    max_grid_tracks=7,
    frame_interval=3,
    box_stability=0,
)


def square(x0: int, x1: int, y0: int = 0, y1: int = 10) -> NDArray[np.bool_]:
    """A (10, 40) mask."""
    mask = np.zeros((10, 40), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def random_sam2(image_size: int = 64) -> Sam2:
    """A network with random weights whose prompts give different masks."""
    torch.manual_seed(1)
    model = build_sam2(tiny_config(image_size=image_size, dim=128))
    for name, parameter in model.named_parameters():
        if "mask_decoder" in name and parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    return Sam2(model.requires_grad_(False), "random")


def truth_tracks(
    sam2: Sam2,
    video: Video,
    frame: int,
    masks: NDArray[np.bool_],
    compute: Compute | None = None,
) -> list[Track]:
    """Tracks of given masks (N, H, W) of one frame."""
    objects = {str(i): MaskSequence.from_arrays(mask[None]) for i, mask in enumerate(masks)}
    return object_tracks(Follower.of(sam2, video, compute or Compute()), objects, [frame])


def generate_tracks(
    sam2: Sam2,
    sample: Sample,
    config: TrackConfig,
    grounder: Grounder | None = None,
    compute: Compute | None = None,
) -> tuple[Track, ...]:
    """Candidate tracks of a video that nothing has looked at yet."""
    follower = Follower.of(sam2, sample.video, compute or Compute())
    return candidate_tracks(follower, sample, config, grounder)


def make_sample(texts: Mapping[str, str] | None = None, seed: int = 0) -> Sample:
    """Five frames of noise with a red square, and some expressions."""
    frames = np.random.default_rng(seed).integers(0, 255, (LENGTH, *SIZE, 3), np.uint8)
    frames[:, 10:40, 20:50] = (200, 30, 30)
    video = Video("v", tuple("01234"), lambda i: frames[i], lambda: SIZE)
    texts = {"0": "left"} if texts is None else texts
    return Sample(video, tuple(Expression(i, t) for i, t in texts.items()))


@dataclass
class Reader:
    """A grounder that knows some expressions: text -> boxes and scores, the same in every frame."""

    known: Mapping[str, Sequence[tuple[tuple[float, float, float, float], float]]]
    asked: list[str] = field(default_factory=list)

    def detect(
        self, frame: Frame, texts: Sequence[str], *, box_threshold: float, text_threshold: float
    ) -> list[Detections]:
        self.asked += texts
        return [self._answer(text, box_threshold) for text in texts]

    def _answer(self, text: str, threshold: float) -> Detections:
        found = [(box, score) for box, score in self.known.get(text, ()) if score > threshold]
        return Detections(
            np.array([box for box, _ in found], np.float64).reshape(-1, 4),
            np.array([score for _, score in found], np.float64),
            tuple(text for _ in found),
        )
