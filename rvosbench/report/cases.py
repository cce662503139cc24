"""The predictions of a run as cases: expression, score, masks, frames and ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.contracts import Dataset
from rvosbench.datasets import load_dataset
from rvosbench.errors import ResultError, UsageError
from rvosbench.masks import MaskSequence
from rvosbench.records import Sample
from rvosbench.runs.result import Result, ScoredExpression
from rvosbench.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Case:
    """One expression with its prediction.

    Attributes:
        scored: the expression with its score.
        sample: its video.
        masks: the prediction, one mask for every frame.
        ground_truth: frame index -> mask, for the frames that have it.
    """

    scored: ScoredExpression
    sample: Sample
    masks: MaskSequence
    ground_truth: Mapping[int, NDArray[np.bool_]]


@dataclass(frozen=True)
class RunCases:
    """A finished run whose predictions and frames are at hand."""

    result: Result
    dataset: Dataset
    folder: RunFolder

    def __call__(self, scored: ScoredExpression) -> Case:
        """The case of one scored expression; raises ResultError if its prediction is not there."""
        score = scored.score
        files = self.folder.video(score.video)
        found = files.predictions().by_expression
        if score.expression not in found:
            raise ResultError(f"{files.path}: no prediction of expression {score.expression!r}")
        target = self.dataset.target(score.video, score.expression)
        ground_truth = dict(zip(target.annotated, target.union(), strict=True))
        masks = found[score.expression].masks
        return Case(scored, self.dataset.sample(score.video), masks, ground_truth)

    def find(self, name: str) -> ScoredExpression:
        """The expression called "<video>/<expression>"; raises UsageError for an unknown one."""
        for scored in self.result.expressions:
            if name_of(scored) == name:
                return scored
        raise UsageError(
            f"the run has no expression {name!r}: wanted <video>/<expression>, such as "
            f"{name_of(self.result.expressions[0])}"
        )


def jf(scored: ScoredExpression) -> float:
    """Mean of J and F of one expression, in [0, 1]."""
    return (scored.score.j + scored.score.f) / 2


def name_of(scored: ScoredExpression) -> str:
    """`<video>/<expression>`."""
    return f"{scored.score.video}/{scored.score.expression}"


def open_run(folder: Path, data: Path | None = None) -> RunCases:
    """Open a run folder for pictures.

    Args:
        folder: as `rvosbench eval` wrote it.
        data: the dataset's root, if it needs one.

    Raises:
        ResultError: no scored run on clean frames with its predictions.
        DatasetError: the dataset is not at hand.
    """
    run = RunFolder(folder)
    result = run.result()
    if not result.expressions:
        raise ResultError(
            f"{folder}: the run has no scores, as its split has no public ground truth"
        )
    if result.facts.get("corruption"):
        raise ResultError(
            f"{folder}: the run is on corrupted frames ({result.facts['corruption']}); pictures "
            "are made of runs on clean frames only"
        )
    dataset = load_dataset(result.facts["dataset"], data, result.facts["split"])
    return RunCases(result, dataset, run)
