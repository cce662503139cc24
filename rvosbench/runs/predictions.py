"""Predictions that somebody made before, as a method that reads them when they are asked for.

Accepted are masks as `<video>/<expression>/<frame>.png` and label images as `<video>/<frame>.png`,
each in a folder or in a zip that is read without unpacking, with one folder around (such as
`Annotations/`) or none; JSON files of run lengths; and runs of `rvosbench eval`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from rvosbench.errors import PredictionError, few, told_as
from rvosbench.files.trees import open_tree
from rvosbench.masks import MaskSequence
from rvosbench.recipe import digest
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
    """The predictions for one video, decoded and hashed when they are asked for, and not kept.

    So every file is read once, and the memory is that of one prediction.
    """

    def __init__(self, found: Found, missing: MissingPolicy) -> None:
        self._found, self._missing = found, missing
        self._filled: dict[str | None, Missing] = {None: self._fill(found.gap)}
        self._hashes: dict[str, str] = {}

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
            packed = replace(prediction, masks=prediction.masks.packed())
        self._hashes.setdefault(key, pixel_hash(packed.masks))
        return packed

    def __contains__(self, key: object) -> bool:
        return key in self._found.keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._found.keys)

    def __len__(self) -> int:
        return len(self._found.keys)

    def digest(self, unreadable: bool = False) -> str:
        """One sha256 over the pixels of all predictions; those not asked for are read now.

        With `unreadable`, predictions that cannot be read count as such instead of raising.
        """
        for key in self:
            if key not in self._hashes:
                try:
                    _ = self[key]
                except PredictionError:
                    if not unreadable:
                        raise
                    self._hashes[key] = "unreadable"
        return digest(self._hashes)

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


def pixel_hash(masks: MaskSequence) -> str:
    """sha256 over the pixels of T masks, whatever their storage or file format."""
    content = hashlib.sha256(f"{len(masks)}x{masks.height}x{masks.width};".encode())
    for index in range(len(masks)):
        words = masks.words(index)
        rows = np.flatnonzero(words.any(axis=1))
        # Rows without foreground tell nothing: most of a mask need not be hashed.
        first, end = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)
        content.update(f"{first}-{end}:".encode())
        content.update(words[first:end].astype("<u8", copy=False).tobytes())
    return content.hexdigest()
