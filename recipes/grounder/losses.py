"""Losses of the grounder: every cell of the encoder predicts, then queries predict once a shape.

The loss of transformers gives the proposals of the two-stage network no gradient at all: their
boxes are detached, and their scores are those of the learned queries. Here every cell that lies in
a meant shape is trained to say so and to give its box, which teaches words and boxes long before
matched queries would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from recipes.appearance import N_LOOKS, look_losses
from recipes.grounder.batches import GroundingBatch


@dataclass(frozen=True)
class GroundingWeights:
    """Weights of the summed losses: words, L1 and GIoU of boxes, looks of the backbone's cells."""

    words: float = 2.0
    l1: float = 5.0
    giou: float = 2.0
    looks: float = 2.0
    queries: float = 1.0


class LookHeads(nn.Module):
    """Linear heads on the backbone's maps: is there a shape, and how it looks."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Conv2d(c, 1 + N_LOOKS, 1) for c in channels)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """(F, 1 + looks, L) of all cells."""
        rows = [head(m).flatten(2) for head, m in zip(self.heads, maps, strict=True)]
        return torch.cat(rows, -1)


def look_loss(logits: Tensor, batch: GroundingBatch) -> Tensor:
    """Cross-entropies of presence, colour, shape and texture of cells."""
    there = (batch.owner >= 0).float()
    total = F.binary_cross_entropy_with_logits(logits[:, 0], there)
    for loss in look_losses(logits[:, 1:], batch.looks):
        total = total + loss
    return total


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy weighted by the squared error, elementwise; `target` in [0, 1].

    Source: Li et al., "Generalized Focal Loss".
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (logits.sigmoid() - target).pow(2) * entropy


def cell_targets(batch: GroundingBatch) -> tuple[Tensor, Tensor]:
    """Scores wanted of cells (B, L): 0 beside the meant shapes; and which count (B, L) bool."""
    captions = len(batch.ids) // len(batch.pixels)
    owner = batch.owner.repeat_interleave(captions, 0)
    inside = owner.clamp(min=0)
    meant = batch.meant.gather(1, inside) & (owner >= 0)
    unsure = batch.unsure.gather(1, inside) & (owner >= 0)
    return meant * batch.central.repeat_interleave(captions, 0), ~unsure


def cell_word_loss(logits: Tensor, batch: GroundingBatch) -> Tensor:
    """Focal loss of words at cells, (B, L, >= T) logits with -inf at padding."""
    wanted, counts = cell_targets(batch)
    tokens = batch.ids.shape[1]
    weight = counts[:, :, None] * batch.attention[:, None, :].float()
    target = wanted[:, :, None] * batch.named[:, None, :]
    plain = logits[..., :tokens].masked_fill(batch.attention[:, None] == 0, 0.0)
    return (focal(plain, target) * weight).sum() / target.sum().clamp(min=1)


def cell_box_loss(coordinates: Tensor, batch: GroundingBatch, weights: GroundingWeights) -> Tensor:
    """Box losses of the core cells of all seen shapes, (R, L, 4) logits, R = F or B rows."""
    times = len(coordinates) // len(batch.pixels)
    inside = batch.owner.clamp(min=0)
    good = (batch.core & (batch.owner >= 0) & batch.seen.gather(1, inside)).repeat_interleave(
        times, 0
    )
    truth = batch.boxes.gather(1, inside[..., None].expand(-1, -1, 4)).repeat_interleave(times, 0)
    return box_loss(coordinates[good].sigmoid(), truth[good], weights)


def box_loss(found: Tensor, truth: Tensor, weights: GroundingWeights) -> Tensor:
    """Mean weighted L1 and GIoU of boxes (K, 4), centre and size; 0 of none."""
    if not len(found):
        return found.sum()
    l1 = (found - truth).abs().sum(-1).mean()
    return weights.l1 * l1 + weights.giou * (1 - giou(found, truth)).mean()


def corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Low and high corners of boxes (..., 4) given by centre and size."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return centre - half, centre + half


def iou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and area of the union; leading shapes broadcast."""
    (a_low, a_high), (b_low, b_high) = corners(a), corners(b)
    common = (torch.minimum(a_high, b_high) - torch.maximum(a_low, b_low)).clamp(min=0).prod(-1)
    union = a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - common
    return common / union.clamp(min=1e-7), union


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of boxes given by centre and size; leading shapes broadcast."""
    overlap, union = iou(a, b)
    (a_low, a_high), (b_low, b_high) = corners(a), corners(b)
    hull = (torch.maximum(a_high, b_high) - torch.minimum(a_low, b_low)).prod(-1)
    return overlap - (hull - union) / hull.clamp(min=1e-7)


def query_loss(
    logits: Tensor, boxes: Tensor, batch: GroundingBatch, weights: GroundingWeights
) -> Tensor:
    """One query a meant shape, matched as in DETR: (B, Q, >= T) logits and (B, Q, 4) boxes."""
    tokens = batch.ids.shape[1]
    plain = logits[..., :tokens].masked_fill(batch.attention[:, None] == 0, 0.0)
    truth = batch.boxes.repeat_interleave(len(batch.ids) // len(batch.pixels), 0)
    rows, queries, shapes = match(plain, boxes, batch, truth, weights)
    target = torch.zeros_like(plain)
    target[rows, queries] = batch.named[rows].float()
    weight = batch.attention[:, None, :].float()
    words = (focal(plain, target) * weight).sum() / target.sum().clamp(min=1)
    regressed = box_loss(boxes[rows, queries], truth[rows, shapes], weights)
    return weights.words * words + regressed


@torch.no_grad()
def match(
    logits: Tensor, boxes: Tensor, batch: GroundingBatch, truth: Tensor, weights: GroundingWeights
) -> tuple[Tensor, Tensor, Tensor]:
    """Row, query and shape of the cheapest assignment of queries to meant shapes."""
    share = batch.named.float() / batch.named.sum(-1, keepdim=True).clamp(min=1)
    gain = focal(logits, torch.zeros_like(logits)) - focal(logits, torch.ones_like(logits))
    words = -(gain * share[:, None]).sum(-1)
    l1 = torch.cdist(boxes, truth, p=1)
    cost = weights.words * words[..., None] + weights.l1 * l1
    costs = (cost - weights.giou * giou(boxes[:, :, None], truth[:, None])).numpy()
    found = []
    for row, meant in enumerate(batch.meant.numpy()):
        wanted = np.flatnonzero(meant)
        if len(wanted):
            queries, which = linear_sum_assignment(costs[row][:, wanted])
            found += [(row, int(q), int(wanted[w])) for q, w in zip(queries, which, strict=True)]
    table = torch.tensor(found, dtype=torch.long).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
