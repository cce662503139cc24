"""How candidate mask tracks are made. Defaults are those of the released SOLA code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from rvosbench.records import Json

BOX_FIELDS = (
    "box_interval",
    "box_threshold",
    "text_threshold",
    "box_stability",
    "max_box_tracks",
    "grid_filters_boxes",
    "candidate_pool",
)
"""Fields of `TrackConfig` that change nothing where there are no box prompts."""


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
        order: in which grid prompts are tried: "video", the largest of all prompted frames first
            (released code), or "frame", frame after frame and the largest of each first, which
            needs one propagation a prompted frame.
        iou_filter: a prompt whose mask overlaps a finished track more than this is dropped (.7).
        filter_group: so many prompts of a frame are admitted together without being filtered
            against each other; 0 is the released code's 4, or 2 above 200 frames; the paper: 1.
        max_grid_tracks: no grid prompt is admitted once there are so many tracks (64).
        box_interval: every how many frames boxes are looked for, if there is a grounder
            (released code and paper: 4).
        box_threshold: least score of a box, (0, 1) (released code .2).
        text_threshold: least score of a text token to be in a box's phrase; labels, never filters
            (released code .25).
        box_stability: as `stability`, of the low-resolution mask of a box (released code .85).
        max_box_tracks: box tracks of one expression (released code 16).
        grid_filters_boxes: box prompts are filtered against grid tracks too (released code: only
            against the expression's own box tracks).
        candidate_pool: "expression", every expression has the grid tracks and its own box tracks
            (released code), or "video", all tracks of the video.
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
    order: Literal["video", "frame"] = "video"
    iou_filter: float = 0.7
    filter_group: int = 0
    max_grid_tracks: int = 64
    box_interval: int = 4
    box_threshold: float = 0.2
    text_threshold: float = 0.25
    box_stability: float = 0.85
    max_box_tracks: int = 16
    grid_filters_boxes: bool = False
    candidate_pool: Literal["expression", "video"] = "expression"
    resize: Literal["bicubic", "bilinear"] = "bicubic"

    def __post_init__(self) -> None:
        for name in ("points_per_side", "max_grid_tracks", "max_box_tracks", "box_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.frame_interval < 0 or self.filter_group < 0:
            raise ValueError("frame_interval and filter_group must be 0 (automatic) or more")

    def prompt_frames(self, n_frames: int) -> tuple[int, ...]:
        """Indices of the frames on which the grid is laid, for a video of `n_frames`."""
        step = self.frame_interval or max(n_frames // 2, 1)
        return tuple(range(0, n_frames, step))

    def box_frames(self, n_frames: int) -> tuple[int, ...]:
        """Indices of the frames on which boxes are looked for."""
        return tuple(range(0, n_frames, self.box_interval))

    def group(self, n_frames: int) -> int:
        """How many prompts are admitted together in a video of `n_frames`."""
        return self.filter_group or (2 if n_frames > 200 else 4)


def relevant(prompts: TrackConfig, boxes: bool) -> dict[str, Json]:
    """The fields of a configuration that change tracks; those of boxes only if there are any."""
    fields = asdict(prompts)
    return {k: v for k, v in fields.items() if boxes or k not in BOX_FIELDS}


@dataclass(frozen=True)
class Compute:
    """How tracks are computed; nothing here changes which tracks come out.

    Attributes:
        batch_size: objects that go through the video together; bounds memory.
        step_budget: bytes for what computing one frame of them needs for a moment: with large
            networks a frame's objects are computed in parts. SAM2-L at 1024 px needs about 200 MB
            an object in single precision.
        feature_budget: bytes of image features kept in memory; frames beyond it are encoded
            again when they are needed again, or read from `spill`.
        spill: folder for the features beyond the budget, on a fast disk; empty: encode again.
            SAM2-L needs 8 MB a frame in half precision, twice that in single.
    """

    batch_size: int = 16
    step_budget: int = 2**30
    feature_budget: int = 2**30
    spill: str = ""

    def __post_init__(self) -> None:
        if self.batch_size < 1 or min(self.feature_budget, self.step_budget) < 0:
            raise ValueError("batch_size must be at least 1, the budgets at least 0")
