"""Python examples of the documentation run as they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rvosbench
from rvosbench import load_dataset
from rvosbench.contracts import MethodSpec
from rvosbench.corruptions import corrupt
from rvosbench.records import Frame

ROOT = Path(__file__).parents[2]


def block(page: str, holding: str) -> str:
    """The Python block of a page that holds a text."""
    found = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.M | re.S)
    (text,) = [str(part) for part in found if holding in part]
    return text


@dataclass(frozen=True)
class MyConfig:
    """What a reader of the example writes."""


def test_the_readmes_method_can_be_evaluated() -> None:
    names: dict[str, Any] = {"MyConfig": MyConfig}
    exec(block("README.md", "SPEC = "), names)
    spec = names["SPEC"]
    assert isinstance(spec, MethodSpec)
    method: Any = spec.build(MyConfig(), "cpu")
    result = rvosbench.evaluate(method, load_dataset("demo"), videos=["valid-0000"])
    assert {e.score.video for e in result.expressions} == {"valid-0000"}


def test_a_dataset_is_read_as_its_page_says() -> None:
    text = block("docs/datasets.md", "load_dataset")
    names: dict[str, Any] = {}
    exec(text.replace('"mevis", "/data/mevis", "valid_u"', '"demo", None, "valid"'), names)
    assert names["frame"].shape == (128, 128, 3)
    assert len(names["target"].union()) == len(names["sample"].video)


def test_a_frame_is_corrupted_as_its_page_says() -> None:
    frame: Frame = np.full((48, 64, 3), 128, np.uint8)
    names: dict[str, Any] = {"frame": frame}
    exec(block("docs/corruptions.md", "gaussian_noise"), names)
    again = corrupt(frame, "gaussian_noise", 5, np.random.default_rng(0))
    assert np.array_equal(names["noisy"], again)
    assert not np.array_equal(again, frame)


def test_what_a_single_frame_tells_is_asked_as_its_page_says() -> None:
    names: dict[str, Any] = {}
    exec(block("docs/motionshapes.md", "frame_evidence"), names)
    assert names["demo"].problems("test-0000") == []
