"""SOLA as a method: tracks from a frozen SAM2, words from a frozen encoder, tracks selected.

    frames -> prompts -> SAM2 tracks and object tokens -+
                                                        +-> selector -> scores -> union of tracks
    sentence -> text tokens ----------------------------+

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rvosbench.contracts import MethodSpec
from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.models.backends import TRANSFORMERS, check_backend
from rvosbench.records import Expression, Json, MethodCard, Prediction, Sample, Track
from rvosbench.tables.training import learned_from, training_text
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.identity import embedded
from rvosbench.tracks.maker import (
    DEMO_TRACKS,
    PAPER_TRACKS,
    RELEASED_GROUNDER,
    RELEASED_TRACKER,
    UNSIGNED,
    CandidateConfig,
    open_tracks,
)
from rvosbench.tracks.words import WordSource, open_words

from .answering import answer

if TYPE_CHECKING:
    from .model import TrackSelector

RELEASED_TEXT = "sentence-transformers/all-roberta-large-v1"
DEMO_THRESHOLD = 0.3
"""Of the embedded selector: best J&F on 50 training videos that it did not see."""
EMBEDDED_SELECTOR = Path(__file__).parent / "weights" / "demo"


@dataclass(frozen=True)
class SolaConfig:
    """The whole method. Defaults are those of the released code.

    Attributes:
        tracker: SAM2: "demo" (embedded), a hub id, a local folder, or an official `.pt`.
        grounder: GroundingDINO for box prompts: "demo" (embedded), a hub id, a local folder, or an
            official `.pth`; empty: no boxes.
        text_encoder: "demo" (embedded), a hub id or a local folder.
        selector: "demo" (embedded), a folder written by training, or a checkpoint of the authors'
            code. The authors published none, so there is no default.
        background_inference: choose among grid tracks too, which cover the background as well as
            objects; False keeps box tracks only (paper, table A.2a).
        threshold: tracks with a greater alignment score are selected, [0, 1] (released code .5).
        argmax_if_none: select the best track when none passes the threshold; off in the released
            code, where such an expression gets empty masks.
        dtype: of the frozen models: "auto" (bfloat16 on CUDA, float32 elsewhere) or a name.
        tracks: folder of a track cache to read instead of making tracks; empty: make them.
        prompts: how candidate tracks are made.
        compute: memory and batches of making tracks.
        backend: whose code runs tracker and grounder: "transformers", or "original" (the authors'
            packages, if installed).
    """

    tracker: str = RELEASED_TRACKER
    grounder: str = RELEASED_GROUNDER
    text_encoder: str = RELEASED_TEXT
    selector: str = ""
    background_inference: bool = True
    threshold: float = 0.5
    argmax_if_none: bool = False
    dtype: str = "auto"
    tracks: str = field(default="", metadata=UNSIGNED)
    prompts: TrackConfig = field(default_factory=TrackConfig)
    compute: Compute = field(default_factory=Compute, metadata=UNSIGNED)
    backend: str = TRANSFORMERS

    def __post_init__(self) -> None:
        check_backend(self.backend)
        if not 0 <= self.threshold <= 1:
            raise ValueError("threshold must be in [0, 1]")

    @property
    def sources(self) -> tuple[str, ...]:
        """Prompts whose tracks are candidates."""
        return ("grid", "box") if self.background_inference else ("box",)

    @property
    def candidates(self) -> CandidateConfig:
        """What decides the candidate tracks."""
        return CandidateConfig(
            self.tracker,
            self.grounder,
            self.dtype,
            self.tracks,
            self.prompts,
            self.compute,
            self.backend,
        )


class Sola:
    """The method, its three networks opened.

    Args:
        config: see `SolaConfig`.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        WeightsError: a network's weights are not there.
    """

    def __init__(self, config: SolaConfig, device: str) -> None:
        from rvosbench.models.devices import choose_device

        from .checkpoint import checkpoint_hash, load_selector, read_training

        if not config.background_inference and not config.grounder:
            raise ConfigurationError(
                "background_inference=false keeps box tracks only, but there are none without a "
                "grounder: name one with --set grounder=NAME, or keep the background"
            )
        source, device = _selector_source(config.selector), choose_device(device)
        self._config = config
        self._selector: TrackSelector = load_selector(source).to(device)
        self._selector_hash = checkpoint_hash(source)
        self._training = read_training(source)
        self._source = open_tracks(config.candidates, device)
        encoder = embedded(config.text_encoder, "text")
        self._text: WordSource = open_words(config.tracks, encoder, device, config.dtype)

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        """Expression id -> union of the selected tracks, with every track's alignment score."""
        tracks = [t for t in self._source.tracks(sample) if t.source in self._config.sources]
        words = self._text.encode([e.text for e in sample.expressions])
        return {
            e.id: self._answer(sample, e, [t for t in tracks if t.serves(e.id)], w)
            for e, w in zip(sample.expressions, words, strict=True)
        }

    def provenance(self) -> Mapping[str, Json]:
        """Checkpoint hashes, what the selector was trained with, and what else decides numbers."""
        return self._facts(self._source.provenance())

    def provenance_of(self, videos: Sequence[str]) -> Mapping[str, Json]:
        """As `provenance`, of the tracks of some videos."""
        return self._facts(self._source.provenance(videos))

    def _facts(self, tracks: Mapping[str, Json]) -> Mapping[str, Json]:
        trained = {"training": self._training["identity"]} if self._training else {}
        return {
            **tracks,
            "text_encoder": self._text.checkpoint_hash,
            "selector": self._selector_hash,
            "selector_config": asdict(self._selector.config),
            **trained,
        }

    @property
    def card(self) -> MethodCard:
        """What was really built, and what its selector was really trained on.

        A selector that does not say it, as a checkpoint of the authors' code, has no training data.
        """
        count = sum(p.numel() for p in self._selector.parameters() if p.requires_grad)
        identity = self._training["identity"] if self._training else None
        return replace(
            SPEC.card,
            trainable_parameters=count,
            backbone=_backbone(self._config),
            training_data=training_text(learned_from(identity)),
        )

    def _answer(
        self,
        sample: Sample,
        expression: Expression,
        tracks: Sequence[Track],
        words: NDArray[np.float32],
    ) -> Prediction:
        config = self._config
        return answer(
            self._selector, sample.video, tracks, words, config.threshold, config.argmax_if_none
        )


def _backbone(config: SolaConfig) -> str:
    """The frozen networks; folders and files without the way to them."""
    names = config.tracker, config.text_encoder
    if names == (RELEASED_TRACKER, RELEASED_TEXT):
        return SPEC.card.backbone
    if names == ("demo", "demo"):
        return "small SAM2, GroundingDINO and RoBERTa (embedded)"
    return f"{' and '.join(Path(name).name for name in names)}, frozen"


def _selector_source(name: str) -> Path:
    if not name:
        raise WeightsError(
            "SOLA needs a trained selector, and its authors published none: train one and give its "
            "folder with --set selector=DIR, or run the embedded one with --preset demo"
        )
    return EMBEDDED_SELECTOR if name == "demo" else Path(name)


SPEC = MethodSpec(
    config_type=SolaConfig,
    build=Sola,
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
