"""Making tracks for a method: the frozen tracker, opened once, and what decides its tracks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from rvosbench.demo import WEIGHTS
from rvosbench.records import Json, Track, Video
from rvosbench.tracks.config import TrackConfig

RELEASED_TRACKER = "facebook/sam2-hiera-large"
"""SAM 2.0 Large: what the released SOLA code uses."""

DEMO_TRACKS: Mapping[str, Json] = {
    "tracker": "demo",
    "prompts.points_per_side": 12,
    "prompts.multimask": False,  # the small network is trained with the single-mask token only
    "prompts.predicted_iou": 0.6,
    "prompts.stability": 0.75,
    "prompts.max_grid_tracks": 24,
}
"""The embedded small SAM2 on small frames: fewer points, and thresholds at its level of quality."""


@dataclass(frozen=True)
class CandidateConfig:
    """What a method that only needs tracks has to configure.

    Attributes:
        tracker: "demo" (embedded), a hub id, a local folder, or an official `.pt` file.
        dtype: "auto" (bfloat16 on CUDA, float32 elsewhere), "float32", "bfloat16" or "float16".
        prompts: how tracks are made.
    """

    tracker: str = RELEASED_TRACKER
    dtype: str = "auto"
    prompts: TrackConfig = field(default_factory=TrackConfig)


class TrackMaker:
    """Makes the candidate tracks of a video.

    Args:
        tracker: see `CandidateConfig.tracker`.
        prompts: how tracks are made.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        dtype: see `CandidateConfig.dtype`.

    Raises:
        WeightsError: the tracker's weights are not there.
    """

    def __init__(self, tracker: str, prompts: TrackConfig, device: str, dtype: str) -> None:
        from rvosbench.adapters.devices import choose_device, choose_dtype
        from rvosbench.adapters.sam2 import load_sam2

        self._prompts = prompts
        device = choose_device(device)
        dtype = choose_dtype(dtype, device)
        self.sam2 = load_sam2(embedded(tracker, "sam2"), device, dtype, resize=prompts.resize)

    def tracks(self, video: Video) -> tuple[Track, ...]:
        """Candidate tracks of a video; may be empty."""
        from rvosbench.tracks.generate import generate_tracks

        return generate_tracks(self.sam2, video, self._prompts)

    def provenance(self) -> dict[str, Json]:
        """What decides the tracks beside the configuration, for signatures."""
        return {
            "tracker": self.sam2.checkpoint_hash,
            "image_size": self.sam2.image_size,
            "dtype": self.sam2.dtype,
            "device": self.sam2.device.partition(":")[0],
            "libraries": {name: version(name) for name in ("torch", "transformers", "numpy")},
        }


def embedded(source: str, name: str) -> str | Path:
    """The embedded weights `name` for the source "demo"; other sources as they are."""
    return WEIGHTS / name if source == "demo" else source
