"""Losses of the tracker, and the auxiliary heads that make its pointers describe their objects.

A tracker trained on masks alone has pointers with position and almost no colour or shape: linear
probes stay near chance. Linear heads on the (layer-normalised) pointer of every frame change that,
and heads on the top feature map teach the image encoder colours and shapes sooner. Both are dropped
on export.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from recipes.appearance import N_LOOKS, PARTS, VISIBLE, look_losses
from recipes.tracker.batches import PRESENT, ClipBatch
from rvosbench.models.sam2.decoding import FrameFeatures, PromptOutput

LOOK_SHARES = (0.3, 1.5, 0.3)
"""Weights of colour, shape and texture on cells: shape is what is hard."""


@dataclass(frozen=True)
class LossWeights:
    """Weights of the summed losses.

    Attributes:
        bce: mean binary cross-entropy of the mask pixels (dice has weight 1).
        presence: cross-entropy of the object's presence.
        iou: absolute error of the predicted mask quality.
        colour, shape, texture, place: pointer heads (`place`: L1 of x, y, size in deviations).
        dense: colour, shape and texture heads on the cells of two feature maps.
    """

    bce: float = 5.0
    presence: float = 0.5
    iou: float = 1.0
    colour: float = 1.5
    shape: float = 3.0
    texture: float = 1.0
    place: float = 1.5
    dense: float = 2.0


class AuxiliaryHeads(nn.Module):
    """Linear heads: colour, shape, texture, (x, y, size) of a pointer; the looks of a cell."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.pointer = nn.Linear(dim, N_LOOKS + 3)
        self.coarse = nn.Conv2d(dim, N_LOOKS, 1)
        self.fine = nn.Conv2d(dim // 4, N_LOOKS, 1)

    def forward(self, pointers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pointers (..., D) to logits of colour, shape, texture; (x, y, size) in frame sides."""
        parts = self.pointer(self.norm(pointers)).split((*PARTS, 3), -1)
        colour, shape, texture, place = parts
        return colour, shape, texture, place


def mask_losses(logits: Tensor, target: Tensor, bce: float) -> Tensor:
    """Weighted cross-entropy plus dice at full resolution, (...,) from (..., h, w).

    Args:
        logits: (..., h, w) low-resolution mask logits.
        target: (..., S, S) bool; the leading shape broadcasts. Empty targets have no dice.
        bce: weight of the cross-entropy.
    """
    size = target.shape[-2:]
    flat = logits.flatten(0, -3)[:, None]
    full = F.interpolate(flat, size=size, mode="bilinear", align_corners=False)
    full = full.reshape(*logits.shape[:-2], -1)
    truth = target.flatten(-2).float().expand_as(full)
    entropy = F.binary_cross_entropy_with_logits(full, truth, reduction="none").mean(-1)
    soft = full.sigmoid()
    total = truth.sum(-1)
    dice = 1 - (2 * (soft * truth).sum(-1) + 1) / (soft.sum(-1) + total + 1)
    return bce * entropy + dice * (total > 0)


def mask_ious(logits: Tensor, target: Tensor) -> Tensor:
    """IoU of thresholded, upscaled logits with bool targets, (...,); two empty masks give 0."""
    size = target.shape[-2:]
    flat = logits.flatten(0, -3)[:, None]
    full = F.interpolate(flat, size=size, mode="bilinear", align_corners=False) > 0
    found = full.reshape(*logits.shape[:-2], -1)
    truth = target.flatten(-2).expand_as(found)
    both = (found & truth).sum(-1)
    return both / (found | truth).sum(-1).clamp(min=1)


def prompt_loss(output: PromptOutput, target: Tensor, weights: LossWeights) -> Tensor:
    """Loss of N prompts with targets (N, S, S); an empty target is a click on the background.

    Every candidate is trained: were only the best of three trained, each token would settle on
    objects of its own whatever the prompt says, and stay there (prompts here are not ambiguous).
    """
    logits, predicted = output.logits[:, 0], output.iou[:, 0]
    masks = mask_losses(logits, target[:, None], weights.bce)
    with torch.no_grad():
        quality = mask_ious(logits, target[:, None])
    there = target.flatten(1).any(-1).float()
    presence = F.binary_cross_entropy_with_logits(output.presence[:, 0], there)
    iou = (predicted - quality).pow(2).mean()
    return masks.mean() + weights.iou * iou + weights.presence * presence


def presence_loss(presence: Tensor, areas: Tensor) -> Tensor:
    """Cross-entropy of presence logits (N,) where the visible area is 0 or clearly not 0.

    Absent objects are few and count four times.
    """
    clear = (areas == 0) * 4.0 + (areas >= PRESENT) * 1.0
    target = (areas > 0).float()
    losses = F.binary_cross_entropy_with_logits(presence, target, reduction="none")
    return (losses * clear).sum() / clear.sum().clamp(min=1)


def pointer_loss(
    heads: AuxiliaryHeads, pointers: Tensor, batch: ClipBatch, frame: int, weights: LossWeights
) -> dict[str, Tensor]:
    """Losses of the pointer heads on the objects visible in `frame`, weighted and by name."""
    masks = batch.masks[:, frame]
    seen = (masks.flatten(1).sum(-1) >= VISIBLE).float()
    share = seen / seen.sum().clamp(min=1)
    colour, shape, texture, place = heads(pointers)
    errors = ((place - places(masks)).abs() * place.new_tensor(_PLACE_SCALES)).mean(-1)

    def named(logits: Tensor, truth: Tensor) -> Tensor:
        return (F.cross_entropy(logits, truth, reduction="none") * share).sum()

    return {
        "colour": weights.colour * named(colour, batch.colours),
        "shape": weights.shape * named(shape, batch.shapes),
        "texture": weights.texture * named(texture, batch.textures),
        "place": weights.place * (errors * share).sum(),
    }


_PLACE_SCALES = (4.0, 4.0, 16.0)
"""About one over the standard deviations of x, y and size."""


def dense_loss(heads: AuxiliaryHeads, features: FrameFeatures, batch: ClipBatch) -> Tensor:
    """Cross-entropy of the looks of cells, summed over two maps and three looks."""
    _, fine, coarse = features.maps
    total = coarse.new_zeros(())
    for logits, looks in zip((heads.fine(fine), heads.coarse(coarse)), batch.looks, strict=True):
        for share, loss in zip(LOOK_SHARES, look_losses(logits, looks.flatten(0, 1)), strict=True):
            total = total + share * loss
    return total


def places(masks: Tensor) -> Tensor:
    """Centre x, y and square root of the area of masks (N, S, S), in frame sides, (N, 3)."""
    size = masks.shape[-1]
    area = masks.flatten(1).sum(-1).float()
    axis = (torch.arange(size, device=masks.device) + 0.5) / size
    x = (masks.sum(1) * axis).sum(-1) / area.clamp(min=1)
    y = (masks.sum(2) * axis).sum(-1) / area.clamp(min=1)
    return torch.stack([x, y, area.sqrt() / size], dim=-1)
