"""Candidate mask tracks of one video: prompts, filtering, propagation in both directions.

Which prompts become tracks follows from the configuration alone and never from how many objects
are computed together.

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection"
(SOLA), section 3.3, and the released code where it says more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rvosbench.models.grounding_dino.detector import GroundingDino, load_grounding_dino
from rvosbench.models.runtime import choose_device, choose_dtype
from rvosbench.models.sam2.tracker import load_sam2
from rvosbench.records import Json, Sample, Track, Video
from rvosbench.tracks.boxes import Grounder, box_prompts, box_tracks
from rvosbench.tracks.candidates import CandidateConfig, made_with
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.grid import grid_prompts, grid_tracks
from rvosbench.tracks.prompts import Prompt


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
        device, backend = choose_device(device), config.backend
        dtype, resize = choose_dtype(config.dtype, device), config.prompts.resize
        self.sam2 = load_sam2(config.tracker, device, dtype, resize=resize, backend=backend)
        self.grounder: GroundingDino | None = None
        if config.grounder:
            self.grounder = load_grounding_dino(config.grounder, device, backend=backend)

    def tracks(self, sample: Sample, follower: Follower | None = None) -> tuple[Track, ...]:
        """Candidate tracks of a video; may be empty. A `follower` of it shares its features."""
        follower = follower or self.follower(sample.video)
        return candidate_tracks(follower, sample, self.config.prompts, self.grounder)

    def follower(self, video: Video) -> Follower:
        """Tracks prompts through a video; whatever uses it shares the frames' features."""
        return Follower.of(self.sam2, video, self.config.compute)

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


def candidate_tracks(
    follower: Follower, sample: Sample, config: TrackConfig, grounder: Grounder | None = None
) -> tuple[Track, ...]:
    """Candidate tracks of the video of a follower, in the order they were made; may be empty.

    Grid tracks serve every expression. Then come box tracks, unless the grounder is None: they
    serve the expressions of `sample` whose own prompts they are.
    """
    video, sam2 = follower.video, follower.sam2
    prompts: list[Prompt] = []
    for frame in config.prompt_frames(len(video)):
        prompts += grid_prompts(sam2, follower.features(frame), frame, video.size, config)
    tracks = grid_tracks(follower, prompts, config)
    if grounder is not None:
        boxes = box_prompts(follower, grounder, sample, config)
        tracks += box_tracks(follower, boxes, config, tracks)
    return tuple(replace(track, id=str(i)) for i, track in enumerate(tracks))
