"""What a selector is trained with: the selection loss and the alignment loss.

Source: SOLA paper, section 3.6; released code `tools/loss.py` and `train.py`. Every loss is a mean
over an expression's own tracks first and over expressions then, so a padded batch gives the mean
of what its members give alone.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from sola.config import LossConfig, Precision
from sola.data.batches import Batch
from sola.network.attention import masked_mean
from sola.network.selector import SelectorOutput, TrackSelector


class SelectionLoss(NamedTuple):
    """Scalars: the weighted total, and its two parts before weighting."""

    total: Tensor
    bce: Tensor
    alignment: Tensor


def training_loss(
    selector: TrackSelector, batch: Batch, config: LossConfig, precision: Precision = "float32"
) -> SelectionLoss:
    """The loss of a batch on the selector's device.

    Args:
        selector: in training mode, if dropout is wanted.
        batch: at least one expression.
        config: weights and variant.
        precision: "bfloat16" runs the network, not the loss, under autocast.
    """
    half = precision == "bfloat16"
    device = batch.objects.device.type
    with torch.autocast(device, torch.bfloat16) if half else nullcontext():
        output: SelectorOutput = selector(*batch.inputs)
    if half:
        output = SelectorOutput(output.logits.float(), output.alignment.float())
    return batch_loss(output, selector, batch, config)


def batch_loss(
    output: SelectorOutput, selector: TrackSelector, batch: Batch, config: LossConfig
) -> SelectionLoss:
    """The loss of what a selector said of a batch."""
    anchors = positive_anchor(batch.text, batch.word_mask), selector.negative_anchors
    return selection_loss(output, batch.labels, anchors, config, batch.track_mask_by_expression())


def selection_loss(
    output: SelectorOutput,
    labels: Tensor,
    anchors: tuple[Tensor, Tensor],
    config: LossConfig,
    track_mask: Tensor | None = None,
) -> SelectionLoss:
    """Total loss of a batch of expressions.

    Args:
        output: of the selector, B expressions with N tracks.
        labels: (B, N), 1 for tracks to be selected, else 0.
        anchors: the positive anchors (B, E), see `positive_anchor`, and the negative (K, E).
        config: weights and variant.
        track_mask: (B, N) bool, True is valid. An expression without tracks counts as 0.

    Returns:
        `bce_weight * bce + alignment_weight * alignment`, and both parts.
    """
    labels = labels.to(output.logits.dtype)
    bce = functional.binary_cross_entropy_with_logits(output.logits, labels, reduction="none")
    bce = bce * (1 + (config.positive_weight - 1) * labels)
    aligned = _ALIGNMENT[config.variant](output.alignment, labels, anchors, config)
    bce_mean = masked_mean(bce, track_mask, 1).mean()
    alignment_mean = masked_mean(aligned, track_mask, 1).mean()
    total = config.bce_weight * bce_mean + config.alignment_weight * alignment_mean
    return SelectionLoss(total, bce_mean, alignment_mean)


def positive_anchor(text_tokens: Tensor, mask: Tensor | None = None) -> Tensor:
    """The mean of an expression's text tokens, (B, W, E) to (B, E)."""
    return masked_mean(text_tokens, mask, 1)


def _released_alignment(
    tokens: Tensor, labels: Tensor, anchors: tuple[Tensor, Tensor], config: LossConfig
) -> Tensor:
    """(B, N): binary cross entropy of dot products with the anchors.

    The positive anchor should fire for positive tracks; of the negative anchors the one that fires
    most should fire for negative tracks, all others never.
    """
    positive, negative = anchors
    scale = math.exp(config.temperature)
    to_positive = torch.einsum("bne,be->bn", tokens, positive) * scale
    to_negative = torch.einsum("bne,ke->bnk", tokens, negative) * scale
    nearest = functional.one_hot(to_negative.argmax(dim=-1), len(negative)).to(labels.dtype)
    wanted = nearest * (1 - labels)[..., None]
    bce = functional.binary_cross_entropy_with_logits
    pull = bce(to_positive, labels, reduction="none")
    push = bce(to_negative, wanted, reduction="none").mean(dim=-1)
    return config.positive_weight * pull + push


def _paper_alignment(
    tokens: Tensor, labels: Tensor, anchors: tuple[Tensor, Tensor], config: LossConfig
) -> Tensor:
    """(B, N): equations (7) and (8), without the minus sign before (7).

    As printed, minimising (7) drives positive tracks away from the positive anchor.
    """
    del config  # the equations have no further constants
    positive, negative = anchors
    to_positive = 1 - functional.cosine_similarity(tokens, positive[:, None], dim=-1)
    to_negative = 1 - functional.cosine_similarity(tokens[:, :, None], negative, dim=-1)
    everything, nearest = to_negative.sum(dim=-1), to_negative.amin(dim=-1)
    pull = to_positive - everything
    push = nearest - to_positive - (everything - nearest)
    return labels * pull + (1 - labels) * push


_ALIGNMENT = {"released": _released_alignment, "paper": _paper_alignment}
