"""Training batches of the grounder: frames of MotionShapes, captions, and the cells they mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recipes.appearance import CELLS, NO_LOOK, VISIBLE, look_of
from recipes.grounder.captions import (
    Caption,
    Rng,
    Wordings,
    absent_noun,
    noun_caption,
    random_noun,
    sentence_caption,
)
from rvosbench.demo.clips import ClipConfig, make_clip
from rvosbench.demo.scenes import ShapeObject
from rvosbench.models.frames import normalise

CORE = 0.6  # cells so near to the centre of a box, in half sides, give the box
EDGE_SCORE = 0.3  # score wanted of a cell at the edge of a box; 1 at the centre
MOST = 5  # shapes in a frame


@dataclass(frozen=True, eq=False)
class Still:
    """One frame (S, S, 3) uint8, the owner of each pixel (S, S) int8 (-1: nobody), its shapes."""

    pixels: NDArray[np.uint8]
    owner: NDArray[np.int8]
    shapes: tuple[ShapeObject, ...]

    @property
    def areas(self) -> NDArray[np.int64]:
        """Visible pixels of every shape."""
        return np.bincount(self.owner.ravel() + 1, minlength=len(self.shapes) + 1)[1:]

    @property
    def boxes(self) -> NDArray[np.float32]:
        """Boxes of the visible pixels, (N, 4) centre and size in frame sides; 0 where unseen."""
        found = np.zeros((len(self.shapes), 4), np.float32)
        for i in range(len(self.shapes)):
            rows, columns = ((self.owner == i).any(axis).nonzero()[0] for axis in (1, 0))
            if len(rows):
                low = np.array([columns[0], rows[0]]) / self.owner.shape[0]
                high = np.array([columns[-1] + 1, rows[-1] + 1]) / self.owner.shape[0]
                found[i] = [*(low + high) / 2, *(high - low)]
        return found

    def turned(self, rng: Rng) -> Still:
        """One of the eight mirrorings and quarter turns."""
        pixels, owner = self.pixels, self.owner
        if rng.random() < 0.5:
            pixels, owner = pixels[:, ::-1], owner[:, ::-1]
        turns = int(rng.integers(4))
        return Still(np.rot90(pixels, turns), np.rot90(owner, turns), self.shapes)


def draw_stills(seed: tuple[int, ...], size: int, count: int) -> list[Still]:
    """`count` frames of one clip, far apart in time."""
    step = 0.9 / max(count, 2)
    clip = make_clip(seed, ClipConfig(size, count, step=step), with_expressions=False)
    none = np.full((1, *clip.masks.shape[1:]), 0.5)
    owner = np.concatenate([none, clip.masks]).argmax(0).astype(np.int8) - 1
    return [Still(f, o, clip.objects) for f, o in zip(clip.frames, owner, strict=True)]


@dataclass(frozen=True)
class GroundingBatch:
    """F frames with C captions each; caption rows come frame by frame, B = F * C.

    Attributes:
        pixels: (F, 3, S, S) normalised.
        ids, attention: (B, T) tokens.
        named: (B, T) bool, words of the noun phrase.
        meant: (B, MOST) bool, shapes that the noun phrase covers, seen well enough.
        unsure: (B, MOST) bool, shapes that it covers and that are hardly seen.
        boxes: (F, MOST, 4) centre and size in frame sides.
        seen: (F, MOST) bool, shapes seen well enough.
        owner: (F, L) shape at the centre of each cell of all maps; -1 nobody.
        core: (F, L) bool, cells near the centre of their shape.
        central: (F, L) score wanted of a cell that belongs to a meant shape, EDGE_SCORE to 1.
        looks: (F, 3, L) index of the colour, shape, texture at each cell; NO_LOOK in most.
    """

    pixels: Tensor
    ids: Tensor
    attention: Tensor
    named: Tensor
    meant: Tensor
    unsure: Tensor
    boxes: Tensor
    seen: Tensor
    owner: Tensor
    core: Tensor
    central: Tensor
    looks: Tensor


@dataclass
class Pool:
    """Frames kept for a while: a drawn one serves several times, turned and with other captions."""

    size: int
    capacity: int = 4000
    stills: list[Still] = field(default_factory=list)
    drawn: int = 0

    def draw(self, rng: Rng, count: int = 3) -> None:
        """Add frames of a fresh clip, in place of the oldest ones if full."""
        seed = (8, *(int(v) for v in rng.integers(2**31, size=2)))
        for still in draw_stills(seed, self.size, count):
            if not (still.areas >= VISIBLE).any():
                continue
            if len(self.stills) < self.capacity:
                self.stills.append(still)
            else:
                self.stills[self.drawn % self.capacity] = still
            self.drawn += 1

    def sample(self, count: int, rng: Rng) -> list[Still]:
        """Frames at random, turned."""
        return [self.stills[i].turned(rng) for i in rng.integers(len(self.stills), size=count)]


def captions_of(still: Still, count: int, wordings: Wordings, rng: Rng) -> list[Caption]:
    """Random captions: a fifth means nothing in the frame, half are whole sentences."""
    seen = [s for s, a in zip(still.shapes, still.areas, strict=True) if a >= VISIBLE]
    found: list[Caption] = []
    while len(found) < count:
        noun = absent_noun(still.shapes, rng) if rng.random() < 0.2 else None
        noun = noun or random_noun(seen[int(rng.integers(len(seen)))], rng)
        plural = rng.random() < (0.5 if sum(noun.covers(s) for s in seen) > 1 else 0.05)
        if rng.random() < 0.5:
            found.append(noun_caption(noun, plural, rng))
        else:
            others = [random_noun(s, rng) for s in seen]
            found.append(sentence_caption(noun, plural, others, wordings, rng))
    return found


def collate(
    stills: list[Still], captions: list[list[Caption]], vocabulary: dict[str, int]
) -> GroundingBatch:
    """Tensors of frames with equally many captions each."""
    rows = [(s, c) for s, many in zip(stills, captions, strict=True) for c in many]
    ids, attention, named = _tokens([c for _, c in rows], vocabulary)
    cover = np.zeros((2, len(rows), MOST), bool)
    for row, (still, caption) in enumerate(rows):
        for i, (shape, area) in enumerate(zip(still.shapes, still.areas, strict=True)):
            if area and caption.noun.covers(shape):
                cover[int(area < VISIBLE), row, i] = True
    boxes = np.zeros((len(stills), MOST, 4), np.float32)
    seen = np.zeros((len(stills), MOST), bool)
    for f, still in enumerate(stills):
        boxes[f, : len(still.shapes)] = still.boxes
        seen[f, : len(still.shapes)] = still.areas >= VISIBLE
    cells = [_cells(s, b) for s, b in zip(stills, boxes, strict=True)]
    owner, core, central, looks = (np.stack(part) for part in zip(*cells, strict=True))
    return GroundingBatch(
        normalise(torch.from_numpy(np.stack([s.pixels for s in stills]))),
        ids,
        attention,
        named,
        torch.from_numpy(cover[0]),
        torch.from_numpy(cover[1]),
        torch.from_numpy(boxes),
        torch.from_numpy(seen),
        torch.from_numpy(owner),
        torch.from_numpy(core),
        torch.from_numpy(central),
        torch.from_numpy(looks),
    )


def _tokens(captions: list[Caption], vocabulary: dict[str, int]) -> tuple[Tensor, Tensor, Tensor]:
    longest = max(len(c.words) for c in captions) + 3
    ids = torch.zeros(len(captions), longest, dtype=torch.long)
    attention, named = torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.bool)
    for row, caption in enumerate(captions):
        tokens = ["[CLS]", *caption.words, ".", "[SEP]"]
        ids[row, : len(tokens)] = torch.tensor([vocabulary[t] for t in tokens])
        attention[row, : len(tokens)] = 1
        named[row, caption.begin + 1 : caption.end + 1] = True
    return ids, attention, named


def _cells(
    still: Still, boxes: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float32], NDArray[np.int64]]:
    """Owner, core, central (L,) and looks (3, L) of the cells of all maps."""
    size = still.owner.shape[0]
    names = [look_of(shape) for shape in still.shapes]
    table = np.array([*names, (NO_LOOK,) * 3])
    owners, cores, centrals = [], [], []
    for cell in CELLS:
        owner = still.owner[cell // 2 :: cell, cell // 2 :: cell].astype(np.int64)
        centre = (np.arange(size // cell) + 0.5) * cell / size
        place = np.stack(np.broadcast_arrays(centre[None, :], centre[:, None]), -1)
        box = boxes[owner]  # nobody's box is the last one's, and never used
        off = (np.abs(place - box[..., :2]) / np.maximum(box[..., 2:] / 2, 1e-6)).max(-1)
        near = (off <= CORE) & (owner >= 0)
        if cell == CELLS[0]:
            lone = [i for i in range(len(names)) if not (near & (owner == i)).any()]
            near |= np.isin(owner, lone)
        owners.append(owner.ravel())
        cores.append(near.ravel())
        centrals.append((1 - (1 - EDGE_SCORE) * np.clip(off, 0, 1)).ravel().astype(np.float32))
    owner = np.concatenate(owners)
    return owner, np.concatenate(cores), np.concatenate(centrals), table[owner].T
