"""What tests of corrupted copies share: a dataset without files, large frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from rvosbench.corruptions import Plan
from rvosbench.errors import DatasetError, NoGroundTruthError
from rvosbench.masks import MaskSequence
from rvosbench.records import Expression, Frame, Sample, Target, Video

PLAN = Plan("gaussian_noise", 3)
SIZE = (36, 48)
NAMES = ("00000", "00005", "00010")


def picture(index: int) -> Frame:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    planes = [(3 * x + 2 * y + 40 * index + 50 * c) % 256 for c in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


@dataclass(frozen=True)
class Generated:
    """A dataset without files: two videos, two objects, truth on two frames."""

    hidden: bool = False
    overlapping: bool = False
    videos: tuple[str, ...] = ("one", "two words")
    name: str = "generated"
    split: str = "valid"
    protocols: tuple[str, ...] = ("mevis",)
    fingerprint: str = "g1"
    referring: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"0": ("left",), "1": ("left", "right"), "2": ()}
    )

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(v) for v in self.videos)

    def sample(self, video_id: str) -> Sample:
        if video_id not in self.videos:
            raise DatasetError(f"no video {video_id!r}")
        expressions = tuple(Expression(i, f"text {i}", tags=("t",)) for i in self.referring)
        return Sample(Video(video_id, NAMES, picture, _size), expressions)

    def target(self, video_id: str, expression_id: str) -> Target:
        objects = self.objects(video_id)
        return Target(SIZE, (0, 2), {k: objects[k] for k in self.referring[expression_id]})

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        if self.hidden:
            raise NoGroundTruthError("hidden")
        left, right = np.zeros((2, *SIZE), bool), np.zeros((2, *SIZE), bool)
        left[:, 3:9, 3:9] = True
        right[:, 3:9, 6 if self.overlapping else 20 : 30] = True
        return {"left": MaskSequence.from_arrays(left), "right": MaskSequence.from_arrays(right)}


def _size() -> tuple[int, int]:
    return SIZE


def written(out: Path) -> dict[str, bytes]:
    """All files of a copy but its state."""
    files = (p for p in sorted(out.rglob("*")) if p.is_file() and ".corrupt" not in p.parts)
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in files}


def enlarge_frames(root: Path) -> Path:
    """The toys' frames are too small to corrupt."""
    for file in root.rglob("*"):
        if "JPEGImages" in file.parts and file.is_file():
            Image.fromarray(picture(len(file.stem))).save(file, quality=95)
    return root
