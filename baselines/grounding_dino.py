"""GroundingDINO's boxes as masks, nothing selected: what SOLA is without its selection module.

    frame + expression -> boxes above a score -> SAM2 mask of each box -> their union

Nothing looks at more than one frame, so of "the bird that flies away" it finds all birds. The paper
says no more than that its baseline "relies solely on Grounding DINO, which detects objects at the
frame level", and its authors' code does not hold it; thresholds and segmentation are those of the
released code's box prompts.

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection",
table 4, "w/o selection module"; Ren et al., "Grounded SAM", for the variants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from rvosbench.contracts import MethodIdentity, MethodSpec
from rvosbench.masks import MaskSequence, Rle, pack, union
from rvosbench.records import Json, MethodCard, Prediction, Sample
from rvosbench.tracks.boxes import Grounder, segmented
from rvosbench.tracks.candidates import DEMO_BOX_THRESHOLD, UNSIGNED, CandidateConfig, FrozenModels
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.prompts import Prompt, counts_of
from rvosbench.tracks.source import identify_tracks

if TYPE_CHECKING:
    from rvosbench.tracks.track_maker import TrackMaker

Found = Mapping[str, Sequence[Prompt]]
"""The text of an expression -> its boxes of one frame, as masks."""


@dataclass(frozen=True)
class GroundingDinoConfig(FrozenModels):
    """Which networks, which boxes. Defaults are those of the released SOLA code's box prompts.

    Attributes:
        variant: "frames", all boxes of every frame; "best", the best box of every frame;
            "propagate", the boxes of the frame with the best one, followed through the video by
            SAM2, as Grounded SAM 2 does with the frame it is given.
        box_threshold: boxes need a greater score, (0, 1) (released code .2; GroundingDINO's own
            examples .35).
        text_threshold: words need a greater probability to name a box; labels, never filters.
        resize: how SAM2's frames are scaled: "bilinear" as the original image predictor, "bicubic"
            as the original video predictor.
        compute: memory and batches.
    """

    variant: Literal["frames", "best", "propagate"] = "frames"
    box_threshold: float = 0.2
    text_threshold: float = 0.25
    resize: Literal["bicubic", "bilinear"] = "bilinear"
    compute: Compute = field(default_factory=Compute, metadata=UNSIGNED)

    def __post_init__(self) -> None:
        if not self.grounder:
            raise ValueError("grounder must be given: this method is nothing without it")
        for name in ("box_threshold", "text_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1]")

    @property
    def candidates(self) -> CandidateConfig:
        """What decides the two networks."""
        return CandidateConfig(
            tracker=self.tracker,
            grounder=self.grounder,
            dtype=self.dtype,
            prompts=TrackConfig(resize=self.resize),
            compute=self.compute,
        )


@dataclass(frozen=True)
class GroundingDinoBaseline:
    """The baseline, its two networks opened; see `SPEC.build`.

    Attributes:
        config: its settings.
        models: SAM2 and GroundingDINO.
    """

    config: GroundingDinoConfig
    models: TrackMaker

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        """Expression id -> masks, the best score of a box, and how many boxes each frame has.

        A frame in which nothing is found has an empty mask.
        """
        video, texts = sample.video, list(dict.fromkeys(e.text for e in sample.expressions))
        follower = self.models.follower(video)
        found = [self._look(follower, i, texts) for i in range(len(video) if texts else 0)]
        if self.config.variant == "propagate":
            masks = _followed(follower, texts, found)
        else:
            masks = {t: _united([frame[t] for frame in found], video.size) for t in texts}
        return {
            e.id: _prediction(masks[e.text], [frame[e.text] for frame in found])
            for e in sample.expressions
        }

    def provenance(self) -> Mapping[str, Json]:
        """Checkpoint hashes and what else decides the numbers."""
        return self.models.provenance()

    @property
    def card(self) -> MethodCard:
        """The published networks, or those embedded here."""
        return _card(self.config)

    def _look(self, follower: Follower, frame: int, texts: list[str]) -> Found:
        """The masks of every expression's boxes in one frame."""
        grounder: Grounder | None = self.models.grounder
        assert grounder is not None  # the configuration names one
        image, config = follower.video.read(frame), self.config
        detections = grounder.detect(
            image, texts, box_threshold=config.box_threshold, text_threshold=config.text_threshold
        )
        if config.variant == "best":
            detections = [d.best() for d in detections]
        prompts = segmented(follower, frame, detections)
        return dict(zip(texts, prompts, strict=True))


def _prediction(masks: MaskSequence, boxes: Sequence[Sequence[Prompt]]) -> Prediction:
    best = max((p.score for many in boxes for p in many), default=0.0)
    return Prediction(masks, score=best, diagnostics={"boxes": [len(many) for many in boxes]})


def _united(frames: Sequence[Sequence[Prompt]], size: tuple[int, int]) -> MaskSequence:
    """The union of each frame's masks; compressed, as a long video's do not fit into memory."""

    def rle(prompts: Sequence[Prompt]) -> Rle | None:
        if not prompts:
            return None
        mask = np.logical_or.reduce([p.mask() for p in prompts])
        return {"size": list(size), "counts": counts_of(pack(mask), size[1])}

    return MaskSequence.from_rle([rle(prompts) for prompts in frames], size)


def _followed(
    follower: Follower, texts: Iterable[str], found: Sequence[Found]
) -> dict[str, MaskSequence]:
    """Every text's boxes of its best frame, tracked; texts share frames and equal masks."""
    video = follower.video
    wanted = {text: best_frame([frame[text] for frame in found]) for text in texts}
    fresh: dict[int, dict[tuple[int, bytes], Prompt]] = {}
    for prompts in wanted.values():
        for prompt in prompts:
            fresh.setdefault(prompt.frame, {}).setdefault(prompt.key, prompt)
    tracks: dict[tuple[int, bytes], MaskSequence] = {}
    for _, prompted in sorted(fresh.items()):
        followed = follower.tracks(list(prompted.values()), "box")
        tracks |= zip(prompted, (track.masks for track in followed), strict=True)
    return {
        text: union([tracks[p.key] for p in prompts], len(video), video.size)
        for text, prompts in wanted.items()
    }


def best_frame(frames: Sequence[Sequence[Prompt]]) -> list[Prompt]:
    """The boxes, with masks, of the frame whose best box is best; the first of equals."""
    seen = [[p for p in prompts if p.area] for prompts in frames]
    return list(max(seen, key=lambda many: max((p.score for p in many), default=0.0), default=[]))


def _build(config: GroundingDinoConfig, device: str) -> GroundingDinoBaseline:
    """Opens the networks; raises WeightsError if the weights of one are not there."""
    from rvosbench.tracks.track_maker import TrackMaker

    return GroundingDinoBaseline(config, TrackMaker(config.candidates, device))


def _identify(
    config: GroundingDinoConfig, device: str, videos: Sequence[str]
) -> MethodIdentity | None:
    models = identify_tracks(config.candidates, device, videos)
    return None if models is None else MethodIdentity(models, _card(config))


def _card(config: GroundingDinoConfig) -> MethodCard:
    if config.tracker != "demo":
        return SPEC.card
    title, backbone = SPEC.card.title, "small GroundingDINO and SAM2 (embedded)"
    return MethodCard(title, SPEC.card.venue, backbone, 0, "none", SPEC.card.url)


SPEC = MethodSpec(
    config_type=GroundingDinoConfig,
    build=_build,
    identify=_identify,
    card=MethodCard(
        title="GroundingDINO (w/o selection module)",
        venue="arXiv 2412.01136",
        backbone="GroundingDINO-T and SAM2-L, frozen",
        trainable_parameters=0,
        training_data="none",
        url="https://github.com/IDEA-Research/GroundingDINO",
    ),
    presets={
        "demo": {"tracker": "demo", "grounder": "demo", "box_threshold": DEMO_BOX_THRESHOLD},
        "released": {},
    },
)
