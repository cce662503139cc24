"""Training batches of the tracker: MotionShapes clips as tensors, with objects to prompt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recipes.appearance import CELLS, NO_LOOK, VISIBLE, look_of
from rvosbench.demo.clips import Clip, ClipConfig, make_clip
from rvosbench.models.frames import normalise
from rvosbench.models.sam2.decoding import FrameFeatures

TRIES = 8  # clips drawn in search of one that loses an object
PRESENT = 12  # pixels from which it counts as in the frame


@dataclass(frozen=True)
class BatchSpec:
    """Size of a batch: clips, frames a clip, most objects a clip, side of the frames in pixels."""

    clips: int
    frames: int
    objects: int
    size: int


@dataclass(frozen=True)
class ClipBatch:
    """C clips of T frames with N prompted objects.

    Attributes:
        pixels: (C, T, 3, S, S) normalised frames.
        owner: (N,) clip of each object.
        masks: (N, T, S, S) bool, visible pixels.
        colours: (N,) index in COLOURS.
        shapes: (N,) index in SHAPES.
        textures: (N,) index in TEXTURES.
        looks: for cells of 8 and of 16 pixels, (C, T, 3, S/8, S/8) and (C, T, 3, S/16, S/16):
            index of the colour, shape and texture seen most in each cell, NO_LOOK in most cells.
        covered: (C, T, S, S) bool, pixels that belong to any shape.
        prompt_frame: the frame in which every object is visible.
    """

    pixels: Tensor
    owner: Tensor
    masks: Tensor
    colours: Tensor
    shapes: Tensor
    textures: Tensor
    looks: tuple[Tensor, Tensor]
    covered: Tensor
    prompt_frame: int

    @property
    def areas(self) -> Tensor:
        """Visible pixels of every object in every frame, (N, T)."""
        return self.masks.flatten(2).sum(-1)


def sample_batch(spec: BatchSpec, rng: np.random.Generator, prompt_frame: int = 0) -> ClipBatch:
    """Fresh clips, half of them played backwards, with objects visible in `prompt_frame`."""
    drawn = [_draw(spec, rng, prompt_frame) for _ in range(spec.clips)]
    return _collate([d[0] for d in drawn], [d[1] for d in drawn], prompt_frame)


def pooled_rows(
    features: FrameFeatures, shape: tuple[int, int], owner: Tensor, frame: int
) -> FrameFeatures:
    """Features (C * T, ...) of all frames as rows of objects in one frame, (N, ...)."""
    row = owner * shape[1] + frame
    high, middle, low = (level[row] for level in features.maps)
    return FrameFeatures((high, middle, low))


def _draw(
    spec: BatchSpec, rng: np.random.Generator, prompt_frame: int
) -> tuple[Clip, NDArray[np.int64]]:
    """A clip and the objects to prompt; a third of the clips should lose one of them."""
    wants_loss = spec.frames > 1 and rng.random() < 0.3
    best: tuple[Clip, NDArray[np.int64]] | None = None
    for _ in range(TRIES):
        clip = _clip(spec, rng)
        areas = clip.masks.sum((2, 3))
        visible = rng.permutation(np.flatnonzero(areas[:, prompt_frame] >= VISIBLE))
        lost = areas[visible].min(axis=1, initial=VISIBLE) == 0
        if len(visible):
            best = clip, np.concatenate([visible[lost], visible[~lost]])[: spec.objects]
        if best and (lost.any() or not wants_loss):
            break
    return best or _draw(spec, rng, prompt_frame)


def _clip(spec: BatchSpec, rng: np.random.Generator) -> Clip:
    seed = (7, *(int(v) for v in rng.integers(2**31, size=2)))
    longest = 1 / max(spec.frames - 1, 10)  # a clip must fit into the programme
    config = ClipConfig(spec.size, spec.frames, step=float(rng.uniform(0.05, longest)))
    clip = make_clip(seed, config, with_expressions=False)
    if rng.random() < 0.5:
        return clip
    return replace(clip, frames=clip.frames[::-1], masks=clip.masks[:, ::-1])


def _collate(clips: list[Clip], picks: list[NDArray[np.int64]], prompt_frame: int) -> ClipBatch:
    frames = np.stack([c.frames for c in clips])
    masks = np.concatenate([c.masks[p] for c, p in zip(clips, picks, strict=True)])
    named = torch.tensor(
        [look_of(c.objects[i]) for c, p in zip(clips, picks, strict=True) for i in p]
    )
    looks = [torch.from_numpy(np.stack([_looks(c, cell) for c in clips])) for cell in CELLS]
    covered = np.stack([c.masks.any(0) for c in clips])
    return ClipBatch(
        pixels=normalise(torch.from_numpy(frames)),
        owner=torch.from_numpy(np.repeat(np.arange(len(clips)), [len(p) for p in picks])),
        masks=torch.from_numpy(masks),
        colours=named[:, 0],
        shapes=named[:, 1],
        textures=named[:, 2],
        looks=(looks[0], looks[1]),
        covered=torch.from_numpy(covered),
        prompt_frame=prompt_frame,
    )


def _looks(clip: Clip, cell: int) -> NDArray[np.int64]:
    """Look of the object that covers most of each cell, if it covers a quarter."""
    n, frames, size, _ = clip.masks.shape
    grid = (n, frames, size // cell, cell, size // cell, cell)
    share = clip.masks.reshape(grid).mean((3, 5))
    names = [look_of(o) for o in clip.objects]
    seen = np.moveaxis(np.array(names)[share.argmax(0)], -1, 1)
    return np.where(share.max(0)[:, None] >= 0.25, seen, NO_LOOK)
