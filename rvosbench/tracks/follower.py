"""From prompts to tracks through one video, whose frames are encoded once for everything."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import MaskSequence, Rle, pack
from rvosbench.models.sam2.decoding import FrameFeatures
from rvosbench.records import Track, Video
from rvosbench.tracks.config import Compute
from rvosbench.tracks.prompts import Prompt, Source, counts_of

if TYPE_CHECKING:
    import torch

    from rvosbench.models.sam2.tracker import Sam2


@dataclass(frozen=True, eq=False)
class Follower:
    """Tracks objects through one video; its frames are encoded once for all of them.

    Attributes:
        sam2: the frozen network.
        video: of at least one frame.
        features: of its frames.
        batch_size: objects that go through the video together; changes no result.
        step_size: of them, those computed together; changes no result.
    """

    sam2: Sam2
    video: Video
    features: FrameFeatureCache
    batch_size: int
    step_size: int

    @staticmethod
    def of(sam2: Sam2, video: Video, compute: Compute) -> Follower:
        """A follower that has not looked at the video yet."""
        features = FrameFeatureCache(sam2, video, compute)
        step_size = sam2.objects_within(compute.step_budget)
        return Follower(sam2, video, features, compute.batch_size, step_size)

    def shown(self, prompts: Sequence[Prompt]) -> list[bytes]:
        """Masks of prompts of one frame as the tracker shows them there: compressed counts."""
        frame, found = prompts[0].frame, []
        for start in range(0, len(prompts), self.batch_size):
            masks = _masks(prompts[start : start + self.batch_size])
            outputs = self.sam2.propagate(
                self.features, len(self.video), frame, masks, batch_size=self.step_size
            )
            found += [self._counts(logits) for logits in next(outputs).logits]
        return found

    def tracks(self, prompts: Sequence[Prompt], source: Source) -> list[Track]:
        """One track a prompt, all of one frame, in their order and without ids."""
        length, size = len(self.video), self.video.size
        masks: list[list[Rle | None]] = [[None] * length for _ in prompts]
        tokens = np.zeros((len(prompts), length, self.sam2.token_dim), np.float32)
        for start in range(0, len(prompts), self.batch_size):
            some = prompts[start : start + self.batch_size]
            for output in self.sam2.propagate(
                self.features, length, some[0].frame, _masks(some), batch_size=self.step_size
            ):
                pointers = output.pointers.float().cpu().numpy()
                tokens[start : start + len(some), output.frame] = pointers
                for row, logits in enumerate(output.logits, start):  # never N x H x W floats
                    counts = self._counts(logits)
                    masks[row][output.frame] = {"size": list(size), "counts": counts}
        return [
            Track(
                id="",
                masks=MaskSequence.from_rle(masks[row], size),
                score=prompt.score,
                tokens=tokens[row],
                source=source,
                prompt_frame=prompt.frame,
                prompt=prompt.place,
            )
            for row, prompt in enumerate(prompts)
        ]

    def _counts(self, logits: torch.Tensor) -> bytes:
        """A mask at the frame's size, compressed."""
        size = self.video.size
        mask = self.sam2.upscale(logits, size).cpu().numpy()
        return counts_of(pack(mask), size[1])


class FrameFeatureCache:
    """Features by frame index, kept up to the budget of `compute`; the last is always kept.

    What fits first stays: propagation runs through the video again and again, and dropping the
    oldest would drop every frame just before it is needed. Frames beyond the budget are written
    to a temporary file where a spill folder is given, and encoded again otherwise.
    """

    def __init__(self, sam2: Sam2, video: Video, compute: Compute | None = None) -> None:
        self._sam2, self._video = sam2, video
        self._compute = compute or Compute()
        self._kept: dict[int, FrameFeatures] = {}
        self._last: tuple[int, FrameFeatures] | None = None
        self._bytes = 0
        self._spilled = _Spill(Path(self._compute.spill)) if self._compute.spill else None
        self.encoded = 0
        """Encoder passes so far: the number of frames, while budget or spill lasts."""

    def __call__(self, index: int) -> FrameFeatures:
        """Features of frame `index`."""
        if index in self._kept:
            return self._kept[index]
        if self._last is not None and self._last[0] == index:
            return self._last[1]
        self._last = None  # its memory goes before that of the next is taken
        if self._spilled is not None and index in self._spilled:
            features = self._spilled.read(index, self._sam2.device)
        else:
            features = self._sam2.encode(self._video.read(index))
            self.encoded += 1
            self._keep(index, features)
        self._last = (index, features)
        return features

    def _keep(self, index: int, features: FrameFeatures) -> None:
        size = sum(level.numel() * level.element_size() for level in features.maps)
        if self._bytes + size <= self._compute.feature_budget:
            self._kept[index] = features
            self._bytes += size
        elif self._spilled is not None:
            self._spilled.write(index, features)


class _Spill:
    """Features in a temporary file, bit for bit; the file goes when the video is done."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as this
        weakref.finalize(self, self._file.close)
        self._places: dict[int, tuple[int, list[tuple[torch.Size, torch.dtype]]]] = {}

    def __contains__(self, index: int) -> bool:
        return index in self._places

    def write(self, index: int, features: FrameFeatures) -> None:
        import torch

        levels = [(level.shape, level.dtype) for level in features.maps]
        self._places[index] = self._file.seek(0, 2), levels
        for level in features.maps:
            raw = level.contiguous().flatten().view(torch.uint8).cpu()
            self._file.write(raw.numpy().tobytes())

    def read(self, index: int, device: str) -> FrameFeatures:
        place, levels = self._places[index]
        self._file.seek(place)
        high, middle, low = (self._level(*level).to(device) for level in levels)
        return FrameFeatures((high, middle, low))

    def _level(self, shape: torch.Size, dtype: torch.dtype) -> torch.Tensor:
        import torch

        content = bytearray(self._file.read(shape.numel() * dtype.itemsize))
        return torch.frombuffer(content, dtype=dtype).reshape(shape)


def _masks(prompts: Sequence[Prompt]) -> NDArray[np.bool_]:
    return np.stack([prompt.mask() for prompt in prompts])
