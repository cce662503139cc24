"""Predictions that somebody made before, as a method that reads them when they are asked for.

Accepted are masks as `<video>/<expression>/<frame>.png` and label images as `<video>/<frame>.png`,
each in a folder or in a zip that is read without unpacking, with one folder around (such as
`Annotations/`) or none; JSON files of run lengths; and runs of `rvosbench eval`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rvosbench.errors import PredictionError, few, told_as
from rvosbench.files.trees import open_tree
from rvosbench.records import Missing, MissingPolicy, Prediction, Sample
from rvosbench.runs.prediction_sources import (
    Found,
    Gap,
    PredictionSource,
    RleFile,
    RunSource,
)
from rvosbench.runs.prediction_trees import LabelTree, MaskTree
from rvosbench.runs.run_folder import RunFolder


class VideoPredictions(Mapping[str, Prediction]):
    """The predictions for one video, each decoded when it is asked for, and not kept."""

    def __init__(self, found: Found, missing: MissingPolicy) -> None:
        self._found, self._missing = found, missing
        self._filled: dict[str | None, Missing] = {None: self._fill(found.gap)}

    @property
    def filled(self) -> Missing:
        """How much of what was asked for until now was not there and counts as empty."""
        return Missing.total(self._filled.values())

    def __getitem__(self, key: str) -> Prediction:
        """The prediction, with its masks as packed bits: files are read now, and not later.

        Raises:
            KeyError: nobody can ask for it.
            IncompletePredictionError: masks are not there, and must be.
            PredictionError: files that cannot be read, or do not fit the video.
        """
        if key not in self._found.keys:
            raise KeyError(key)
        with told_as(PredictionError):
            prediction, gap = self._found.read(key)
            self._filled[key] = self._fill(gap)
            return replace(prediction, masks=prediction.masks.packed())

    def __contains__(self, key: object) -> bool:
        return key in self._found.keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._found.keys)

    def __len__(self) -> int:
        return len(self._found.keys)

    def _fill(self, gap: Gap | None) -> Missing:
        return Missing() if gap is None else self._missing.fill(gap.missing, gap.told)


@dataclass(frozen=True)
class Predictions:
    """Predictions in files as a method: whatever their form, they are read in the same way.

    Attributes:
        source: says what is there.
        missing: what to do about the rest.
    """

    source: PredictionSource
    missing: MissingPolicy

    def predict(self, sample: Sample) -> VideoPredictions:
        """Expression id -> prediction, or label -> masks of the label.

        Raises:
            IncompletePredictionError: label images are not there, and must be; of expressions this
                is told when they are asked for.
            PredictionError: a video that is there twice, or files that cannot be read.
        """
        with told_as(PredictionError):
            return VideoPredictions(self.source.find(sample), self.missing)


def open_predictions(
    path: Path,
    missing: str = "error",
    samples: Iterable[Sample] = (),
    answers: Literal["expressions", "labels"] = "expressions",
) -> Predictions:
    """Open predictions in files.

    Args:
        path: a folder or zip, a JSON file of run lengths (see `RleFile`), or a run folder.
        missing: a `MissingPolicy`, or its name.
        samples: the videos that will be asked for. With them, files that fit none of them are
            refused at once, whatever the policy.
        answers: what a folder or zip holds: masks of expressions, or label images.

    Raises:
        PredictionError: nothing readable at `path`, or no video of `samples` in it.
    """
    with told_as(PredictionError):
        source = _source(path, answers)
    wanted = [sample.video.id for sample in samples]
    if wanted and not any(source.holds(video) for video in wanted):
        raise PredictionError(
            f"{path}: holds none of the {len(wanted)} videos asked for; found "
            f"{few(source.extra([]))}, wanted {few(wanted)}. The layout is {source.layout}. "
            "Is it the right dataset and split?"
        )
    return Predictions(source, MissingPolicy(missing))


def _source(path: Path, answers: str) -> PredictionSource:
    if answers == "labels":
        return LabelTree(open_tree(path))
    if RunFolder(path).is_run:
        return RunSource(RunFolder(path))
    if path.suffix.lower() == ".json" and path.is_file():
        return RleFile(path)
    return MaskTree(open_tree(path))
