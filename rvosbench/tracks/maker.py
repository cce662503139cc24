"""Tracks for a method: made by the frozen models, opened once, or read from a cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rvosbench.models.backends import (
    ORIGINAL,
    TRANSFORMERS,
    check_backend,
    installed_versions,
)
from rvosbench.models.weights import GROUNDER, TRACKER, ModelIdentity, embedded, identify
from rvosbench.records import Json, Sample, Track, Video
from rvosbench.tracks.config import Compute, TrackConfig

if TYPE_CHECKING:
    from rvosbench.models.grounding_dino.detector import GroundingDino
    from rvosbench.tracks.boxes import Grounder
    from rvosbench.tracks.follow import Follower

RELEASED_TRACKER = "facebook/sam2-hiera-large"
"""SAM 2.0 Large: what the released SOLA code uses."""

RELEASED_GROUNDER = "IDEA-Research/grounding-dino-tiny"
"""GroundingDINO with Swin-T: what the released SOLA code uses."""

DEMO_BOX_THRESHOLD = 0.3
"""Of the embedded grounder, whose scores are modest: best J on clips that nothing else uses."""

DEMO_TRACKS: Mapping[str, Json] = {
    "tracker": "demo",
    "grounder": "demo",
    "prompts.order": "frame",
    "prompts.points_per_side": 12,
    "prompts.multimask": False,  # the small network is trained with the single-mask token only
    "prompts.predicted_iou": 0.5,
    "prompts.stability": 0.7,
    "prompts.max_grid_tracks": 24,
    "prompts.box_interval": 5,
    "prompts.box_threshold": DEMO_BOX_THRESHOLD,
    "prompts.box_stability": 0.7,
    "prompts.max_box_tracks": 3,
    "prompts.grid_filters_boxes": True,  # boxes are for shapes that the grid missed: half the time
}
"""The embedded small models on small frames: fewer points, and thresholds at their level of
quality."""

GRID_TRACKS: Mapping[str, Json] = {**DEMO_TRACKS, "grounder": ""}
"""As `DEMO_TRACKS`, without box prompts: what the embedded selector is trained with."""

PAPER_TRACKS: Mapping[str, Json] = {
    "prompts.frame_interval": 4,
    "prompts.filter_group": 1,
    "prompts.grid_filters_boxes": True,
}
"""The text of the paper where the released code does something else."""

PRESETS: Mapping[str, Mapping[str, Json]] = {
    "demo": DEMO_TRACKS,
    "released": {},
    "paper": PAPER_TRACKS,
}
"""Of methods that only need tracks."""

ORIGINAL_LIBRARIES = ("sam2", "rf-groundingdino", "groundingdino-py", "torchvision", "timm")
"""What else decides numbers with the original backend, where it is installed."""

UNSIGNED: Mapping[str, Json] = {"signed": False}
"""Marks a field that changes no number and stays out of signatures."""


@dataclass(frozen=True)
class CandidateConfig:
    """What a method that only needs tracks has to configure.

    Attributes:
        tracker: "demo" (embedded), a hub id, a local folder, or an official `.pt` file.
        grounder: GroundingDINO for box prompts: "demo" (embedded), a hub id, a local folder, or an
            official `.pth`; empty: no boxes. It runs in float32, as in the released code.
        dtype: "auto" (bfloat16 on CUDA, float32 elsewhere), "float32", "bfloat16" or "float16".
        tracks: folder of a track cache to read instead of making tracks; empty: make them.
        prompts: how tracks are made.
        compute: memory and batches.
        backend: whose code runs both: "transformers", or "original" (packages of the authors).
    """

    tracker: str = RELEASED_TRACKER
    grounder: str = RELEASED_GROUNDER
    dtype: str = "auto"
    tracks: str = field(default="", metadata=UNSIGNED)
    prompts: TrackConfig = field(default_factory=TrackConfig)
    compute: Compute = field(default_factory=Compute, metadata=UNSIGNED)
    backend: str = TRANSFORMERS

    def __post_init__(self) -> None:
        check_backend(self.backend)


class TrackSource(Protocol):
    """Where a method gets its candidate tracks from."""

    def tracks(self, sample: Sample) -> tuple[Track, ...]:
        """Candidate tracks of a video; may be empty. `Track.serves` says for which expressions."""

    def provenance(self, videos: Sequence[str] | None = None) -> dict[str, Json]:
        """What decides the tracks of some videos (None: all) beside the configuration."""


def open_tracks(config: CandidateConfig, device: str) -> TrackSource:
    """A cache if the configuration names one, otherwise the models.

    Raises:
        WeightsError: weights are not there.
        TrackCacheError: the cache was made with other models or another configuration.
    """
    if config.tracks:
        from rvosbench.tracks.cached import CachedTracks

        return CachedTracks(config)
    return TrackMaker(config, device)


class TrackMaker:
    """Makes the candidate tracks of a video.

    Args:
        config: which models, and how; `tracks` is not looked at.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        WeightsError: the weights of a model are not there.
        BackendError: the original package of a model is not installed.
    """

    def __init__(self, config: CandidateConfig, device: str = "auto") -> None:
        from rvosbench.models.devices import choose_device, choose_dtype
        from rvosbench.models.sam2.tracker import load_sam2

        self.config = config
        device = choose_device(device)
        dtype = choose_dtype(config.dtype, device)
        weights = embedded(config.tracker, TRACKER)
        self.sam2 = load_sam2(
            weights, device, dtype, resize=config.prompts.resize, backend=config.backend
        )
        self.grounder = _grounder(config.grounder, device, config.backend)

    def tracks(self, sample: Sample) -> tuple[Track, ...]:
        """Candidate tracks of a video; may be empty."""
        return self.tracks_with(self.follower(sample.video), sample)

    def follower(self, video: Video) -> Follower:
        """Tracks prompts through a video; whatever uses it shares the frames' features."""
        from rvosbench.tracks.follow import Follower

        return Follower.of(self.sam2, video, self.config.compute)

    def tracks_with(self, follower: Follower, sample: Sample) -> tuple[Track, ...]:
        """As `tracks`, with a follower of the video."""
        from rvosbench.tracks.generate import candidate_tracks

        grounder: Grounder | None = self.grounder
        return candidate_tracks(follower, sample, self.config.prompts, grounder)

    def provenance(self, videos: Sequence[str] | None = None) -> dict[str, Json]:
        """What decides the tracks beside the configuration: of any video the same."""
        del videos
        grounder = {"grounder": self.grounder.checkpoint_hash} if self.grounder else {}
        libraries: tuple[str, ...] = ("torch", "transformers", "numpy")
        backend: dict[str, Json] = {}
        if self.config.backend == ORIGINAL:
            backend["backend"] = ORIGINAL
            libraries += ORIGINAL_LIBRARIES
        return {
            "tracker": self.sam2.checkpoint_hash,
            **grounder,
            **backend,
            "image_size": self.sam2.image_size,
            "dtype": self.sam2.dtype,
            "device": self.sam2.device.partition(":")[0],
            "libraries": installed_versions(*libraries),
        }


def tracker_identity(config: CandidateConfig) -> ModelIdentity:
    """The tracker a configuration asks for, without opening it."""
    return identify(config.tracker, TRACKER)


def grounder_identity(config: CandidateConfig) -> ModelIdentity | None:
    """The grounder a configuration asks for, without opening it."""
    if not config.grounder:
        return None
    return identify(config.grounder, GROUNDER)


def _grounder(source: str, device: str, backend: str) -> GroundingDino | None:
    if not source:
        return None
    from rvosbench.models.grounding_dino.checkpoint import load_grounding_dino

    return load_grounding_dino(embedded(source, GROUNDER), device, backend=backend)
