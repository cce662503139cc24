"""MotionShapes as a dataset: three splits of clips that exist only when they are looked at.

Nothing is stored: a video is drawn again from its number whenever it leaves a small cache. Splits
are made from different seeds. `VERSION` changes whenever a pixel or an expression could change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path

import numpy as np

from rvosbench.contracts import DatasetSpec
from rvosbench.datasets.capabilities import Table
from rvosbench.demo.check import mistakes
from rvosbench.demo.check.frame_evidence import glimpse
from rvosbench.demo.check.parser import read
from rvosbench.demo.check.statistics import tables
from rvosbench.demo.clips import Clip, ClipConfig, ClipExpression, make_clip
from rvosbench.demo.scenes import Shapes
from rvosbench.errors import DatasetError, UnknownNameError, did_you_mean
from rvosbench.masks import MaskSequence
from rvosbench.recipe import digest
from rvosbench.records import DatasetCard, Expression, Frame, FrameEvidence, Sample, Target, Video

NAME = "demo"
VERSION = "2"
SPLITS: Mapping[str, int] = {"valid": 24, "train": 2000, "test": 60}
"""Split -> number of videos."""

PROTOCOLS = ("mevis", "mevis-v2", "sola-released")
# A tracked video is dear, one more expression about it is not: there is much to train with.
CONFIGS = {"train": ClipConfig(n_expressions=30), "valid": ClipConfig(), "test": ClipConfig()}
"""Split -> what its clips are like."""

_SEEDS: Mapping[str, int] = {"train": 9001, "valid": 9002, "test": 9003}
"""First part of the seeds of a split; recipes that draw their own clips stay below 9000."""


@cache
def _numbers(split: str) -> Mapping[str, int]:
    """Video id -> its number, for all of a split, in order."""
    return {f"{split}-{number:04d}": number for number in range(SPLITS[split])}


@lru_cache(maxsize=4)
def _clip(split: str, number: int) -> Clip:
    return make_clip((_SEEDS[split], number), CONFIGS[split])


@lru_cache(maxsize=4096)
def _expressions(split: str, number: int) -> tuple[ClipExpression, ...]:
    """Kept longer than the clip: listing the expressions of a split would draw it all again."""
    return _clip(split, number).expressions


def _read(split: str, number: int, index: int) -> Frame:
    return np.array(_clip(split, number).frames[index])


def _measure(split: str) -> tuple[int, int]:
    return CONFIGS[split].size, CONFIGS[split].size


@dataclass(frozen=True)
class MotionShapes:
    """One split of MotionShapes; satisfies `rvosbench.contracts.Dataset`.

    Videos are called `valid-0003`, frames `00000` and so on, expressions and objects by their
    number. Objects are visible pixels; every frame is annotated.
    """

    split: str
    name: str = NAME
    protocols: tuple[str, ...] = PROTOCOLS

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of version, split, seed and clip configuration, which decide every pixel."""
        config = asdict(CONFIGS[self.split])
        config["n_sentences"] = config.pop("n_expressions")  # as it was called: old results agree
        content = {"version": VERSION, "split": self.split, "videos": len(self)}
        content |= {"seed": _SEEDS[self.split], "config": config}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()

    def __len__(self) -> int:
        return SPLITS[self.split]

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(video_id) for video_id in self.video_ids())

    def video_ids(self) -> list[str]:
        """Names of all videos, in order; draws nothing."""
        return list(_numbers(self.split))

    def sample(self, video_id: str) -> Sample:
        """One video and its expressions; raises DatasetError for an unknown video."""
        number = self._number(video_id)
        names = tuple(f"{index:05d}" for index in range(CONFIGS[self.split].n_frames))
        read = partial(_read, self.split, number)
        identify = partial(digest, [self.fingerprint, number])  # they decide every pixel
        video = Video(video_id, names, read, partial(_measure, self.split), identify)
        expressions = tuple(
            Expression(str(index), e.text, tags=(e.category,))
            for index, e in enumerate(_expressions(self.split, number))
        )
        return Sample(video, expressions)

    def target(self, video_id: str, expression_id: str) -> Target:
        """Visible pixels of the objects that an expression means; none for `no_target`.

        Raises:
            DatasetError: unknown video or expression.
        """
        self._text(video_id, expression_id)
        objects = self.objects(video_id)
        chosen = {name: objects[name] for name in self.referents(video_id)[expression_id]}
        annotated = tuple(range(CONFIGS[self.split].n_frames))
        return Target(_measure(self.split), annotated, chosen)

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        """Visible pixels of all objects of a video, back to front."""
        masks = _clip(self.split, self._number(video_id)).masks
        return {str(index): MaskSequence.from_arrays(mask) for index, mask in enumerate(masks)}

    def referents(self, video_id: str) -> Mapping[str, tuple[str, ...]]:
        """Expression id -> ids of the objects that it means."""
        expressions = _expressions(self.split, self._number(video_id))
        return {str(i): tuple(map(str, e.objects)) for i, e in enumerate(expressions)}

    def scene(self, video_id: str) -> Shapes:
        """True look and path of every object of `objects`, in its order; for analyses."""
        return _clip(self.split, self._number(video_id)).objects

    def frame_evidence(self, video_id: str, expression_id: str) -> FrameEvidence:
        """What one frame at a time tells of an expression's targets; raises as `target`."""
        clip = _clip(self.split, self._number(video_id))
        reading = read(self._text(video_id, expression_id))
        return glimpse(reading, clip.objects, clip.masks, clip.hidden)

    def problems(self, video_id: str) -> list[str]:
        """What is wrong with the expressions of a video, see `mistakes.problems`."""
        return list(mistakes.problems(_clip(self.split, self._number(video_id))))

    def details(self) -> list[Table]:
        """Numbers by category, and of the scenes."""
        return tables(_clip(self.split, number) for number in range(len(self)))

    def _text(self, video_id: str, expression_id: str) -> str:
        texts = {e.id: e.text for e in self.sample(video_id).expressions}
        if expression_id not in texts:
            raise DatasetError(
                f"{NAME} {self.split}: video {video_id!r} has no expression {expression_id!r}, "
                f"it has {', '.join(texts)}"
            )
        return texts[expression_id]

    def _number(self, video_id: str) -> int:
        known = _numbers(self.split)
        if video_id not in known:
            raise DatasetError(
                f"{NAME} {self.split} has no video {video_id!r}{did_you_mean(video_id, known)}; "
                f"it has {len(known)}, the first is {next(iter(known))}"
            )
        return known[video_id]


def open_demo(root: Path | None, split: str) -> MotionShapes:
    """Opens a split; `root` is not looked at, as there is nothing on disk.

    Raises:
        UnknownNameError: no such split.
    """
    if split not in SPLITS:
        raise UnknownNameError(f"split of {NAME}", split, SPLITS)
    return MotionShapes(split)


SPEC = DatasetSpec(
    splits=tuple(SPLITS),
    open=open_demo,
    card=DatasetCard(
        title="MotionShapes",
        licence="Apache-2.0, as the rest of this package",
        source="drawn by rvosbench.demo",
        layout="nothing: the clips are drawn when they are read",
    ),
    needs_root=False,
    aliases={"val": "valid"},
)
