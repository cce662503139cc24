"""How much memory tracking needs besides the weights, in two measurements whose sum is the peak.

    python benchmarks/memory.py video                    64 tracks x 300 frames at 1080p
    python benchmarks/memory.py video --frames 1000 --tracks 16 --height 480 --width 854
    python benchmarks/memory.py step                     a frame of SAM2-L at 1024 px

`video` follows objects through a whole video. Frames, masks, tracks and the cached features have
the size that they have with SAM2-L, so that the feature budget is used to the full; the network
that computes is a small one, because SAM2-L would take days on a CPU. `step` runs SAM2-L itself,
with random weights: the encoder on one frame, and then one frame of as many objects as are computed
together by default, with full memories, while the memories of the other objects of a batch are held
too. Everything is single precision; on a GPU in half precision it is about half.

Peaks are of resident memory of the process, above what it held before.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recipes.tracker.network import tiny_config
from rvosbench.masks import pack
from rvosbench.models.sam2.checkpoint import build_sam2, original_config
from rvosbench.models.sam2.decoding import (
    FrameFeatures,
    decode,
    encode_frames,
    tracks_with_multimask,
)
from rvosbench.models.sam2.memory import MemoryBank
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Frame, Video
from rvosbench.tracks.config import Compute
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.prompts import Prompt, prompt_of

GIB = 2**30
LARGE_MAPS = ((1, 32, 256, 256), (1, 64, 128, 128), (1, 256, 64, 64))
"""Feature maps of SAM2-L at 1024 px."""


def say(text: str) -> None:
    """A line of the report."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def peak() -> int:
    """Most memory this process has ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def held() -> int:
    """Memory that this process holds now; where the system does not say, its peak."""
    statm = Path("/proc/self/statm")
    if not statm.is_file():
        return peak()
    return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


# A video ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class LargeFeatures:
    """A small Sam2 whose features are as large as those of SAM2-L."""

    small: Sam2

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.small, name)

    def encode(self, frame: Frame) -> FrameFeatures:
        """The small features in the corners of large maps."""
        maps = []
        for shape, level in zip(LARGE_MAPS, self.small.encode(frame).maps, strict=True):
            large = torch.ones(shape)
            large[tuple(slice(n) for n in level.shape)] = level
            maps.append(large)
        high, middle, low = maps
        return FrameFeatures((high, middle, low))

    def propagate(
        self,
        features: Callable[[int], FrameFeatures],
        n: int,
        frame: int,
        masks: NDArray[np.bool_],
        *,
        batch_size: int,
    ) -> Iterator[Any]:
        """Of the small network, with the corners."""
        side, dim = self.small.image_size, self.small.token_dim
        shapes = [(dim // 8, side // 4), (dim // 4, side // 8), (dim, side // 16)]

        def corners(index: int) -> FrameFeatures:
            maps = features(index).maps
            high, middle, low = (
                m[:, :c, :s, :s].contiguous() for m, (c, s) in zip(maps, shapes, strict=True)
            )
            return FrameFeatures((high, middle, low))

        return self.small.propagate(corners, n, frame, masks, batch_size=batch_size)


def noise(frames: int, size: tuple[int, int]) -> Video:
    """Coarse noise, a frame at a time."""
    ys, xs = (np.arange(n) * m // n for n, m in zip(size, (12, 20), strict=True))

    def read(index: int) -> Frame:
        coarse = np.random.default_rng(index).integers(0, 255, (12, 20, 3), np.uint8)
        return np.ascontiguousarray(coarse[ys][:, xs])

    return Video("v", tuple(f"{i:05d}" for i in range(frames)), read, lambda: size)


def squares(count: int, size: tuple[int, int]) -> list[Prompt]:
    """Prompts of the first frame."""
    prompts = []
    for index in range(count):
        mask = np.zeros(size, bool)
        x, y = (index % 8) * size[1] // 10, (index // 8) * size[0] // 10
        mask[y : y + size[0] // 5, x : x + size[1] // 5] = True
        prompts.append(prompt_of(0, pack(mask), size[1]))
    return prompts


def video(frames: Sequence[int], tracks: int, size: tuple[int, int], budget: int) -> None:
    """Peak of following many objects through videos of growing length."""
    torch.manual_seed(0)
    config = tiny_config(image_size=64)
    config.memory_attention_num_layers = 1
    sam2: Any = LargeFeatures(Sam2(build_sam2(config).requires_grad_(False), "random"))
    before, prompts = held(), squares(tracks, size)
    for length in frames:
        start = time.perf_counter()
        follower = Follower.of(sam2, noise(length, size), Compute(feature_budget=budget))
        found = follower.tracks(prompts, "grid")
        say(
            f"{len(found)} tracks x {length} frames at {size[1]}x{size[0]}: peak "
            f"{(peak() - before) / GIB:.3f} GiB besides the weights, "
            f"{time.perf_counter() - start:.0f} s, "
            f"{follower.features.encoded} encoder passes (uncompressed masks would be "
            f"{tracks * length * size[0] * size[1] / GIB:.1f} GiB)"
        )
        del follower, found


# A step of SAM2-L -------------------------------------------------------------------------------


def large_config() -> Any:  # noqa: ANN401 - transformers' type
    """SAM 2.0 Large, from the shape of its checkpoint."""
    name = "image_encoder.trunk"
    shapes = {f"{name}.blocks.{i}.norm1.weight": torch.empty(0) for i in range(48)}
    patch = torch.empty(144, 3, 7, 7, device="meta")
    return original_config({**shapes, f"{name}.patch_embed.proj.weight": patch})


def random_large() -> Sam2:
    """SAM2-L with random weights, made without the slow initialisation."""
    with torch.device("meta"):
        model = build_sam2(large_config()).requires_grad_(False)
    model = model.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.normal_(std=0.02, generator=generator)
    for buffer in model.buffers():
        buffer.zero_()
    return Sam2(model, "random")


def full_memory(sam2: Sam2, objects: int) -> MemoryBank:
    """As much as is ever remembered of `objects`, before frame 24."""
    bank = MemoryBank(sam2.model, 300, 0)
    config = sam2.model.config
    for frame in range(24 - 2 * config.num_maskmem, 24):
        bank.spatial[frame] = torch.randn(64 * 64, objects, 64).bfloat16()
    bank.spatial[0] = bank.spatial[23].clone()
    for frame in range(24):
        bank.pointers[frame] = torch.randn(objects, sam2.token_dim)
    return bank


def step(objects: int, batch: int) -> None:
    """Peaks of the encoder and of one frame of `objects`, for SAM2-L."""
    sam2 = random_large()
    model, before = sam2.model, held()
    objects = objects or min(sam2.objects_within(Compute().step_budget), batch)
    say(f"SAM2-L holds {before / GIB:.2f} GiB with the libraries")
    with torch.inference_mode():
        features = encode_frames(model, torch.randn(1, 3, 1024, 1024))
        say(f"encoder, one frame: peak {(peak() - before) / GIB:.2f} GiB")
        bank, _others = full_memory(sam2, objects), full_memory(sam2, max(batch - objects, 0))
        say(f"memories of {batch} objects and features of one frame: {(held() - before) / GIB:.2f}")
        top = bank.attend(features.maps[2], 24, 1)
        out = decode(model, features, top, None, multimask=tracks_with_multimask(model))
        full = torch.nn.functional.interpolate(out.logits[:, None], size=(1024, 1024))
        bank.remember(features, full.sigmoid(), out.presence[:, None], out.pointers, 24)
        say(f"one frame of {objects} objects: peak {(peak() - before) / GIB:.2f} GiB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("what", choices=("video", "step"))
    add("--frames", type=int, nargs="+", default=[300])
    add("--tracks", type=int, default=64)
    add("--height", type=int, default=1080)
    add("--width", type=int, default=1920)
    add("--feature-budget", type=int, default=Compute().feature_budget, help="bytes")
    add("--objects", type=int, default=0, help="computed together; 0 is the default")
    given = parser.parse_args(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if given.what == "video":
        video(given.frames, given.tracks, (given.height, given.width), given.feature_budget)
    else:
        step(given.objects, Compute().batch_size)


if __name__ == "__main__":
    main()
