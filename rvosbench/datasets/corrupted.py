"""A corrupted dataset is a dataset: the same sentences and masks, frames corrupted when read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.storage import MANIFEST, read_manifest
from rvosbench.datasets.evidence import frame_evidence
from rvosbench.datasets.health import Catalogued
from rvosbench.datasets.listing import video_ids
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError
from rvosbench.masks import MaskSequence
from rvosbench.records import Frame, FrameEvidence, Sample, Target, Video


@dataclass(frozen=True)
class _Delegating:
    """Everything but the frames as the clean dataset has it."""

    dataset: Dataset

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
        """Of the clean dataset: sentences and masks are the same. See `corruption`."""
        return self.dataset.fingerprint

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[Sample]:
        return (self._changed(sample) for sample in self.dataset)

    def video_ids(self) -> list[str]:
        """Of the clean dataset."""
        return video_ids(self.dataset)

    def sample(self, video_id: str) -> Sample:
        """One video, its frames corrupted; raises DatasetError for an unknown one."""
        return self._changed(self.dataset.sample(video_id))

    def target(self, video_id: str, expression_id: str) -> Target:
        """The clean dataset's truth."""
        return self.dataset.target(video_id, expression_id)

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        """The clean dataset's objects."""
        return self.dataset.objects(video_id)

    def referents(self, video_id: str) -> Mapping[str, tuple[str, ...]] | None:
        """Expression id -> object ids; None on a hidden split."""
        if isinstance(self.dataset, Catalogued):
            return self.dataset.referents(video_id)
        expressions = self.dataset.sample(video_id).expressions
        try:
            return {e.id: tuple(self.target(video_id, e.id).objects) for e in expressions}
        except NoGroundTruthError:
            return None

    def frame_evidence(self, video_id: str, expression_id: str) -> FrameEvidence:
        """The clean dataset's; raises DatasetError if it does not say it."""
        return frame_evidence(self.dataset, video_id, expression_id)

    def _changed(self, sample: Sample) -> Sample:
        return sample


@dataclass(frozen=True)
class CorruptedDataset(_Delegating):
    """A dataset whose frames are corrupted on the fly; nothing is written.

    Attributes:
        dataset: the clean one.
        plan: which corruption, how strong, which seed.
    """

    plan: Plan

    @cached_property
    def corruption(self) -> str:
        """The plan in one line: part of signatures, and of the key of cached tracks."""
        return self.plan.signature

    def _changed(self, sample: Sample) -> Sample:
        read = CorruptedRead(self.plan, sample.video)
        return replace(sample, video=replace(sample.video, read=read))


@dataclass(frozen=True)
class CorruptedRead:
    """Reads and corrupts one frame; what `Video.read` of a corrupted video is.

    Its attributes tell a cache of tracks the clean frames and the corruption, without looking at a
    pixel.
    """

    plan: Plan
    video: Video

    def __call__(self, index: int) -> Frame:
        """Frame `index`, corrupted."""
        from rvosbench.corruptions.video import corrupted_frame  # compiles loops: only to read

        name = self.video.frame_names[index]
        return corrupted_frame(self.plan, self.video.id, name, index, self.video.read(index))


@dataclass(frozen=True)
class CorruptedCopy(_Delegating):
    """A dataset opened from a copy that `rvosbench corrupt` has written.

    Attributes:
        dataset: as its loader opened it.
        corruption: what the copy's manifest says.
    """

    corruption: str


def corrupted(dataset: Dataset, plan: Plan) -> CorruptedDataset:
    """The dataset with corrupted frames.

    Raises:
        UsageError: it is corrupted already.
    """
    already = getattr(dataset, "corruption", None)
    if already:
        raise UsageError(f"{dataset.name}/{dataset.split} is corrupted already ({already})")
    return CorruptedDataset(dataset, plan)


def declared(dataset: Dataset, root: Path | None) -> Dataset:
    """The dataset, with its corruption if `root` holds a corrupted copy.

    Without this a result on a copy would carry the signature of a clean one, as sentences and masks
    are the same.

    Raises:
        DatasetError: the copy is of another split, or its manifest cannot be read.
    """
    if root is None or not (root / MANIFEST).is_file():
        return dataset
    content = read_manifest(root)
    source = content["source"]
    if source["fingerprint"] != dataset.fingerprint and source.get("layout") != "folder":
        raise DatasetError(
            f"{root} is a corrupted copy of {source['dataset']}/{source['split']}, opened as "
            f"{dataset.name}/{dataset.split}: only that split was corrupted"
        )
    return CorruptedCopy(dataset, content["corruption"])
