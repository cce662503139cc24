"""One training step of the tracker: an image batch or a clip batch to named losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recipes.tracker.batches import ClipBatch, pooled_rows
from recipes.tracker.losses import (
    AuxiliaryHeads,
    LossWeights,
    dense_loss,
    mask_losses,
    pointer_loss,
    presence_loss,
    prompt_loss,
)
from rvosbench.models.sam2.decoding import (
    FrameFeatures,
    FrameOutput,
    decode,
    decode_prompts,
    encode_frames,
    prompt_masks_at,
)
from rvosbench.models.sam2.propagation import propagate

if TYPE_CHECKING:
    from transformers import Sam2VideoModel


def image_losses(
    model: Sam2VideoModel,
    heads: AuxiliaryHeads,
    batch: ClipBatch,
    weights: LossWeights,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Points, boxes, background clicks and mask-prompted pointers on single frames."""
    features = encode_frames(model, batch.pixels.flatten(0, 1))
    shape = (batch.pixels.shape[0], batch.pixels.shape[1])
    rows = pooled_rows(features, shape, batch.owner, 0)
    losses = _prompt_losses(model, batch, features, weights, rng)
    masks = batch.masks[:, 0]
    dense = model.mask_downsample(prompt_masks_at(masks, model.image_size))
    single = decode(model, rows, rows.maps[2], dense)
    losses |= pointer_loss(heads, single.pointers, batch, 0, weights)
    losses["mask"] = mask_losses(single.raw_logits, masks, weights.bce).mean()
    if weights.dense:
        losses["dense"] = weights.dense * dense_loss(heads, features, batch)
    return losses


def video_losses(
    model: Sam2VideoModel,
    heads: AuxiliaryHeads,
    batch: ClipBatch,
    weights: LossWeights,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Propagation from the prompted frame through the clip, and image prompts in that frame."""
    shape = (batch.pixels.shape[0], batch.pixels.shape[1])
    features = encode_frames(model, batch.pixels.flatten(0, 1))

    def rows(frame: int) -> FrameFeatures:
        return pooled_rows(features, shape, batch.owner, frame)

    prompts = batch.masks[:, batch.prompt_frame]
    outputs = list(propagate(model, rows, shape[1], batch.prompt_frame, prompts))
    per_frame = [_frame_losses(heads, batch, out, weights) for out in outputs]
    names = {name for losses in per_frame for name in losses}
    losses = {
        name: torch.stack([ls[name] for ls in per_frame if name in ls]).mean() for name in names
    }
    losses |= _prompt_losses(model, batch, features, weights, rng)
    if weights.dense:
        losses["dense"] = weights.dense * dense_loss(heads, features, batch)
    return losses


def _frame_losses(
    heads: AuxiliaryHeads, batch: ClipBatch, out: FrameOutput, weights: LossWeights
) -> dict[str, Tensor]:
    losses = pointer_loss(heads, out.pointers, batch, out.frame, weights)
    if out.frame == batch.prompt_frame:
        return losses
    areas = batch.areas[:, out.frame]
    masks = mask_losses(out.raw_logits, batch.masks[:, out.frame], weights.bce)
    losses["track"] = 2.0 * masks.mean()
    losses["presence"] = weights.presence * presence_loss(out.presence, areas)
    return losses


def _prompt_losses(
    model: Sam2VideoModel,
    batch: ClipBatch,
    features: FrameFeatures,
    weights: LossWeights,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Points (with one background click a clip) and boxes, in the prompted frame.

    Mostly for the single-mask token, which the demo preset uses, now and then for the other three.
    """
    shape = (batch.pixels.shape[0], batch.pixels.shape[1])
    masks = batch.masks[:, batch.prompt_frame]
    rows = pooled_rows(features, shape, batch.owner, batch.prompt_frame)
    multimask = bool(rng.random() < 0.2)
    output = decode_prompts(
        model, rows, boxes=jittered_boxes(masks, rng)[:, None], multimask=multimask
    )
    losses = {"box": prompt_loss(output, masks, weights)}
    owner = torch.cat([batch.owner, torch.arange(shape[0])])
    empty = torch.zeros_like(masks[:1]).expand(shape[0], -1, -1)
    points = torch.cat([inner_points(masks, rng), background_points(batch, rng)])[:, None, None]
    rows = pooled_rows(features, shape, owner, batch.prompt_frame)
    labels = torch.ones(points.shape[:3], dtype=torch.int32)
    output = decode_prompts(model, rows, points=points, labels=labels, multimask=multimask)
    losses["point"] = prompt_loss(output, torch.cat([masks, empty]), weights)
    return losses


def inner_points(masks: Tensor, rng: np.random.Generator) -> Tensor:
    """One random pixel (x, y) of each mask (N, S, S); masks are not empty."""
    picked = []
    for mask in masks.numpy():
        ys, xs = np.nonzero(mask)
        at = rng.integers(len(xs))
        picked.append((xs[at], ys[at]))
    return torch.tensor(np.array(picked), dtype=torch.float32)


def background_points(batch: ClipBatch, rng: np.random.Generator) -> Tensor:
    """One random pixel (x, y) of each clip's prompted frame that is no shape's, (C, 2)."""
    return inner_points(~batch.covered[:, batch.prompt_frame], rng)


def jittered_boxes(masks: Tensor, rng: np.random.Generator, amount: float = 0.08) -> Tensor:
    """Tight boxes (N, 4) of masks (N, S, S), each side moved by up to `amount` of the box."""
    boxes = []
    for mask in masks.numpy():
        ys, xs = np.nonzero(mask)
        box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=np.float64)
        sides = np.tile(box[2:] - box[:2], 2)
        boxes.append(box + rng.uniform(-amount, amount, 4) * sides)
    return torch.tensor(np.array(boxes), dtype=torch.float32)
