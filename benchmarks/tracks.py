"""What making candidate tracks costs: the released schedule against ours, in one run.

    python benchmarks/tracks.py flops            SAM2-L at 1024 px, counted, nothing computed
    python benchmarks/tracks.py speed            60 frames, 64 grid tracks, 14 x 8 boxes (5 minutes)
    python benchmarks/tracks.py speed --quick    a quarter of it (half a minute on a free core)

The released schedule resets its state for every group of prompts, so that every frame is encoded
again for each of them, and the tracker of `transformers` runs objects one by one. Ours encodes a
frame once and runs objects in batches. Both admit the same prompts by the same rules, with the
same resize; the run stops if a track differs. The network is random, with SAM2-L's ratio of
encoder to memory attention and its number of attention layers. Finding the prompts (grid,
grounder) costs the same on both sides and is not timed. Ratios are of the seconds that the process
itself computed on one core, which is the clock's time on a machine with nothing else to do; the
clock is printed beside. `benchmarks/memory.py` measures memory.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from recipes.tracker.network import tiny_config
from rvosbench.masks import pack
from rvosbench.models.sam2.checkpoint import build_sam2, original_config
from rvosbench.models.sam2.decoding import encode_frames
from rvosbench.models.sam2.propagation import propagate
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Expression, Frame, Sample, Track, Video
from rvosbench.tracks.boxes import box_tracks
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.grid import grid_tracks
from rvosbench.tracks.prompts import Prompt, Rules, largest_first, prompt_of

LARGE_RATIO = 1825 / 606
"""Encoder to memory attention of SAM2-L at 1024 px, in FLOPs."""


def network_config() -> Any:  # noqa: ANN401 - transformers' type
    """A small network with SAM2-L's proportions.

    It has four layers of memory attention, an encoder about three times as expensive as they are,
    and all else small.
    """
    config = tiny_config(image_size=96)
    config.memory_attention_num_layers = 4
    config.memory_fuser_intermediate_dim, config.memory_fuser_num_layers = 64, 1
    backbone = config.vision_config.backbone_config
    backbone.blocks_per_stage, backbone.global_attention_blocks = [1, 2, 6, 1], [7]
    return config


def say(text: str) -> None:
    """A line of the report."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# The load ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """A video like those of MeViS, and how many prompts it gets."""

    frames: int
    grid: int
    expressions: int
    boxes: int
    distinct: int
    size: tuple[int, int] = (240, 426)

    @property
    def box_tracks(self) -> int:
        """Before equal ones are shared."""
        return self.expressions * self.boxes

    def sample(self) -> Sample:
        """Noise in which every prompt finds something else."""
        names = tuple(f"{i:05d}" for i in range(self.frames))
        video = Video("v", names, self._frame, lambda: self.size)
        texts = [f"sentence {i}" for i in range(self.expressions)]
        return Sample(video, tuple(Expression(str(i), t) for i, t in enumerate(texts)))

    def _frame(self, index: int) -> Frame:
        rng = np.random.default_rng(index)
        coarse = rng.integers(0, 255, (12, 20, 3), np.uint8)
        ys, xs = (np.arange(n) * m // n for n, m in zip(self.size, (12, 20), strict=True))
        return np.ascontiguousarray(coarse[ys][:, xs])

    def config(self) -> TrackConfig:
        """Every prompt is kept, so that the counts are those of the load."""
        return TrackConfig(iou_filter=1.0, max_grid_tracks=self.grid, max_box_tracks=self.boxes)

    def grid_prompts(self) -> list[Prompt]:
        """Rectangles in the first, middle and last prompted frames; finding them is not timed."""
        frames = self.config().prompt_frames(self.frames)
        each = -(-self.grid // len(frames))
        return [p for f in frames for p in largest_first(self._rectangles(f, 99, each))]

    def box_prompts(self) -> dict[str, list[Prompt]]:
        """Rectangles on every fourth frame; expressions that share objects share them all."""
        frames = self.config().box_frames(self.frames)
        each = -(-self.boxes // len(frames)) + 1
        found = {
            which: largest_first(p for f in frames for p in self._rectangles(f, which, each))
            for which in range(self.distinct)
        }
        return {str(i): found[i % self.distinct] for i in range(self.expressions)}

    def _rectangles(self, frame: int, which: int, count: int) -> Iterator[Prompt]:
        rng, (height, width) = np.random.default_rng((frame, which)), self.size
        for _ in range(count):
            mask = np.zeros(self.size, bool)
            x, y, w, h = rng.uniform((0, 0, 0.1, 0.1), (0.6, 0.6, 0.4, 0.4))
            box = np.array([x * width, y * height, (x + w) * width, (y + h) * height])
            left, top, right, bottom = box.astype(int)
            mask[top:bottom, left:right] = True
            yield prompt_of(frame, pack(mask), width, 0.5, box)


@dataclass(frozen=True)
class Prompts:
    """Of a load: those of the grid, and those of every expression."""

    grid: list[Prompt]
    boxes: dict[str, list[Prompt]]


def random_sam2() -> Sam2:
    """The network."""
    torch.manual_seed(0)
    model = build_sam2(network_config())
    return Sam2(model.requires_grad_(False), "random")


# Speed ------------------------------------------------------------------------------------------


@dataclass
class Count:
    """Encoder passes of a run, object-frames, and seconds in the encoder."""

    encoded: int = 0
    followed: int = 0
    encoding: float = 0.0


def released(sam2: Sam2, load: Load, prompts: Prompts, count: Count) -> list[Track]:
    """Group by group: frames encoded again for each, objects one by one."""
    lists = [(largest_first(prompts.grid), Rules(1.0, 4, load.grid), "grid")]
    boxes = Rules(1.0, 4, load.boxes, neighbours=True)
    lists += [(own, boxes, "box") for own in prompts.boxes.values()]
    video, tracks = load.sample().video, list[Track]()
    for own, rules, source in lists:
        for group in groups(own, rules):
            counting: Any = _Counting(sam2, count)
            follower = Follower.of(counting, video, Compute(batch_size=1))  # a state of its own
            tracks += follower.tracks(group, "grid" if source == "grid" else "box")
    return tracks


def groups(prompts: list[Prompt], rules: Rules) -> Iterator[list[Prompt]]:
    """Prompts that the released code propagates together; nothing is filtered in this load."""
    waiting, made = list(prompts), 0
    while waiting and made < rules.limit:
        frame = waiting[0].frame
        run = itertools.takewhile(lambda p: p.frame == frame, waiting)  # noqa: B023 - used at once
        same = list(run) if rules.neighbours else [p for p in waiting if p.frame == frame]
        group = same[: rules.room(made)]
        waiting = [p for p in waiting if not any(p is g for g in group)]
        made += len(group)
        yield group


def ours(sam2: Sam2, load: Load, prompts: Prompts, count: Count) -> list[Track]:
    """As `rvosbench tracks build` does it."""
    counting: Any = _Counting(sam2, count)
    follower = Follower.of(counting, load.sample().video, Compute())
    tracks = grid_tracks(follower, prompts.grid, load.config())
    return tracks + box_tracks(follower, prompts.boxes, load.config())


class _Counting:
    """A Sam2 that counts."""

    def __init__(self, sam2: Sam2, count: Count) -> None:
        self._sam2, self._count = sam2, count

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._sam2, name)

    def encode(self, frame: Frame) -> Any:  # noqa: ANN401
        start = time.process_time()
        features = self._sam2.encode(frame)
        self._count.encoded += 1
        self._count.encoding += time.process_time() - start
        return features

    def propagate(
        self,
        features: Any,  # noqa: ANN401
        n: int,
        frame: int,
        masks: Any,  # noqa: ANN401
        *,
        batch_size: int,
    ) -> Iterator[Any]:
        for output in self._sam2.propagate(features, n, frame, masks, batch_size=batch_size):
            self._count.followed += len(masks)
            yield output


def speed(quick: bool, boxes: str) -> None:
    """Time of both schedules, for boxes that are all different or shared by expressions."""
    encoder, attention = small_flops()
    ratio = encoder / attention
    say(
        f"network: encoder {encoder / 1e9:.2f} GFLOP, memory attention {attention / 1e9:.2f} "
        f"(ratio {ratio:.2f}, SAM2-L {LARGE_RATIO:.2f})"
    )
    if abs(ratio / LARGE_RATIO - 1) > 0.2:
        raise SystemExit("the small network no longer has SAM2-L's ratio within 20 %")
    plain = Load(24, 16, 4, 6, distinct=4) if quick else Load(60, 64, 14, 8, distinct=14)
    shared = replace(plain, distinct=max(plain.expressions // 7, 2))
    sam2 = random_sam2()
    for label, load in (("all boxes different", plain), ("boxes shared", shared)):
        if boxes not in (label.split()[-1], "both"):
            continue
        say(
            f"\n{label}: {load.frames} frames, {load.grid} grid tracks, {load.expressions} "
            f"expressions x {load.boxes} boxes"
        )
        compare(sam2, load)


def compare(sam2: Sam2, load: Load) -> None:
    """Both schedules on one load, and whether the tracks are the same."""
    rows: list[tuple[list[Track], float, Count]] = []
    prompts = Prompts(load.grid_prompts(), load.box_prompts())
    few = replace(load, frames=2, grid=1, expressions=1, boxes=1)
    ours(sam2, few, Prompts(prompts.grid[:1], {}), Count())  # compiles and imports what it needs
    for name, run in (("released", released), ("ours", ours)):
        count, clock, start = Count(), time.perf_counter(), time.process_time()
        tracks = run(sam2, load, prompts, count)
        seconds, wall = time.process_time() - start, time.perf_counter() - clock
        say(
            f"  {name:9} {seconds:7.1f} s (clock {wall:.1f})  {count.encoded:5} encoder passes in "
            f"{count.encoding:.1f} s  {count.followed:6} object-frames"
        )
        rows.append((tracks, seconds, count))
    check_same(rows[0][0], rows[1][0], load)
    times = rows[0][1] / rows[1][1]
    a, b = rows[0][2], rows[1][2]
    large = (1825 * a.encoded + 621 * a.followed) / (1825 * b.encoded + 621 * b.followed)
    say(f"  the same tracks {times:.1f} times faster; with SAM2-L {large:.1f} times fewer FLOPs")


def check_same(theirs: Sequence[Track], mine: Sequence[Track], load: Load) -> None:
    """Stops the run unless every expression has the same tracks in both."""
    grid = [t for t in theirs if t.source == "grid"]
    pairs = list(zip(grid, [t for t in mine if t.source == "grid"], strict=True))
    boxes = [t for t in theirs if t.source == "box"]
    for expression in range(load.expressions):
        own = [t for t in mine if t.source == "box" and t.serves(str(expression))]
        known = {(t.prompt_frame, t.prompt): t for t in own}
        part = boxes[expression * load.boxes : (expression + 1) * load.boxes]
        pairs += [(t, known[t.prompt_frame, t.prompt]) for t in part]
    pixels = load.size[0] * load.size[1] * load.frames
    for a, b in pairs:
        worst = float(np.abs(a.tokens - b.tokens).max())
        other = sum(int((x ^ y).sum()) for x, y in zip(a.masks, b.masks, strict=True)) / pixels
        if a.prompt != b.prompt or worst > 1e-2 or other > 1e-4:
            raise SystemExit(f"tracks differ: tokens by {worst}, masks in {other:.1e} of pixels")
    say(f"  {len(pairs)} pairs of tracks compared")


# FLOPs ------------------------------------------------------------------------------------------


def counted(run: Callable[[], object]) -> tuple[int, int]:
    """FLOPs (2 x MAC) in all, and in memory attention."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        run()
    parts: Mapping[Any, int] = counter.get_flop_counts().get("Sam2VideoMemoryAttention", {})
    return counter.get_total_flops(), sum(parts.values())


def network_flops(config: Any, device: str = "meta") -> tuple[int, list[tuple[int, int]]]:  # noqa: ANN401
    """FLOPs of the encoder, and of one object in frames 0 to 23: in all, memory attention."""
    with torch.device(device):
        model = build_sam2(config).requires_grad_(False)
    size = model.image_size
    with torch.no_grad():
        features = encode_frames(model, torch.empty(1, 3, size, size, device=device))
        encoder, _ = counted(
            lambda: encode_frames(model, torch.empty(1, 3, size, size, device=device))
        )
        mask = torch.ones(1, size, size, dtype=torch.bool, device=device)
        frames = propagate(model, lambda _: features, 24, 0, mask)
        return encoder, [counted(lambda: next(frames)) for _ in range(24)]


def small_flops() -> tuple[int, int]:
    """Encoder and memory attention of the small network."""
    encoder, frames = network_flops(network_config())
    return encoder, frames[-1][1]


def large_config() -> Any:  # noqa: ANN401
    """SAM 2.0 Large, from the shape of its checkpoint."""
    name = "image_encoder.trunk"
    shapes = {f"{name}.blocks.{i}.norm1.weight": torch.empty(0) for i in range(48)}
    patch = torch.empty(144, 3, 7, 7, device="meta")
    return original_config({**shapes, f"{name}.patch_embed.proj.weight": patch})


def flops() -> None:
    """FLOPs of both schedules for SAM2-L at 1024 px on the full load."""
    encoder, frames = network_flops(large_config())
    one, attention = frames[-1]
    say(
        f"SAM2-L at 1024 px, GFLOP: encoder {encoder / 1e9:.0f}; an object in a frame "
        f"{one / 1e9:.0f} with full memory, of it memory attention {attention / 1e9:.0f}"
    )
    load = Load(60, 64, 14, 8, distinct=14)
    video = sum(total for total, _ in frames) + (load.frames - len(frames)) * one
    groups = -(-load.grid // 4) + load.box_tracks
    theirs = groups * load.frames * encoder + (load.grid + load.box_tracks) * video
    say(f"released: {groups} prompt groups, {theirs / 1e15:.1f} PFLOP a video")
    for label, boxes in (("all boxes different", load.box_tracks), ("15 different boxes", 15)):
        mine = load.frames * encoder + (load.grid + boxes) * video
        say(f"ours, {label}: {mine / 1e15:.1f} PFLOP, {theirs / mine:.1f} times fewer")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("flops", "speed"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--boxes", choices=("different", "shared", "both"), default="different")
    given = parser.parse_args(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if given.what == "flops":
        flops()
    else:
        speed(given.quick, given.boxes)


if __name__ == "__main__":
    main()
