"""One opened split: what every loader of this package returns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from rvosbench.datasets.frames import video
from rvosbench.datasets.meta import Clip
from rvosbench.errors import DatasetError, NoGroundTruthError, did_you_mean
from rvosbench.masks import MaskSequence
from rvosbench.records import Json, Sample, Target


class Truth(Protocol):
    """Where the masks of a split come from."""

    def target(self, clip: Clip, ids: Sequence[str] | None, size: tuple[int, int] | None) -> Target:
        """Masks of the objects `ids`, or of all objects of the video for None.

        `size` is that of the frames, None where the frames are not on disk.
        """

    def identity(self, clips: Sequence[Clip]) -> Json:
        """What tells two versions of the masks apart, without any absolute path."""


@dataclass(frozen=True)
class OpenedSplit:
    """A dataset split on disk; satisfies `rvosbench.contracts.Dataset`.

    Attributes:
        name: dataset name.
        split: split name.
        protocols: names of scoring protocols, the default first.
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
    truth: Truth | None = field(default=None, repr=False)
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
        content = {"clips": [_content(clip) for clip in clips], "masks": masks}
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def _clip(self, video_id: str) -> Clip:
        if video_id not in self.clips:
            raise DatasetError(
                f"{self.name} {self.split} has no video {video_id!r}"
                f"{did_you_mean(video_id, self.clips)}; it has {len(self.clips)} videos"
            )
        return self.clips[video_id]

    def _truth(self) -> Truth:
        if self.truth is None:
            raise NoGroundTruthError(f"{self.name} {self.split} has no ground truth: {self.hidden}")
        return self.truth

    def _size(self, clip: Clip) -> tuple[int, int] | None:
        """Frame size; None without frames, so that predictions can be scored by masks alone."""
        if not (self.frames / clip.id).is_dir():
            return None
        return self.sample(clip.id).video.size


def _content(clip: Clip) -> Json:
    objects = clip.objects or {}
    expressions = [
        [e.id, e.text, e.group, list(e.tags), list(objects.get(e.id, ()))] for e in clip.expressions
    ]
    return [clip.id, list(clip.frame_names), expressions]
