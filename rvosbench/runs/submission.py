"""Submissions: predictions as the zip that a dataset's own server takes, and what is wrong there.

The same predictions give the same bytes every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rvosbench.contracts import Dataset
from rvosbench.errors import PredictionError, ResultError, UsageError, told_as
from rvosbench.files.archives import write_zip
from rvosbench.files.names import relative_name
from rvosbench.masks.png import encode_mask
from rvosbench.records import Prediction, Sample
from rvosbench.runs.prediction_sources import PredictionSource
from rvosbench.runs.predictions import MaskTree, open_predictions
from rvosbench.runs.run_folder import RunFolder

TOP_FOLDERS: Mapping[str, str] = MappingProxyType({"ref-youtube-vos": "Annotations"})
"""The folder around the videos. MeViS and others want none: a wrong one scores nan there."""


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

    Args:
        path: see `open_predictions`.
        dataset: an opened split, hidden or not; its frames are needed for their size.

    Raises:
        PredictionError: nothing readable at `path`, or no video of the dataset in it.
    """
    samples = list(dataset)
    opened = open_predictions(path, samples=samples)
    problems = _layout(opened, samples, dataset.name)
    for sample in samples:
        problems += [found for _, found in _read(opened, sample) if isinstance(found, str)]
    warnings = tuple(f"{path}: nobody asks for {name}" for name in opened.extra(samples))
    number = sum(len(sample.expressions) for sample in samples)
    return CheckReport(number, tuple(problems), warnings)


def pack_predictions(path: Path, dataset: Dataset, out: Path) -> int:
    """Pack predictions of any form, checked; entries that nobody asks for are left out.

    Args:
        path: see `open_predictions`.
        dataset: an opened split, hidden or not; its frames are needed for their size.
        out: the zip to write; it appears when everything is right.

    Returns:
        The number of masks.

    Raises:
        PredictionError: nothing readable at `path`; or everything that is missing or wrong in it.
    """
    samples = list(dataset)
    opened = open_predictions(path, samples=samples)
    problems: list[str] = []

    def right() -> Iterator[_Kept]:
        for sample in samples:
            for key, found in _read(opened, sample):
                if isinstance(found, str):
                    problems.append(found)
                elif not problems:
                    yield sample.video.id, key, sample.video.frame_names, found
        if problems:
            raise PredictionError("\n".join(problems))

    return _write(out, dataset.name, right())


def pack_run(run: Path, out: Path) -> int:
    """Pack the predictions of a finished run; neither the dataset nor its frames are needed.

    Args:
        run: folder written by `evaluate`.
        out: zip to write.

    Returns:
        The number of masks.

    Raises:
        UsageError: it is not a run.
        ResultError: the run does not exist, is not finished, has no predictions, or damaged ones.
    """
    folder = RunFolder(run)
    if not run.exists():
        raise ResultError(f"{run}: does not exist")
    if not folder.is_run:
        raise UsageError(f"{run}: is no run of `rvosbench eval`, which says its dataset: --dataset")
    result, videos = folder.result(), sorted(folder.video_ids())
    dataset, scored = str(result.facts["dataset"]), {e.score.video for e in result.expressions}
    if not videos:
        raise ResultError(f"{run}: no predictions here; a run of `rvosbench score` keeps none")
    if lost := sorted(scored - set(videos)):
        raise ResultError(
            f"{run}: predictions of video {lost[0]!r} are gone ({len(lost)} of {len(scored)} "
            "videos): repeat the run with --resume"
        )
    kept = (folder.video(video).predictions() for video in videos)
    entries = ((k.video, key, k.frames, p) for k in kept for key, p in k.by_expression.items())
    return _write(out, dataset, entries)


def submission_name(dataset_name: str, video_id: str, expression_id: str, frame_name: str) -> str:
    """The name of a mask in a submission, such as "Annotations/v/0/00000.png".

    Raises:
        PredictionError: an id cannot be part of a file name.
    """
    top = TOP_FOLDERS.get(dataset_name)
    with told_as(PredictionError):
        name = relative_name(video_id, expression_id, f"{frame_name}.png")
    return f"{top}/{name}" if top else str(name)


_Kept = tuple[str, str, Sequence[str], Prediction]
"""Video, expression, names of the frames, prediction."""


def _write(out: Path, dataset_name: str, kept: Iterable[_Kept]) -> int:
    return write_zip(
        out,
        (
            (submission_name(dataset_name, video, key, frame), encode_mask(mask))
            for video, key, frames, prediction in kept
            for frame, mask in zip(frames, prediction.masks, strict=True)
        ),
    )


def _read(opened: PredictionSource, sample: Sample) -> Iterator[tuple[str, Prediction | str]]:
    """Each expression of a video with its prediction, or with what is wrong with it."""
    try:
        predictions = opened.predict(sample)
    except (PredictionError, ResultError) as error:
        yield "", str(error)
        return
    for key in predictions:
        try:
            yield key, predictions[key]
        except PredictionError as error:
            yield key, str(error)


def _layout(opened: PredictionSource, samples: Sequence[Sample], dataset_name: str) -> list[str]:
    top = TOP_FOLDERS.get(dataset_name)
    if not isinstance(opened, MaskTree) or opened.tree.path.is_dir():
        return []
    for video in (sample.video.id for sample in samples):
        wanted, place = f"{top}/{video}" if top else video, opened.place(video)
        if place not in (None, wanted):
            return [
                f"{opened.tree.path}: the server wants {wanted}/, the zip has {place}/: pack it "
                "again with `rvosbench submit pack`"
            ]
    return []
