"""A corrupted dataset is a dataset: the same expressions and masks, other frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.capabilities import corruption_of
from rvosbench.datasets.corrupted_copy import CorruptedCopy
from rvosbench.errors import DatasetError, UsageError
from rvosbench.masks import MaskSequence
from rvosbench.recipe import digest
from rvosbench.records import Frame, Json, Sample, Target, Video


@dataclass(frozen=True)
class CorruptedDataset:
    """A dataset with other frames; satisfies `rvosbench.contracts.Dataset`.

    All that is not said here, such as `video_ids` or `referents`, is asked of the clean dataset.

    Attributes:
        dataset: the clean one; its fingerprint counts, as expressions and masks are the same.
        corruption: what was done, in one line: part of signatures, and of the recipe of tracks.
        change: makes the corrupted video of a video of `dataset`.
    """

    dataset: Dataset
    corruption: str
    change: Callable[[Video], Video]

    def __getattr__(self, name: str) -> object:
        """Whatever else the clean dataset has, but where its clean frames lie."""
        if name in ("dataset", "frames") or name.startswith("_"):  # not yet there, or not the same
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.dataset, name)

    @property
    def name(self) -> str:
        """Of the clean dataset."""
        return self.dataset.name

    @property
    def split(self) -> str:
        """Of the clean dataset."""
        return self.dataset.split

    @property
    def protocols(self) -> tuple[str, ...]:
        """Of the clean dataset."""
        return self.dataset.protocols

    @property
    def fingerprint(self) -> str:
        """Of the clean dataset."""
        return self.dataset.fingerprint

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[Sample]:
        return (self._changed(sample) for sample in self.dataset)

    def sample(self, video_id: str) -> Sample:
        """One video, its frames corrupted; raises DatasetError for an unknown one."""
        return self._changed(self.dataset.sample(video_id))

    def target(self, video_id: str, expression_id: str) -> Target:
        """The clean dataset's ground truth."""
        return self.dataset.target(video_id, expression_id)

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        """The clean dataset's objects."""
        return self.dataset.objects(video_id)

    def _changed(self, sample: Sample) -> Sample:
        return replace(sample, video=self.change(sample.video))


def corrupted(dataset: Dataset, plan: Plan) -> CorruptedDataset:
    """The dataset with corrupted frames.

    Raises:
        UsageError: it is corrupted already.
    """
    already = corruption_of(dataset)
    if already:
        raise UsageError(f"{dataset.name}/{dataset.split} is corrupted already ({already})")
    return CorruptedDataset(dataset, plan.signature, partial(_read_corrupted, plan))


def declared(dataset: Dataset, root: Path | None) -> Dataset:
    """The dataset, with its corruption if `root` holds a corrupted copy.

    Without this a result on a copy would carry the signature of a clean one, as expressions and
    masks are the same.

    Raises:
        DatasetError: the copy is of another split, or its manifest cannot be read.
    """
    if root is None or not CorruptedCopy(root).finished:
        return dataset
    content = CorruptedCopy(root).manifest()
    source = content["source"]
    if source["fingerprint"] != dataset.fingerprint and source.get("layout") != "folder":
        raise DatasetError(
            f"{root} is a corrupted copy of {source['dataset']}/{source['split']}, opened as "
            f"{dataset.name}/{dataset.split}: only that split was corrupted"
        )
    corruption = content["corruption"]
    change = partial(_copied, corruption, content.get("frames", {}))
    return CorruptedDataset(dataset, corruption, change)


def _read_corrupted(plan: Plan, video: Video) -> Video:
    identify = partial(_identify_corrupted, plan.signature, video)
    return replace(video, read=CorruptedRead(plan, video), identify=identify)


@dataclass(frozen=True)
class CorruptedRead:
    """What `Video.read` of a video is whose frames are corrupted when read.

    Its attributes tell track files of format 1 the clean frames and the corruption.
    """

    plan: Plan
    video: Video

    def __call__(self, index: int) -> Frame:
        """Frame `index`, corrupted."""
        from rvosbench.corruptions.video import corrupted_frame  # compiles loops: only to read

        name = self.video.frame_names[index]
        return corrupted_frame(self.plan, self.video.id, name, index, self.video.read(index))


def _identify_corrupted(corruption: str, video: Video) -> str:
    """Of the clean frames, and the corruption; no pixel is looked at."""
    return digest([video.identity, corruption])


def _copied(corruption: str, frames: Mapping[str, Json], video: Video) -> Video:
    written = frames.get(video.id, {})
    return replace(video, identify=partial(_identify_copied, corruption, written, video))


def _identify_copied(corruption: str, written: Mapping[str, str], video: Video) -> str:
    """As of frames that are corrupted when they are read, while the copy's are what was written."""
    if written.get("copy") != video.identity:
        return video.identity
    return digest([written["clean"], corruption])
