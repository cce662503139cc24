"""What decides tracks beside their configuration: told by opened models, or without any."""

from __future__ import annotations

import json

from rvosbench.models.backends import ORIGINAL, installed_versions
from rvosbench.models.devices import choose_device, choose_dtype
from rvosbench.models.weights import CONFIG_FILE, TRACKER, find
from rvosbench.records import Json
from rvosbench.tracks.candidates import CandidateConfig, grounder_identity, tracker_identity

LIBRARIES = ("torch", "transformers", "numpy")
ORIGINAL_LIBRARIES = ("sam2", "rf-groundingdino", "groundingdino-py", "torchvision", "timm")
"""What else decides numbers with the original backend, where it is installed."""

_IMAGE_SIZE = 1024  # of SAM2, where a configuration or an original checkpoint does not say it


def made_with(
    backend: str, tracker: str, grounder: str | None, image_size: int, dtype: str, device: str
) -> dict[str, Json]:
    """What decides the tracks that models make, beside the configuration.

    Args:
        backend: whose code runs them.
        tracker: hash of its weights.
        grounder: hash of its weights; None where there is none.
        image_size: side of the tracker's input in pixels.
        dtype: the tracker computes in.
        device: only its kind counts.
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

    Args:
        config: `tracks` is not looked at.
        device: "auto" or a device.

    Raises:
        ConfigurationError: a device that this machine does not have.
    """
    tracker, grounder = tracker_identity(config), grounder_identity(config)
    if tracker.sha256 is None or (grounder is not None and grounder.sha256 is None):
        return None
    device = choose_device(device)
    return made_with(
        config.backend,
        tracker.sha256,
        grounder.sha256 if grounder else None,
        _image_size(config.tracker),
        choose_dtype(config.dtype, device),
        device,
    )


def _image_size(tracker: str) -> int:
    place = find(tracker, TRACKER)
    file = place / CONFIG_FILE if place is not None else None
    if file is None or not file.is_file():
        return _IMAGE_SIZE
    return int(json.loads(file.read_text(encoding="utf-8")).get("image_size", _IMAGE_SIZE))
