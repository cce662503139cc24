"""Bit for bit what the official tools say, on real and on random masks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvosbench.masks import MaskSequence
from rvosbench.metrics import contour_accuracy, region_similarity, score_frames

from .golden import METRICS, davis_prediction, davis_truth, load_json, needs_golden

pytestmark = needs_golden
VOID = 255
ROWS = (
    sorted(json.loads((METRICS / "davis_official_per_frame.json").read_text()))
    if METRICS.is_dir()
    else []
)


def _sequences(key: str) -> tuple[MaskSequence, MaskSequence, MaskSequence | None]:
    """Prediction, target and void behind one row of the official per-frame table."""
    source, *rest = key.split("/")
    if source == "tennis-reversed-with-void":
        truth, number = davis_truth("tennis"), int(rest[0])
        return _masks(truth[::-1] == number), _masks(truth == number), _masks(truth == VOID)
    sequence, number = rest[0], int(rest[1])
    prediction = davis_prediction(source, sequence) == number
    return _masks(prediction), _masks(davis_truth(sequence) == 1), None


def _masks(frames: NDArray[np.bool_]) -> MaskSequence:
    return MaskSequence.from_arrays(list(frames))


@pytest.mark.parametrize("key", ROWS)
def test_every_frame_equals_the_official_davis_tool(key: str) -> None:
    expected: dict[str, Any] = load_json("davis_official_per_frame.json")[key]
    j, f = score_frames(*_sequences(key))
    assert j.tolist() == expected["J"]
    assert f.tolist() == expected["F"]


def test_small_random_pairs_equal_the_official_davis_tool() -> None:
    with np.load(METRICS / "stress_600.npz") as pairs:
        for index, expected in enumerate(pairs["jf"]):
            height, width = pairs[f"{index}.size"]
            prediction, target = (
                np.unpackbits(pairs[f"{index}.{name}"], count=height * width).reshape(height, width)
                for name in ("pred", "gt")
            )
            got = region_similarity(prediction, target), contour_accuracy(prediction, target)
            assert got == tuple(expected), f"pair {index}, {height}x{width}"
