"""Measures of a trained tracker on held-out MotionShapes clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from recipes.appearance import PARTS, VISIBLE
from recipes.tracker.batches import PRESENT, BatchSpec, ClipBatch, pooled_rows, sample_batch
from recipes.tracker.losses import mask_ious, places
from recipes.tracker.steps import background_points, inner_points, jittered_boxes
from rvosbench.models.sam2.decoding import (
    FrameFeatures,
    FrameOutput,
    PromptOutput,
    decode_prompts,
    encode_frames,
)
from rvosbench.models.sam2.propagation import propagate
from sola.analysis.linear_probe import explained, predict_classes, predict_values

if TYPE_CHECKING:
    from transformers import Sam2VideoModel

Scores = dict[str, float]
EVALUATION_SEED = 20_000_001


@dataclass(frozen=True)
class ProbeRow:
    """Tracked pointers of one late frame with what they should tell, N objects."""

    pointers: Tensor
    colours: Tensor
    shapes: Tensor
    textures: Tensor
    places: Tensor


def evaluate_tracker(
    model: Sam2VideoModel, size: int, clips: int = 24, frames: int = 8, seed: int = EVALUATION_SEED
) -> Scores:
    """Propagation, copy-mask, box and point IoU, presence and predicted-IoU errors.

    The same clips every time. IoUs are means over the objects that are in the frame; `copy` is
    the prompted mask kept still; box and point IoU are those of the mask with the best predicted
    quality; `background` is the highest predicted quality of a click beside all shapes; `present`
    and `absent` are the shares of objects in and out of the frame that the tracker judges so. A
    measure without cases is left out.
    """
    rng = np.random.default_rng(seed)
    parts: dict[str, list[Tensor]] = {}
    for _ in range(max(1, clips // 4)):
        batch = sample_batch(BatchSpec(min(4, clips), frames, 4, size), rng)
        with torch.inference_mode():
            for name, values in _measure(model, batch, rng).items():
                parts.setdefault(name, []).append(values.float())
    joined = {name: torch.cat(found) for name, found in sorted(parts.items())}
    return {name: round(float(v.mean()), 4) for name, v in joined.items() if len(v)}


def _measure(
    model: Sam2VideoModel, batch: ClipBatch, rng: np.random.Generator
) -> dict[str, Tensor]:
    shape = (batch.pixels.shape[0], batch.pixels.shape[1])
    features = encode_frames(model, batch.pixels.flatten(0, 1))
    values = _propagation(model, batch, features)
    masks = batch.masks[:, 0]
    rows = pooled_rows(features, shape, batch.owner, 0)
    boxes = jittered_boxes(masks, rng, 0.0)[:, None]
    box = decode_prompts(model, rows, boxes=boxes, multimask=False)
    point = _click(model, rows, inner_points(masks, rng))
    empty = pooled_rows(features, shape, torch.arange(shape[0]), 0)
    beside = _click(model, empty, background_points(batch, rng))
    values["box"], _ = _best(box, masks)
    values["point"], predicted = _best(point, masks)
    values["iou_error"] = (predicted - values["point"]).abs()
    values["background"] = beside.iou[:, 0].amax(-1)
    return values


def _propagation(
    model: Sam2VideoModel, batch: ClipBatch, features: FrameFeatures
) -> dict[str, Tensor]:
    first = batch.masks[:, 0]
    found, copied, present, absent = [], [], [], []
    for out in _tracked(model, batch, features):
        if out.frame == 0:
            continue
        target, area = batch.masks[:, out.frame], batch.areas[:, out.frame]
        there = area >= PRESENT
        found.append(mask_ious(out.logits, target)[there])
        both = (first & target).flatten(1).sum(-1)
        either = (first | target).flatten(1).sum(-1)
        copied.append((both / either.clamp(min=1))[there])
        present.append((out.presence > 0)[there])
        absent.append((out.presence <= 0)[area == 0])
    values = {"track": found, "copy": copied, "present": present, "absent": absent}
    return {name: torch.cat(parts) for name, parts in values.items()}


def _tracked(
    model: Sam2VideoModel, batch: ClipBatch, features: FrameFeatures
) -> Iterator[FrameOutput]:
    """Propagation of the batch's objects from its first frame."""
    shape = (batch.pixels.shape[0], batch.pixels.shape[1])

    def rows(frame: int) -> FrameFeatures:
        return pooled_rows(features, shape, batch.owner, frame)

    return propagate(model, rows, shape[1], 0, batch.masks[:, 0])


def _click(model: Sam2VideoModel, rows: FrameFeatures, points: Tensor) -> PromptOutput:
    labels = torch.ones(len(points), 1, 1, dtype=torch.int32)
    return decode_prompts(model, rows, points=points[:, None, None], labels=labels, multimask=False)


def _best(output: PromptOutput, masks: Tensor) -> tuple[Tensor, Tensor]:
    predicted, index = output.iou[:, 0].max(-1)
    ious = mask_ious(output.logits[:, 0], masks[:, None])
    return ious.gather(1, index[:, None])[:, 0], predicted


def probe_pointers(
    model: Sam2VideoModel, size: int, clips: tuple[int, int] = (160, 60), frame: int = 5
) -> Scores:
    """Linear probes on layer-normalised pointers tracked for `frame` frames.

    Returns:
        Accuracy for colour, shape and texture, R2 for x, y and size, and the median distance
        between guessed and true centre in pixels, on the second set of clips.
    """
    rng = np.random.default_rng(EVALUATION_SEED + 1)
    train = _probe_rows(model, size, clips[0], frame, rng)
    test = _probe_rows(model, size, clips[1], frame, rng)
    known, asked = train.pointers, test.pointers
    guessed = predict_values(known, train.places, asked)
    r2 = explained(guessed, test.places)
    distance = (guessed - test.places)[:, :2].norm(dim=1).median() * size

    def accuracy(name: str, classes: int) -> float:
        guesses = predict_classes(known, getattr(train, name), asked, classes)
        return round(float((guesses == getattr(test, name)).float().mean()), 4)

    return {
        "probe_colour": accuracy("colours", PARTS[0]),
        "probe_shape": accuracy("shapes", PARTS[1]),
        "probe_texture": accuracy("textures", PARTS[2]),
        **{f"probe_{n}": round(float(v), 4) for n, v in zip(("x", "y", "size"), r2, strict=True)},
        "probe_pixels": round(float(distance), 2),
    }


def _probe_rows(
    model: Sam2VideoModel, size: int, clips: int, frame: int, rng: np.random.Generator
) -> ProbeRow:
    parts: list[tuple[Tensor, ...]] = []
    for _ in range(clips // 4):
        batch = sample_batch(BatchSpec(4, frame + 1, 3, size), rng)
        with torch.inference_mode():
            out = list(_tracked(model, batch, encode_frames(model, batch.pixels.flatten(0, 1))))[-1]
        seen = batch.areas[:, frame] >= VISIBLE
        pointers = F.layer_norm(out.pointers, out.pointers.shape[-1:])
        where = places(batch.masks[:, frame])
        looks = (batch.colours[seen], batch.shapes[seen], batch.textures[seen])
        parts.append((pointers[seen], *looks, where[seen]))
    return ProbeRow(*(torch.cat(column).clone() for column in zip(*parts, strict=True)))
