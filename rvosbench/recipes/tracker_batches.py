"""Training batches of the tracker: MotionShapes clips as tensors, with objects picked for prompts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rvosbench.adapters.sam2_propagation import FrameFeatures
from rvosbench.adapters.sam2_frames import normalise
from rvosbench.demo.clips import Clip, make_clip, training_config
from rvosbench.demo.shapes import COLOURS, SHAPES

COLOUR_INDEX = {name: i for i, name in enumerate(COLOURS)}
SHAPE_INDEX = {name: i for i, name in enumerate(SHAPES)}
VISIBLE = 40  # pixels from which an object can be prompted and described
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
        presence: (C, T, colours + shapes, S/16, S/16) which looks are seen in each cell, 0 or 1.
        covered: (C, T, S, S) bool, pixels that belong to any shape.
        prompt_frame: the frame in which every object is visible.
    """

    pixels: Tensor
    owner: Tensor
    masks: Tensor
    colours: Tensor
    shapes: Tensor
    presence: Tensor
    covered: Tensor
    prompt_frame: int

    @property
    def areas(self) -> Tensor:
        """Visible pixels of every object in every frame, (N, T)."""
        return self.masks.flatten(2).sum(-1)


def sample_batch(spec: BatchSpec, rng: np.random.Generator, prompt_frame: int = 0) -> ClipBatch:
    """Fresh clips, half of them played backwards, with objects visible in `prompt_frame`."""
    clips, picks = [], []
    while len(clips) < spec.clips:
        seed = (7, *(int(v) for v in rng.integers(2**31, size=2)))
        clip = make_clip(seed, training_config(spec.frames, spec.size), with_sentences=False)
        backwards = bool(rng.integers(2))
        frame = spec.frames - 1 - prompt_frame if backwards else prompt_frame
        visible = np.flatnonzero(clip.masks[:, frame].sum((1, 2)) >= VISIBLE)
        if len(visible):
            clips.append((clip, backwards))
            picks.append(rng.permutation(visible)[: spec.objects])
    return _collate(clips, picks, prompt_frame)


def pooled_rows(
    features: FrameFeatures, shape: tuple[int, int], owner: Tensor, frame: int
) -> FrameFeatures:
    """Features (C * T, ...) of all frames as rows of objects in one frame, (N, ...)."""
    high, middle, low = (m.unflatten(0, shape)[owner, frame] for m in features.maps)
    return FrameFeatures((high, middle, low))


def _collate(
    clips: list[tuple[Clip, bool]], picks: list[np.ndarray], prompt_frame: int
) -> ClipBatch:
    order = [slice(None, None, -1 if backwards else 1) for _, backwards in clips]
    frames = np.stack([c.frames[o] for (c, _), o in zip(clips, order, strict=True)])
    masks = np.concatenate(
        [c.masks[p][:, o] for (c, _), p, o in zip(clips, picks, order, strict=True)]
    )
    chosen = [c.objects[i] for (c, _), p in zip(clips, picks, strict=True) for i in p]
    looks = np.stack([_looks(c)[o] for (c, _), o in zip(clips, order, strict=True)])
    covered = np.stack([c.masks[:, o].any(0) for (c, _), o in zip(clips, order, strict=True)])
    return ClipBatch(
        pixels=normalise(torch.from_numpy(frames)),
        owner=torch.from_numpy(np.repeat(np.arange(len(clips)), [len(p) for p in picks])),
        masks=torch.from_numpy(masks),
        colours=torch.tensor([COLOUR_INDEX[o.colour] for o in chosen]),
        shapes=torch.tensor([SHAPE_INDEX[o.shape] for o in chosen]),
        presence=torch.from_numpy(looks),
        covered=torch.from_numpy(covered),
        prompt_frame=prompt_frame,
    )


def _looks(clip: Clip) -> np.ndarray:
    """Which colours and shapes cover a tenth of each 16-pixel cell, (T, 14, S/16, S/16) float."""
    n, frames, size, _ = clip.masks.shape
    cells = clip.masks.reshape(n, frames, size // 16, 16, size // 16, 16).mean((3, 5)) > 0.1
    seen = np.zeros((frames, len(COLOURS) + len(SHAPES), size // 16, size // 16), np.float32)
    for thing, where in zip(clip.objects, cells, strict=True):
        for channel in (COLOUR_INDEX[thing.colour], len(COLOURS) + SHAPE_INDEX[thing.shape]):
            seen[:, channel] = np.maximum(seen[:, channel], where)
    return seen
