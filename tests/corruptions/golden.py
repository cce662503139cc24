"""Golden outputs of the original, and whether this machine has the stack they were made on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rvosbench.corruptions.frame import apply, draw
from rvosbench.corruptions.frost import INSTALLED, frost_pictures
from rvosbench.errors import UsageError
from rvosbench.records import Frame

STACK = {
    "numpy": "2.4.6",
    "scipy": "1.17.1",
    "opencv-python-headless": "5.0.0.93",
    "pillow": "13.0.0",
}
"""Libraries of the golden values (PROVENANCE.md) that compute a result of ours."""


def other_versions() -> dict[str, str]:
    """Library -> version here, where it is not that of the golden values."""
    return {name: version(name) for name, wanted in STACK.items() if version(name) != wanted}


@dataclass(frozen=True)
class Golden:
    folder: Path

    @cached_property
    def frame(self) -> Frame:
        return np.array(Image.open(self.folder / "chelsea_224.png").convert("RGB"))

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        return dict(json.loads((self.folder / "sha256_all_severities.json").read_text()))

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        outputs: Mapping[str, Any] = np.load(self.folder / "original_224.npz")
        return outputs

    def exact(self, name: str, severity: int, frost_dir: Path | None = None) -> Frame:
        """Our exact mode with the random state that the golden value was made with."""
        rng = np.random.RandomState(1000 + severity)
        pictures = frost_pictures(frost_dir)
        return apply(self.frame, draw(name, severity, self.frame.shape, rng, pictures), rng)


def sha256(frame: Frame) -> str:
    return hashlib.sha256(np.ascontiguousarray(frame).tobytes()).hexdigest()


def original_frost() -> Path | None:
    """Folder of the original frost pictures, where somebody has them."""
    given = os.environ.get("RVOSBENCH_FROST_DIR")
    place = Path(given or INSTALLED)
    try:
        frost_pictures(place)
    except UsageError:
        return None
    return place
