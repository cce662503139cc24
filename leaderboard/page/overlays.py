"""Pictures of a run's best and worst cases, when its predictions and the frames are at hand."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from leaderboard.numbers.entry import Run
from rvosbench.datasets import load_dataset
from rvosbench.errors import RvosbenchError
from rvosbench.report.cases import RunCases, jf
from rvosbench.report.pictures import overlay, spread
from rvosbench.runs.result import ScoredExpression
from rvosbench.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CASES = 3
"""So many of the best, and as many of the worst."""

FRAMES = 3
THUMBNAIL = 240
"""Width of a picture in pixels; the height follows."""


Strip: TypeAlias = tuple[ScoredExpression, tuple[str, ...]]
"""An expression, and data addresses of pictures in the order of time."""


@dataclass(frozen=True)
class Gallery:
    """The best and worst cases, or why there are none."""

    best: tuple[Strip, ...] = ()
    worst: tuple[Strip, ...] = ()
    remark: str = ""


def gallery(run: Run, roots: Mapping[str, Path]) -> Gallery:
    """Best and worst cases of a run.

    Args:
        run: its folder holds `videos/`, unless it is a reviewed result file.
        roots: dataset name -> folder, for datasets that need one.
    """
    folder = RunFolder(run.path.parent)
    if not folder.videos.is_dir() or not run.result.expressions:
        return Gallery(remark="The predictions of this run are not at hand.")
    facts = run.result.facts
    if facts.get("corruption"):
        return Gallery(remark="Pictures are made of runs on clean frames only.")
    try:
        name = facts["dataset"]
        dataset = load_dataset(name, roots.get(name), facts["split"])
        ranked = sorted(run.result.expressions, key=_jf)
        count = min(CASES, len(ranked) // 2)
        cases = RunCases(run.result, dataset, folder)
        best = tuple(_strip(s, cases) for s in ranked[::-1][:count])
        worst = tuple(_strip(s, cases) for s in ranked[:count])
    except (RvosbenchError, OSError, KeyError, ValueError) as error:
        return Gallery(remark=f"No pictures: {error}")
    return Gallery(best, worst)


def _jf(scored: ScoredExpression) -> tuple[float, str, str]:
    return (jf(scored), scored.score.video, scored.score.expression)


def _strip(scored: ScoredExpression, cases: RunCases) -> Strip:
    score, case = scored.score, cases(scored)
    pictures = [
        _address(overlay(case.sample.video.read(i), case.masks.frame(i), case.ground_truth.get(i)))
        for i in spread(score.frames or sorted(case.ground_truth), FRAMES)
    ]
    return scored, tuple(pictures)


def _address(picture: NDArray[np.uint8]) -> str:
    from PIL import Image

    image = Image.fromarray(picture)
    height = max(1, round(image.height * THUMBNAIL / image.width))
    out = io.BytesIO()
    image.resize((THUMBNAIL, height), Image.Resampling.BILINEAR).save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"
