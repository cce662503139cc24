"""How candidate mask tracks are made. Defaults are those of the released SOLA code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TrackConfig:
    """Prompts, their filters, and propagation. Everything here changes the set of tracks.

    "AMG" is SAM2's automatic mask generator, whose defaults the released code keeps.

    Attributes:
        points_per_side: grid points along each side of a prompted frame (AMG default 32).
        multimask: three masks a point (part, whole, ...), as AMG does, or only the single-mask one.
        predicted_iou: least quality that the network itself predicts of a mask, [0, 1] (AMG .8).
        stability: least IoU of the mask with itself when the logit threshold moves by
            `stability_offset` either way, [0, 1] (AMG .95).
        stability_offset: in logits (AMG 1.0).
        box_nms: boxes of a frame with a greater IoU are one mask (AMG .7).
        part_share: a mask with a greater share of its pixels inside a larger one is a part of it
            and dropped (released code: .7); 1 keeps parts.
        frame_interval: every how many frames the grid is laid; 0 is half the video, so that its
            first and middle frames are prompted (released code: `bin_size 0` at inference).
        iou_filter: a prompt whose mask overlaps a finished track more than this is dropped (.7).
        filter_group: so many prompts of a frame are admitted together without being filtered
            against each other; 0 is the released code's 4, or 2 above 200 frames; the paper: 1.
        max_grid_tracks: no grid prompt is admitted once there are so many tracks (64).
        resize: how frames are brought to the network's size: "bicubic" as the original video
            predictor, "bilinear" as the original image predictor.
    """

    points_per_side: int = 32
    multimask: bool = True
    predicted_iou: float = 0.8
    stability: float = 0.95
    stability_offset: float = 1.0
    box_nms: float = 0.7
    part_share: float = 0.7
    frame_interval: int = 0
    iou_filter: float = 0.7
    filter_group: int = 0
    max_grid_tracks: int = 64
    resize: Literal["bicubic", "bilinear"] = "bicubic"

    def __post_init__(self) -> None:
        if self.points_per_side < 1 or self.max_grid_tracks < 1:
            raise ValueError("points_per_side and max_grid_tracks must be at least 1")
        if self.frame_interval < 0 or self.filter_group < 0:
            raise ValueError("frame_interval and filter_group must be 0 (automatic) or more")

    def prompt_frames(self, n_frames: int) -> tuple[int, ...]:
        """Indices of the frames on which the grid is laid, for a video of `n_frames`."""
        step = self.frame_interval or max(n_frames // 2, 1)
        return tuple(range(0, n_frames, step))

    def group(self, n_frames: int) -> int:
        """How many prompts are admitted together in a video of `n_frames`."""
        return self.filter_group or (2 if n_frames > 200 else 4)
