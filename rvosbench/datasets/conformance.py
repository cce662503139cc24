"""A check that any dataset can be put through: ours, and those of plugin authors.

>>> from rvosbench.datasets import load_dataset
>>> check_dataset(load_dataset("demo"), videos=1)
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import numpy as np

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import problems
from rvosbench.errors import DatasetError, NoGroundTruthError
from rvosbench.masks import MaskSequence
from rvosbench.records import Sample, Target

_STRANGER = "no such video, hopefully"


def check_dataset(dataset: Dataset, videos: int | None = None) -> None:
    """Check that `dataset` keeps the contract of `rvosbench.contracts.Dataset`.

    Args:
        dataset: an opened split.
        videos: read frames and masks of that many videos only; None is all.

    Raises:
        DatasetError: it does not; the message lists every finding.
    """
    found = findings(dataset, videos)
    if found:
        raise DatasetError(f"{dataset.name} {dataset.split}:\n- " + "\n- ".join(found))


def findings(
    dataset: Dataset,
    videos: int | None = None,
    on_video: Callable[[str], None] = lambda video: None,
) -> list[str]:
    """All mistakes of a dataset: against the contract, and those that it can find itself.

    Args as for `check_dataset`; `on_video` is called with the id of each video looked at.
    """
    found = [*_whole(dataset)]
    for sample in islice(dataset, videos):
        own = problems(dataset, sample.video.id)
        found += [f"video {sample.video.id!r}: {p}" for p in (*_video(dataset, sample), *own)]
        on_video(sample.video.id)
    return found


def _whole(dataset: Dataset) -> Iterator[str]:
    first, second = [_order(s) for s in dataset], [_order(s) for s in dataset]
    if first != second:
        yield "two iterations differ in order or content"
    if len(first) != len(dataset):
        yield f"iteration gives {len(first)} videos, len() is {len(dataset)}"
    yield from _twice("video id", [video for video, _, _ in first])
    if not dataset.protocols:
        yield "no scoring protocol"
    if not dataset.fingerprint or dataset.fingerprint != dataset.fingerprint:
        yield "the fingerprint is empty or changes"
    try:
        dataset.sample(_STRANGER)
        yield "sample() accepts an unknown video: raise DatasetError"
    except DatasetError:
        pass
    try:
        pickle.dumps(dataset)
    except Exception as error:  # pickling runs the dataset's own code: anything may come out
        yield f"cannot be pickled, which worker processes need ({error})"


def _video(dataset: Dataset, sample: Sample) -> Iterator[str]:
    video = sample.video
    yield from _twice("expression id", [e.id for e in sample.expressions])
    yield from _twice("frame", list(video.frame_names))
    if not len(video):
        yield "no frames"
        return
    if _order(dataset.sample(video.id)) != _order(sample):
        yield "sample() differs from iteration"
    frame = video.read(0)
    if frame.shape != (*video.size, 3) or frame.dtype != np.uint8:
        yield f"frame 0 is {frame.shape} {frame.dtype}, wanted {(*video.size, 3)} uint8"
    try:
        targets = {e.id: dataset.target(video.id, e.id) for e in sample.expressions}
        objects = dataset.objects(video.id)
    except NoGroundTruthError:
        return
    for expression, target in targets.items():
        yield from (f"expression {expression!r}: {p}" for p in _target(target, sample))
    yield from _sizes(objects, video.size)


def _target(target: Target, sample: Sample) -> Iterator[str]:
    if target.size != sample.video.size:
        yield f"the ground truth is {target.size}, the frames are {sample.video.size}"
    if list(target.annotated) != sorted(set(target.annotated)):
        yield f"annotated frames are not ascending: {target.annotated}"
    if not target.annotated or not set(target.annotated) <= set(range(len(sample.video))):
        yield f"annotated frames {target.annotated} of {len(sample.video)} frames"
    masks = dict(target.objects) | ({} if target.void is None else {"void": target.void})
    yield from _sizes(masks, target.size)
    for name, sequence in masks.items():
        if len(sequence) != len(target.annotated):
            yield f"{name!r} has {len(sequence)} masks for {len(target.annotated)} frames"


def _sizes(masks: Mapping[str, MaskSequence], size: tuple[int, int]) -> Iterator[str]:
    for name, sequence in masks.items():
        if sequence.size != size:
            yield f"masks of object {name!r} are {sequence.size}, the frames are {size}"


def _order(sample: Sample) -> tuple[str, tuple[str, ...], tuple[object, ...]]:
    return sample.video.id, sample.video.frame_names, sample.expressions


def _twice(what: str, names: list[str]) -> Iterator[str]:
    if len(set(names)) < len(names):
        yield f"{what} twice: {sorted({n for n in names if names.count(n) > 1})}"
