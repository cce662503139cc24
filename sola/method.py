"""SOLA as a method: tracks from a frozen SAM2, text tokens from a frozen encoder, tracks selected.

    frames -> prompts -> SAM2 tracks and object tokens -+
                                                        +-> selector -> scores -> union of tracks
    expression -> text tokens --------------------------+

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rvosbench.contracts import MethodIdentity, MethodSpec
from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.masks import union
from rvosbench.models.runtime import choose_device
from rvosbench.records import Json, MethodCard, Prediction, Sample, Track, Video
from rvosbench.tables.training import learned_from, training_text
from rvosbench.tracks.candidates import DEMO_TRACKS, PAPER_TRACKS, RELEASED_TRACKER, CandidateConfig
from rvosbench.tracks.source import TrackSource, identify_tracks, open_tracks
from rvosbench.tracks.text_tokens import TextTokenSource, identify_text_tokens, open_text_tokens
from sola.config import RELEASED_TEXT, SelectorConfig

if TYPE_CHECKING:
    from sola.network.selector import TrackSelector

DEMO_THRESHOLD = 0.3
"""Of the embedded selector: best J&F on 50 training videos that it did not see."""
EMBEDDED_SELECTOR = Path(__file__).parent / "weights" / "demo"


@dataclass(frozen=True)
class SolaConfig(CandidateConfig):
    """The whole method: the settings of candidate tracks, and those that follow.

    Defaults are those of the released code.

    Attributes:
        text_encoder: "demo" (embedded), a hub id or a local folder.
        selector: "demo" (embedded), a folder written by training, or a checkpoint of the authors'
            code. The authors published none, so there is no default.
        background_inference: choose among grid tracks too, which cover the background as well as
            objects; False keeps box tracks only (paper, table A.2a).
        threshold: tracks with a greater alignment score are selected, [0, 1] (released code .5).
        argmax_if_none: select the best track when none passes the threshold; off in the released
            code, where such an expression gets empty masks.
    """

    text_encoder: str = RELEASED_TEXT
    selector: str = ""
    background_inference: bool = True
    threshold: float = 0.5
    argmax_if_none: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.threshold <= 1:
            raise ValueError("threshold must be in [0, 1]")

    @property
    def sources(self) -> tuple[str, ...]:
        """Prompts whose tracks are candidates."""
        return ("grid", "box") if self.background_inference else ("box",)

    @property
    def candidates(self) -> CandidateConfig:
        """What decides the candidate tracks, alone."""
        return CandidateConfig(**{f.name: getattr(self, f.name) for f in fields(CandidateConfig)})


@dataclass(frozen=True)
class Sola:
    """The method, its networks opened; see `SPEC.build`.

    Attributes:
        config: its settings.
        selector: in evaluation mode.
        known: what is known of the selector.
        tracks: gives candidate tracks.
        text: gives text tokens.
    """

    config: SolaConfig
    selector: TrackSelector
    known: SelectorFacts
    tracks: TrackSource
    text: TextTokenSource

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        """Expression id -> union of the selected tracks, with every track's alignment score."""
        tracks = [t for t in self.tracks.tracks(sample) if t.source in self.config.sources]
        texts = self.text.encode([e.text for e in sample.expressions])
        predictions, rule = {}, (self.config.threshold, self.config.argmax_if_none)
        for e, text in zip(sample.expressions, texts, strict=True):
            serving = [t for t in tracks if t.serves(e.id)]
            predictions[e.id] = prediction_for(self.selector, sample.video, serving, text, *rule)
        return predictions

    def provenance_of(self, videos: Sequence[str]) -> Mapping[str, Json]:
        """Of the tracks of some videos, of the selector's and the other weights."""
        return self.known.provenance(self.tracks.provenance(videos), self.text.checkpoint_hash)

    @property
    def card(self) -> MethodCard:
        """What was really built, and what its selector was really trained on."""
        return self.known.card(self.config)


@dataclass(frozen=True)
class SelectorFacts:
    """What is known of a selector without building it.

    Attributes:
        source: its folder, or a file of the released code.
        config: its shape.
        parameters: how many numbers are trained.
        checkpoint_hash: of its weights.
        training: what decided them; None where that is not known, as of a released checkpoint.
    """

    source: Path
    config: SelectorConfig
    parameters: int
    checkpoint_hash: str
    training: Mapping[str, Json] | None

    def provenance(self, tracks: Mapping[str, Json], text_encoder: str) -> Mapping[str, Json]:
        """That of the method: of its tracks, of its text encoder, and of this selector."""
        return {
            **tracks,
            "text_encoder": text_encoder,
            "selector": self.checkpoint_hash,
            "selector_config": asdict(self.config),
            **({"training": self.training} if self.training else {}),
        }

    def card(self, config: SolaConfig) -> MethodCard:
        """That of the method; a selector that does not say it has no training data."""
        data = training_text(learned_from(self.training))
        card = replace(SPEC.card, backbone=_backbone(config), training_data=data)
        return replace(card, trainable_parameters=self.parameters)


def prediction_for(
    selector: TrackSelector,
    video: Video,
    tracks: Sequence[Track],
    text_tokens: NDArray[np.float32],
    threshold: float,
    argmax_if_none: bool = False,
) -> Prediction:
    """The prediction for one expression, with every track's alignment score as a diagnostic.

    Args:
        selector: in evaluation mode.
        video: its length and size are looked at.
        tracks: the candidate set; may be empty.
        text_tokens: (W, E) of the expression.
        threshold: tracks with a greater score are selected.
        argmax_if_none: select the best track when none passes the threshold.
    """
    scores = alignment_scores(selector, tracks, text_tokens)
    chosen = select(scores, threshold, argmax_if_none)
    masks = union([tracks[i].masks for i in chosen], len(video), video.size)
    alignment = {t.id: s for t, s in zip(tracks, scores, strict=True)}
    found = {"tracks": [tracks[i].id for i in chosen], "alignment": alignment}
    return Prediction(masks, score=max(scores, default=0.0), diagnostics=found)


def alignment_scores(
    selector: TrackSelector, tracks: Sequence[Track], text_tokens: NDArray[np.float32]
) -> list[float]:
    """Probability in [0, 1] that each track is meant; the candidates are scored together.

    Args:
        selector: in evaluation mode.
        tracks: the candidate set of one expression; may be empty.
        text_tokens: (W, E) of the expression.
    """
    import torch

    if not tracks:
        return []
    device = next(selector.parameters()).device
    with torch.inference_mode():
        tokens = torch.from_numpy(np.stack([t.tokens for t in tracks]))[None].to(device)
        logits = selector(tokens, torch.from_numpy(text_tokens)[None].to(device)).logits
        scores: list[float] = logits[0].sigmoid().tolist()
    return scores


def select(scores: Sequence[float], threshold: float, argmax_if_none: bool) -> list[int]:
    """Indices of the selected tracks, ascending; selecting none is valid."""
    chosen = [i for i, score in enumerate(scores) if score > threshold]
    if not chosen and argmax_if_none and scores:
        return [int(np.argmax(scores))]
    return chosen


def _build(config: SolaConfig, device: str) -> Sola:
    """Opens the networks. Raises WeightsError, or ConfigurationError without any candidates."""
    from sola.network.weights import load_selector

    known, device = _selector_facts(config), choose_device(device)
    selector = load_selector(known.source).to(device)
    tracks = open_tracks(config.candidates, device)
    text = open_text_tokens(config.tracks, config.text_encoder, device, config.dtype)
    return Sola(config, selector, known, tracks, text)


def _identify(config: SolaConfig, device: str, videos: Sequence[str]) -> MethodIdentity | None:
    """What the built method would say of itself; no network is opened."""
    known = _selector_facts(config)
    tracks = identify_tracks(config.candidates, device, videos)
    text = identify_text_tokens(config.tracks, config.text_encoder, config.dtype)
    if tracks is None or text is None:
        return None
    return MethodIdentity(known.provenance(tracks, text), known.card(config))


def _selector_facts(config: SolaConfig) -> SelectorFacts:
    from sola.network.weights import checkpoint_hash, count_parameters, read_selector, read_training

    if not config.background_inference and not config.grounder:
        raise ConfigurationError(
            "background_inference=false keeps box tracks only, but there are none without a "
            "grounder: name one with --set grounder=NAME, or keep the background"
        )
    if not config.selector:
        raise WeightsError(
            "SOLA needs a trained selector, and its authors released none: train one and give its "
            "folder with --set selector=DIR, or run the embedded one with --preset demo"
        )
    source = EMBEDDED_SELECTOR if config.selector == "demo" else Path(config.selector)
    (shape, tensors), training = read_selector(source), read_training(source)
    count, identity = count_parameters(tensors), training["identity"] if training else None
    return SelectorFacts(source, shape, count, checkpoint_hash(source), identity)


def _backbone(config: SolaConfig) -> str:
    """The frozen networks; folders and files without the way to them."""
    names = config.tracker, config.text_encoder
    if names == (RELEASED_TRACKER, RELEASED_TEXT):
        return SPEC.card.backbone
    if names == ("demo", "demo"):
        return "small SAM2, GroundingDINO and RoBERTa (embedded)"
    return f"{' and '.join(Path(name).name for name in names)}, frozen"


SPEC = MethodSpec(
    config_type=SolaConfig,
    build=_build,
    identify=_identify,
    card=MethodCard(
        title="SOLA",
        venue="arXiv 2412.01136",
        backbone="SAM2-L and RoBERTa-large, frozen",
        trainable_parameters=32_980_480,
        training_data="MeViS",
        url="https://github.com/cvlab-kaist/SOLA",
    ),
    presets={
        "demo": {
            **DEMO_TRACKS,
            "text_encoder": "demo",
            "selector": "demo",
            "threshold": DEMO_THRESHOLD,
        },
        "released": {},
        "paper": PAPER_TRACKS,
    },
)
