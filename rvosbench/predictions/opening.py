"""Which kind of predictions lies at a path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rvosbench.errors import PredictionError
from rvosbench.files.trees import open_storage
from rvosbench.predictions.files import PredictionFiles
from rvosbench.predictions.labels import LabelFiles
from rvosbench.predictions.rle_json import RleFile
from rvosbench.predictions.runs import RunSource
from rvosbench.predictions.source import MissingPolicy, PredictionSource
from rvosbench.predictions.wording import few
from rvosbench.records import Prediction, Sample
from rvosbench.runs.run_folder import RunFolder


def open_predictions(
    path: Path, missing: MissingPolicy = "error", samples: Iterable[Sample] = ()
) -> PredictionSource:
    """Open answers to expressions.

    Args:
        path: a folder or zip of `<video>/<expression>/<frame>.png` (one folder around the videos is
            accepted), a JSON file of run lengths (see `RleFile`), or a run folder of `evaluate`.
        missing: see `MissingPolicy`.
        samples: the videos that will be asked for. With them, files that fit none of them are
            refused at once, whatever the policy.

    Raises:
        PredictionError: nothing readable at `path`, or no video of `samples` in it.
    """
    source: PredictionSource
    if RunFolder(path).is_run:
        source = RunSource(path, missing)
    elif path.suffix.lower() == ".json" and path.is_file():
        source = RleFile(path, missing)
    else:
        source = PredictionFiles(open_storage(path), missing)
    _refuse_strangers(path, source, list(samples), "<video>/<expression>/<frame>.png")
    return source


def open_labels(
    path: Path, missing: MissingPolicy = "error", samples: Iterable[Sample] = ()
) -> LabelFiles:
    """Open label images: a folder or zip of `<video>/<frame>.png`; args and errors as above."""
    source = LabelFiles(open_storage(path), missing)
    _refuse_strangers(path, source, list(samples), "<video>/<frame>.png")
    return source


def read_predictions(
    path: Path, sample: Sample, missing: MissingPolicy = "error"
) -> dict[str, Prediction]:
    """Expression id -> prediction for one video; raises as `open_predictions` and `predict`."""
    return dict(open_predictions(path, missing, [sample]).predict(sample))


def _refuse_strangers(
    path: Path, source: PredictionSource, samples: Sequence[Sample], layout: str
) -> None:
    wanted = [sample.video.id for sample in samples]
    if wanted and not any(source.holds(video) for video in wanted):
        raise PredictionError(
            f"{path}: holds none of the {len(wanted)} videos asked for; found "
            f"{few(source.extra([]))}, wanted {few(wanted)}. The layout is {layout}. "
            "Is it the right dataset and split?"
        )
