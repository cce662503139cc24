"""Candidate tracks from the frozen models, opened once."""

from __future__ import annotations

from collections.abc import Sequence

from rvosbench.models.devices import choose_device, choose_dtype
from rvosbench.models.grounding_dino.checkpoint import load_grounding_dino
from rvosbench.models.grounding_dino.detector import GroundingDino
from rvosbench.models.sam2.tracker import load_sam2
from rvosbench.models.weights import GROUNDER, TRACKER, embedded
from rvosbench.records import Json, Sample, Track, Video
from rvosbench.tracks.boxes import Grounder
from rvosbench.tracks.candidates import CandidateConfig
from rvosbench.tracks.follow import Follower
from rvosbench.tracks.generate import candidate_tracks
from rvosbench.tracks.provenance import made_with


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
        return Follower.of(self.sam2, video, self.config.compute)

    def tracks_with(self, follower: Follower, sample: Sample) -> tuple[Track, ...]:
        """As `tracks`, with a follower of the video."""
        grounder: Grounder | None = self.grounder
        return candidate_tracks(follower, sample, self.config.prompts, grounder)

    def provenance(self, videos: Sequence[str] | None = None) -> dict[str, Json]:
        """What decides the tracks beside the configuration: of any video the same."""
        del videos
        return made_with(
            self.config.backend,
            self.sam2.checkpoint_hash,
            self.grounder.checkpoint_hash if self.grounder else None,
            self.sam2.image_size,
            self.sam2.dtype,
            self.sam2.device,
        )


def _grounder(source: str, device: str, backend: str) -> GroundingDino | None:
    if not source:
        return None
    return load_grounding_dino(embedded(source, GROUNDER), device, backend=backend)
