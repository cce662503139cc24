"""Everything wrong with a submission at once, before a server says only `nan`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.errors import PredictionError
from rvosbench.runs.source import PredictionFiles
from rvosbench.runs.predictions import open_predictions
from rvosbench.predictions.packing import TOP_FOLDERS
from rvosbench.predictions.source import PredictionSource
from rvosbench.records import Sample


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes:
        expressions: expressions that the dataset asks for.
        problems: what the server would refuse or count as wrong, one an expression at most.
        warnings: what it would ignore.
    """

    expressions: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the submission can be sent."""
        return not self.problems


def check_predictions(path: Path, dataset: Dataset) -> CheckReport:
    """Read every mask that the dataset asks for, and note what is wrong.

    A zip must also have the layout of the dataset's server.

    Raises:
        PredictionError: `path` is not a folder or zip, or has no video of the dataset.
    """
    samples = list(dataset)
    files = open_predictions(path, samples=samples)
    problems = [p for sample in samples for p in _problems(files, sample)]
    layout = []
    if isinstance(files, PredictionFiles) and not path.is_dir():
        layout = _layout(files, samples, dataset.name)
    warnings = [f"{path}: nobody asks for {name}" for name in files.extra(samples)]
    number = sum(len(sample.expressions) for sample in samples)
    return CheckReport(number, (*layout, *problems), tuple(warnings))


def _problems(files: PredictionSource, sample: Sample) -> Iterator[str]:
    for expression in sample.expressions:
        try:
            files.answer(sample, expression.id).masks.areas()
        except PredictionError as error:
            yield str(error)


def _layout(files: PredictionFiles, samples: list[Sample], dataset_name: str) -> list[str]:
    top = TOP_FOLDERS.get(dataset_name)
    prefix = f"{top}/" if top else ""
    for sample in samples:
        place = files.folder(sample.video.id)
        if place is not None and place != prefix + sample.video.id:
            return [
                f"{files.storage.path}: the server wants {prefix + sample.video.id}/, the zip has "
                f"{place}/: pack it again with `rvosbench submit pack`"
            ]
    return []
