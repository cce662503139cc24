"""Pictures of a run's best and worst cases, when its predictions and the frames are at hand."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.errors import RvosbenchError
from rvosbench.results import ScoredExpression
from rvosbench.scores import predictions_from_rows
from rvosbench.work import Store

from ..entries import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rvosbench.masks import MaskSequence
    from rvosbench.protocols import Dataset

CASES = 3
"""So many of the best, and as many of the worst."""

FRAMES = 3
THUMBNAIL = 240
"""Width of a picture in pixels; the height follows."""

_PREDICTED, _TRUE = (255, 140, 0), (0, 200, 255)


@dataclass(frozen=True)
class Case:
    """One expression with a strip of frames.

    Attributes:
        jf: mean of J and F in [0, 1].
        pictures: data addresses, in the order of time.
    """

    video: str
    text: str
    jf: float
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """The best and worst cases, or why there are none."""

    best: tuple[Case, ...] = ()
    worst: tuple[Case, ...] = ()
    remark: str = ""


def gallery(run: Run, roots: Mapping[str, Path]) -> Gallery:
    """Best and worst cases of a run.

    Args:
        run: its folder holds `videos/`, unless it is a reviewed result file.
        roots: dataset name -> folder, for datasets that need one.
    """
    store = Store(run.path.parent / "videos", suffix="")
    if not store.folder.is_dir() or not run.result.expressions:
        return Gallery(remark="The predictions of this run are not at hand.")
    facts = run.result.facts
    if facts.get("corruption"):
        return Gallery(remark="Pictures are made of runs on clean frames only.")
    try:
        dataset = _open(facts["dataset"], facts["split"], roots)
        ranked = sorted(run.result.expressions, key=_jf)
        count = min(CASES, len(ranked) // 2)
        best = tuple(_case(s, dataset, store) for s in ranked[::-1][:count])
        worst = tuple(_case(s, dataset, store) for s in ranked[:count])
    except (RvosbenchError, OSError, KeyError, ValueError) as error:
        return Gallery(remark=f"No pictures: {error}")
    return Gallery(best, worst)


def _open(name: str, split: str, roots: Mapping[str, Path]) -> Dataset:
    from rvosbench.datasets import load_dataset

    return load_dataset(name, roots.get(name), split)


def _jf(scored: ScoredExpression) -> tuple[float, str, str]:
    s = scored.score
    return ((s.j + s.f) / 2, s.video, s.expression)


def _case(scored: ScoredExpression, dataset: Dataset, store: Store) -> Case:
    score = scored.score
    sample = dataset.sample(score.video)
    content = (store.output(score.video) / "predictions.json").read_text(encoding="utf-8")
    masks = predictions_from_rows(json.loads(content))[score.expression].masks
    target = dataset.target(score.video, score.expression)
    truth = dict(zip(target.annotated, target.union(), strict=True))
    pictures = [
        _address(_draw(sample.video.read(i), _frame(masks, i), truth.get(i)))
        for i in _spread(score.frames or target.annotated)
    ]
    return Case(score.video, scored.expression.text, _jf(scored)[0], tuple(pictures))


def _frame(masks: MaskSequence, index: int) -> NDArray[np.bool_]:
    return masks.frame(index)


def _spread(frames: Sequence[int]) -> list[int]:
    """Frames from begin to end, evenly."""
    places = np.linspace(0, len(frames) - 1, min(FRAMES, len(frames)))
    return [frames[round(float(p))] for p in places]


def _draw(
    frame: NDArray[np.uint8], predicted: NDArray[np.bool_], true: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """The frame in grey, the prediction tinted, the outline of the truth on top."""
    grey = frame.mean(axis=2, keepdims=True).repeat(3, axis=2)
    grey[predicted] = 0.4 * grey[predicted] + 0.6 * np.array(_PREDICTED)
    if true is not None:
        grey[_outline(true, max(1, frame.shape[1] // 200))] = _TRUE
    return np.asarray(grey, dtype=np.uint8)


def _outline(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    inner = mask.copy()
    for axis in (0, 1):
        for step in (-width, width):
            inner &= np.roll(mask, step, axis)
    return np.asarray(mask & ~inner)


def _address(picture: NDArray[np.uint8]) -> str:
    from PIL import Image

    image = Image.fromarray(picture)
    height = max(1, round(image.height * THUMBNAIL / image.width))
    out = io.BytesIO()
    image.resize((THUMBNAIL, height), Image.Resampling.BILINEAR).save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"
