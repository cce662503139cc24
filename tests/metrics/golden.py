"""Golden values of the official tools, and the real masks they were computed from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

DATA = Path(__file__).parents[3] / "shared" / "data"
METRICS = DATA / "golden" / "metrics"
DAVIS = DATA / "ref-davis-mini"

needs_golden = pytest.mark.skipif(
    not METRICS.is_dir(), reason=f"golden values of the official tools are not at {METRICS}"
)


def load_json(name: str) -> Any:  # noqa: ANN401
    return json.loads((METRICS / name).read_text())


def index_masks(folder: Path) -> NDArray[np.uint8]:
    """(T, H, W) palette indices of a folder of PNGs in temporal order."""
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def davis_truth(sequence: str) -> NDArray[np.uint8]:
    return index_masks(DAVIS / "DAVIS" / "Annotations_unsupervised" / "480p" / sequence)


def davis_prediction(method: str, sequence: str) -> NDArray[np.uint8]:
    return index_masks(DAVIS / "predictions" / method / sequence)
