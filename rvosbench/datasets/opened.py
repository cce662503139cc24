"""One opened split: what every loader of this package finds on disk, and returns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rvosbench.datasets.frames import found_in, video
from rvosbench.datasets.ground_truth import LabelTruth, RleTruth
from rvosbench.datasets.meta import Clip
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError, did_you_mean
from rvosbench.masks import MaskSequence
from rvosbench.records import Sample, Target


@dataclass(frozen=True)
class OpenedSplit:
    """A dataset split on disk; satisfies `rvosbench.contracts.Dataset`.

    Attributes:
        name, split, protocols: as in the contract.
        clips: video id -> what the meta file says, in dataset order.
        frames: folder that holds one folder of frames a video.
        truth: where masks come from; None on a hidden split.
        hidden: why there is no ground truth, and what to do, for the error message.
    """

    name: str
    split: str
    protocols: tuple[str, ...]
    clips: Mapping[str, Clip] = field(repr=False)
    frames: Path
    truth: LabelTruth | RleTruth | None = field(default=None, repr=False)
    hidden: str = ""

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(video_id) for video_id in self.clips)

    def sample(self, video_id: str) -> Sample:
        """One video and its expressions; raises DatasetError for an unknown video."""
        clip = self._clip(video_id)
        frames = video(self.name, clip.id, self.frames / clip.id, clip.frame_names)
        return Sample(frames, clip.expressions)

    def target(self, video_id: str, expression_id: str) -> Target:
        """The truth of an expression; only its own objects are read where the format allows.

        Raises:
            DatasetError: unknown video or expression.
            NoGroundTruthError: the split is hidden.
            AnnotationError: masks that are missing or do not fit the frames.
        """
        clip = self._clip(video_id)
        known = [e.id for e in clip.expressions]
        if expression_id not in known:
            raise DatasetError(
                f"{self.name} {self.split}: video {video_id!r} has no expression "
                f"{expression_id!r}, it has {', '.join(known)}"
            )
        truth = self._truth()
        wanted = (clip.objects or {})[expression_id]
        return truth.target(clip, wanted, self._size(clip))

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        """All annotated objects of a video; raises as `target`."""
        clip = self._clip(video_id)
        return self._truth().target(clip, None, self._size(clip)).objects

    def referents(self, video_id: str) -> Mapping[str, tuple[str, ...]] | None:
        """Expression id -> object ids, without reading masks; None on a hidden split."""
        clip = self._clip(video_id)
        return None if self.truth is None else clip.objects

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of expressions, frame names, object ids and the identity of the masks.

        The same for any root folder, any layout of the same data and any order of videos; frames
        are not looked at. Computed on first use: it lists the mask folders or hashes the mask file.
        """
        clips = sorted(self.clips.values(), key=lambda clip: clip.id)
        masks = self.truth.identity(clips) if self.truth else None
        content = {"clips": [clip.content() for clip in clips], "masks": masks}
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def _clip(self, video_id: str) -> Clip:
        if video_id not in self.clips:
            raise DatasetError(
                f"{self.name} {self.split} has no video {video_id!r}"
                f"{did_you_mean(video_id, self.clips)}; it has {len(self.clips)} videos"
            )
        return self.clips[video_id]

    def _truth(self) -> LabelTruth | RleTruth:
        if self.truth is None:
            raise NoGroundTruthError(f"{self.name} {self.split} has no ground truth: {self.hidden}")
        return self.truth

    def _size(self, clip: Clip) -> tuple[int, int] | None:
        """Frame size; None without frames, so that predictions can be scored by masks alone."""
        if not (self.frames / clip.id).is_dir():
            return None
        return self.sample(clip.id).video.size


def find_root(
    dataset: str, root: Path | None, markers: Sequence[str], nested: Sequence[str] = ()
) -> Path:
    """The folder that holds one of `markers`: `root`, or a child of it called as in `nested`.

    Args:
        dataset: name for messages.
        root: what the user passed.
        markers: paths below the root of which at least one must exist.
        nested: usual names of the root itself, accepted when the user passed its parent.

    Raises:
        UsageError: no root.
        DatasetError: none is there; names the right level if it is close by.
    """
    root = given(dataset, root)
    for folder in (root, *(root / name for name in nested)):
        if _holds(folder, markers):
            return folder
    wanted = " or ".join(markers)
    close = [*list(root.resolve().parents)[:3], *sorted(p for p in root.iterdir() if p.is_dir())]
    for near in close:
        if _holds(near, markers):
            raise DatasetError(
                f"{dataset}: {root} is the wrong level: {near} holds {wanted}; pass that folder"
            )
    raise DatasetError(
        f"{dataset}: wanted {wanted} below {root}, found {found_in(root)}. "
        "docs/datasets.md shows the layout"
    )


def given(dataset: str, root: Path | None) -> Path:
    """`root`, or a UsageError for None."""
    if root is None:
        raise UsageError(f"dataset {dataset!r} needs its folder: --data DIR, or root=... in Python")
    return root


def required(dataset: str, path: Path, advice: str, folder: bool = False) -> Path:
    """`path` if it is a file, or a folder; otherwise a DatasetError that ends with `advice`."""
    if path.is_dir() if folder else path.is_file():
        return path
    there = found_in(path.parent)
    raise DatasetError(f"{dataset}: {path} is missing (its folder has {there}): {advice}")


def _holds(folder: Path, markers: Sequence[str]) -> bool:
    return any((folder / marker).exists() for marker in markers)
