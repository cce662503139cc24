"""What a method asks of its candidate tracks: which models, and how; and what then decides them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from rvosbench.config import configure
from rvosbench.errors import UnknownNameError
from rvosbench.models.runtime import (
    ORIGINAL,
    TRANSFORMERS,
    check_backend,
    choose_device,
    choose_dtype,
    installed_versions,
)
from rvosbench.models.weights import CONFIG_FILE, GROUNDER, TRACKER, ModelIdentity, find, identify
from rvosbench.records import Json
from rvosbench.tracks.config import Compute, TrackConfig, relevant
from rvosbench.tracks.header import Header

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

LIBRARIES = ("torch", "transformers", "numpy")
ORIGINAL_LIBRARIES = ("sam2", "rf-groundingdino", "groundingdino-py", "torchvision", "timm")
"""What else decides numbers with the original backend, where it is installed."""

SAM2_SIZE = 1024  # pixels, where a configuration or an original checkpoint does not say it

UNSIGNED: Mapping[str, Json] = {"signed": False}
"""Marks a field that changes no number and stays out of signatures."""


@dataclass(frozen=True)
class FrozenModels:
    """The frozen models of a method.

    Attributes:
        tracker: SAM2: "demo" (embedded), a hub id, a local folder, or an official `.pt` file.
        grounder: GroundingDINO for box prompts: "demo" (embedded), a hub id, a local folder, or an
            official `.pth`; empty: no boxes. It runs in float32, as in the released code.
        dtype: "auto" (bfloat16 on CUDA, float32 elsewhere), "float32", "bfloat16" or "float16".
    """

    tracker: str = RELEASED_TRACKER
    grounder: str = RELEASED_GROUNDER
    dtype: str = "auto"


@dataclass(frozen=True)
class CandidateConfig(FrozenModels):
    """What a method that only needs tracks has to configure: models, and how they are used.

    Attributes:
        tracks: folder of a track cache to read instead of making tracks; empty: make them.
        prompts: how tracks are made.
        compute: memory and batches.
        backend: whose code runs both: "transformers", or "original" (packages of the authors).
    """

    tracks: str = field(default="", metadata=UNSIGNED)
    prompts: TrackConfig = field(default_factory=TrackConfig)
    compute: Compute = field(default_factory=Compute, metadata=UNSIGNED)
    backend: str = TRANSFORMERS

    def __post_init__(self) -> None:
        check_backend(self.backend)


def choose_candidates(
    preset: str | None, changes: Mapping[str, Json], dataset: str
) -> CandidateConfig:
    """A configuration by preset.

    Args:
        preset: None takes "demo" on the demo dataset, "released" elsewhere.
        changes: dotted keys that differ from the preset.
        dataset: name of the dataset that tracks are wanted of.

    Raises:
        UnknownNameError: no such preset.
        ConfigurationError: a setting that does not exist or does not fit.
    """
    preset = preset or ("demo" if dataset == "demo" else "released")
    if preset not in PRESETS:
        raise UnknownNameError("preset", preset, PRESETS)
    return configure(CandidateConfig(), {**PRESETS[preset], **changes})


def grounder_identity(config: CandidateConfig) -> ModelIdentity | None:
    """The grounder a configuration asks for, without opening it."""
    return identify(config.grounder, GROUNDER) if config.grounder else None


def wanted_header(config: CandidateConfig) -> Header:
    """What a file of the tracks that a configuration asks for says; of no video in particular.

    It hashes weights and opens none.
    """
    tracker, grounder = identify(config.tracker, TRACKER), grounder_identity(config)
    backend = {} if config.backend == TRANSFORMERS else {"backend": config.backend}
    made = {"dtype": config.dtype, **backend}
    prompts = relevant(config.prompts, grounder is not None)
    return Header("", "", tracker, grounder, prompts, made=made)


def decisive_facts(config: CandidateConfig) -> set[str]:
    """Names of the facts of a track file's recipe that a configuration insists on.

    A file with box tracks also serves a configuration without: its grid tracks are the same.
    """
    boxes = {"grounder"} if config.grounder else set()
    dtype = set() if config.dtype == "auto" else {"dtype"}
    prompts = relevant(config.prompts, bool(config.grounder))
    return {"tracker", *prompts, "backend", "revision"} | boxes | dtype


def made_with(
    backend: str, tracker: str, grounder: str | None, image_size: int, dtype: str, device: str
) -> dict[str, Json]:
    """What decides the tracks that models make, beside the configuration.

    `tracker` and `grounder` are hashes of weights, or None; `image_size` is the side of the
    tracker's input in pixels, `dtype` its own. Only the kind of the device counts.
    """
    original = backend == ORIGINAL
    return {
        "tracker": tracker,
        **({"grounder": grounder} if grounder else {}),
        **({"backend": ORIGINAL} if original else {}),
        "image_size": image_size,
        "dtype": dtype,
        "device": device.partition(":")[0],
        "libraries": installed_versions(*LIBRARIES, *(ORIGINAL_LIBRARIES if original else ())),
    }


def foretold(config: CandidateConfig, device: str) -> dict[str, Json] | None:
    """What the opened models of a configuration would say; None if weights are not here.

    Raises ConfigurationError for a device that this machine does not have.
    """
    tracker, grounder = identify(config.tracker, TRACKER), grounder_identity(config)
    if tracker.sha256 is None or (grounder is not None and grounder.sha256 is None):
        return None
    device, place = choose_device(device), find(config.tracker, TRACKER)
    file, size = place and place / CONFIG_FILE, SAM2_SIZE
    if file is not None and file.is_file():
        size = int(json.loads(file.read_text(encoding="utf-8")).get("image_size", SAM2_SIZE))
    dtype, found = choose_dtype(config.dtype, device), grounder.sha256 if grounder else None
    return made_with(config.backend, tracker.sha256, found, size, dtype, device)
