"""Settings of the selector, its loss and its training. Defaults are those of the released code.

Sources: "code" is cvlab-kaist/SOLA at 4b0adf8 (`configs/mevis/default.yaml`, `module/`, `tools/`);
"paper" is the SOLA paper, sections 3.5, 3.6 and 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rvosbench.config import Json, configure, parse_assignments
from rvosbench.errors import UnknownNameError

RELEASED_TEXT = "sentence-transformers/all-roberta-large-v1"
"""The text encoder of the released code."""

Variant = Literal["released", "paper"]
VARIANTS: tuple[Variant, ...] = ("released", "paper")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_each(
    config: object, names: Sequence[str], holds: Callable[[float], bool], wanted: str
) -> None:
    for name in names:
        value = getattr(config, name)
        _require(holds(value), f"{name} is {value}, wanted {wanted}")


@dataclass(frozen=True)
class SelectorConfig:
    """Shape and wiring of `TrackSelector`.

    Attributes:
        object_token_dim: channels of an object token: 256 for SAM 2's pointers (code).
        lang_token_dim: channels of a text token, which is also the width of the alignment layers:
            1024 for RoBERTa-large (code).
        n_layers: object-language alignment layers, >= 1 (code and paper table A.2: 2).
        max_temporal_length: reduced frames that make one unit of the temporal encoding (code: 100).
        n_negative: learnable negative anchors (code and paper: 32). They are keys of the language
            attention, and in the released variant also count in its averages over text tokens.
        n_heads: heads of every attention; must divide `lang_token_dim` (code: 8).
        n_groups: groups of every group normalisation (code: 8 in encoder and layers).
        dropout: probability after each activation of the motion encoder (code: 0.2).
        attention_dropout: probability on attention weights (code: 0.1).
        inter_object_attention: False removes the attention between objects, with its norm
            (paper, table 5a).
        motion_attention: False removes the attention over time, with its norm (paper, table 5a).
        variant: "released" pools as the code does, "paper" as equations (4) and (5) are printed.
    """

    object_token_dim: int = 256
    lang_token_dim: int = 1024
    n_layers: int = 2
    max_temporal_length: int = 100
    n_negative: int = 32
    n_heads: int = 8
    n_groups: int = 8
    dropout: float = 0.2
    attention_dropout: float = 0.1
    inter_object_attention: bool = True
    motion_attention: bool = True
    variant: Variant = "released"

    def __post_init__(self) -> None:
        """Refuses sizes that do not fit together: ValueError names field, value and need."""
        _require(self.variant in VARIANTS, f"variant is {self.variant!r}, wanted one of {VARIANTS}")
        sizes = ("object_token_dim", "lang_token_dim", "n_layers", "n_negative", "n_heads")
        counts = (*sizes, "n_groups", "max_temporal_length")
        _require_each(self, counts, lambda v: v >= 1, "at least 1")
        shares = ("dropout", "attention_dropout")
        _require_each(self, shares, lambda v: 0 <= v < 1, "a probability below 1")
        width, heads, groups = self.lang_token_dim, self.n_heads, self.n_groups
        _require(width % heads == 0, f"lang_token_dim {width} does not split into {heads} heads")
        for name, size in (("lang_token_dim", width), ("hidden_dim", self.hidden_dim)):
            _require(size % groups == 0, f"{name} {size} does not split into {groups} groups")
        _require(width % 2 == 0, f"lang_token_dim {width} is odd")

    @property
    def hidden_dim(self) -> int:
        """Channels of the first three convolutions: twice the object token (code)."""
        return 2 * self.object_token_dim


@dataclass(frozen=True)
class LossConfig:
    """Weights of the training loss.

    Attributes:
        variant: "released" is the code's alignment loss, "paper" equations (7) and (8) with the
            sign of (7) corrected.
        bce_weight: weight of the selection loss, lambda 1 (code and paper: 1).
        alignment_weight: weight of the alignment loss, lambda 2 (code and paper: 0.3).
        positive_weight: factor on positive tracks in the selection loss, and in the released
            variant on the positive anchor's term (code: 1.5; paper: 1).
        temperature: dot products are multiplied by exp(temperature); released variant only
            (code: 0.07, a parameter there that no optimizer owns, so a constant).
    """

    variant: Variant = "released"
    bce_weight: float = 1.0
    alignment_weight: float = 0.3
    positive_weight: float = 1.5
    temperature: float = 0.07

    def __post_init__(self) -> None:
        """Refuses unknown variants and negative weights: ValueError names field, value and need."""
        _require(self.variant in VARIANTS, f"variant is {self.variant!r}, wanted one of {VARIANTS}")
        weights = ("bce_weight", "alignment_weight", "positive_weight")
        _require_each(self, weights, lambda v: 0 <= v < math.inf, "0 or more")
        _require(math.isfinite(self.temperature), f"temperature is {self.temperature}")


PAPER_SELECTOR = SelectorConfig(variant="paper")
PAPER_LOSS = LossConfig(variant="paper", positive_weight=1.0)
DEMO_SELECTOR = SelectorConfig(
    object_token_dim=128,
    lang_token_dim=128,
    max_temporal_length=10,
    n_negative=16,
    dropout=0.0,
    attention_dropout=0.0,
)


Schedule = Literal["plateau", "cosine"]
Precision = Literal["float32", "bfloat16"]
LabelTarget = Literal["object", "union"]


@dataclass(frozen=True)
class TrainConfig:
    """How a selector is trained. Everything here changes the weights, or which epoch is kept.

    Attributes:
        epochs: how often a pass is made (code: 15; paper: 13).
        epoch_size: expressions of a pass, drawn anew each time; 0: all (code: all).
        batch_size: expressions a step and process (code: 1).
        sentences_per_video: most of them about the same video: they share work, but teach less.
        learning_rate: of AdamW, at its peak (code and paper: 5e-6).
        weight_decay: of AdamW (code: 0.01).
        schedule: "plateau" multiplies the rate by `plateau_factor` when the validation loss has
            not fallen for more than `plateau_patience` epochs (code); "cosine" falls to 0.
        plateau_factor: (code: 0.5).
        plateau_patience: epochs (code: 5).
        warm_up: share of all steps with a rising learning rate (code: 0).
        clip_norm: largest norm of the gradient (code: 1).
        precision: "bfloat16" computes the network under autocast; the loss stays float32.
        label_threshold: IoU that a positive track exceeds (code: 0.7; paper: 0.5).
        label_target: "object", the best single target (code), or "union", all targets together too.
        select_threshold: probability above which a track counts as selected in validation
            (code and paper: 0.5).
        box_training: learn from box tracks too, if the cache has any (code and paper: False, grid
            and truth-prompted tracks only).
        background_training: learn among background tracks, which cover no annotated object (code
            and paper: True); False keeps truth-prompted tracks only (paper, table A.2a).
        background_inference: validate on all tracks that inference has; False: on box tracks
            only, as `SolaConfig.background_inference`.
        track_dropout: probability that a candidate is left out of a training step (code: 0).
            In training alone truth-prompted tracks double the grid's, which nothing should rely on.
        init: weights to begin with: a folder of an earlier training or recipe, "demo" (the embedded
            motion encoder), or empty: random ones (code). See `sola.network.weights.load_initial`.
        gentle_start: shrink the first attention's projections before training (code: False), see
            `TrackSelector.scale_down_first_attention`.
        valid_videos: most videos that validation looks at, spread evenly; 0: all.
        jf_every: validation measures J&F from the cached masks every so many epochs; 0: only of
            the best epoch, at the end.
        seed: of weights, order and dropout.
        loss: weights of the loss.
    """

    epochs: int = 15
    epoch_size: int = 0
    batch_size: int = 1
    sentences_per_video: int = 8
    learning_rate: float = 5e-6
    weight_decay: float = 0.01
    schedule: Schedule = "plateau"
    plateau_factor: float = 0.5
    plateau_patience: int = 5
    warm_up: float = 0.0
    clip_norm: float = 1.0
    precision: Precision = "float32"
    label_threshold: float = 0.7
    label_target: LabelTarget = "object"
    select_threshold: float = 0.5
    box_training: bool = False
    background_training: bool = True
    background_inference: bool = True
    track_dropout: float = 0.0
    init: str = ""
    gentle_start: bool = False
    valid_videos: int = 0
    jf_every: int = 1
    seed: int = 0
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        """Refuses values out of range: ValueError names field, value and need."""
        counts = ("epochs", "batch_size", "sentences_per_video")
        _require_each(self, counts, lambda v: v >= 1, "at least 1")
        amounts = ("epoch_size", "valid_videos", "jf_every", "plateau_patience", "weight_decay")
        _require_each(self, amounts, lambda v: 0 <= v < math.inf, "0 or more")
        shares = ("warm_up", "label_threshold", "select_threshold", "track_dropout")
        _require_each(self, shares, lambda v: 0 <= v < 1, "[0, 1)")
        _require_each(self, ("plateau_factor",), lambda v: 0 < v <= 1, "(0, 1]")
        rates = ("learning_rate", "clip_norm")
        _require_each(self, rates, lambda v: 0 < v < math.inf, "more than 0")

    @property
    def train_sources(self) -> tuple[str, ...]:
        """Prompts whose tracks are trained on."""
        if not self.background_training:
            return ("truth",)
        return ("grid", "box", "truth") if self.box_training else ("grid", "truth")

    @property
    def valid_sources(self) -> tuple[str, ...]:
        """Prompts whose tracks validation chooses from: those of inference."""
        return ("grid", "box") if self.background_inference else ("box",)


PAPER_TRAINING = TrainConfig(epochs=13, schedule="cosine", label_threshold=0.5, loss=PAPER_LOSS)
"""The paper's text; "gradually decreasing" is read as a cosine."""

# Without `init`, which knows what shapes do, 60 000 expressions hardly teach motion, as
# docs/training.md shows. The loss weight and the rate were chosen in short trials.
# Sizes fit five minutes: 60 000 expressions at 500 a second on one core, and validation.
DEMO_TRAINING = TrainConfig(
    epochs=30,
    epoch_size=2000,
    batch_size=64,
    sentences_per_video=16,
    learning_rate=1e-3,
    weight_decay=0.05,
    schedule="cosine",
    warm_up=0.1,
    label_threshold=0.5,
    track_dropout=0.1,
    init="demo",
    gentle_start=True,
    valid_videos=40,
    jf_every=0,
    loss=LossConfig(alignment_weight=0.1),
)

NETWORK = "selector."
"""Keys that begin so change the network, all others the training."""


def split_keys(changes: Mapping[str, Json], prefix: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """The changes whose keys begin with a prefix, which is taken off; and all others."""
    mine = {k.removeprefix(prefix): v for k, v in changes.items() if k.startswith(prefix)}
    return mine, {k: v for k, v in changes.items() if not k.startswith(prefix)}


@dataclass(frozen=True)
class TrainingPreset:
    """A network, how it is trained, and the text encoder that it fits."""

    selector: SelectorConfig
    training: TrainConfig
    text_encoder: str = RELEASED_TEXT

    def changed(self, assignments: Sequence[str]) -> TrainingPreset:
        """The preset with `key=value` applied; `selector.` keys change the network.

        Raises:
            ConfigurationError: an unknown key, or a value that does not fit.
        """
        network, training = split_keys(parse_assignments(assignments), NETWORK)
        selector = configure(self.selector, network)
        return replace(self, selector=selector, training=configure(self.training, training))


TRAINING_PRESETS: Mapping[str, TrainingPreset] = {
    "demo": TrainingPreset(DEMO_SELECTOR, DEMO_TRAINING, "demo"),
    "released": TrainingPreset(SelectorConfig(), TrainConfig()),
    "paper": TrainingPreset(PAPER_SELECTOR, PAPER_TRAINING),
}


def training_preset(name: str | None, dataset: str) -> TrainingPreset:
    """A preset by name; None is "demo" on the demo dataset and "released" on all others.

    Raises:
        UnknownNameError: there is no such preset.
    """
    name = name or ("demo" if dataset == "demo" else "released")
    if name not in TRAINING_PRESETS:
        raise UnknownNameError("preset", name, TRAINING_PRESETS)
    return TRAINING_PRESETS[name]
