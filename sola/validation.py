"""How well a selector chooses, measured on training samples without looking at masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .batching import Batch, Item, collate
from .config import TrainConfig
from .labels import pseudo_labels, selection_score
from .losses import positive_anchor, selection_loss
from .model import TrackSelector
from .samples import Flags, TextTable, VideoSample


def validate(
    model: TrackSelector, samples: Sequence[VideoSample], texts: TextTable, config: TrainConfig
) -> dict[str, float]:
    """Measures a selector; its mode is left as it was.

    Args:
        model: on its device.
        samples: videos; a video's expressions are scored together.
        texts: text tokens of their sentences.
        config: thresholds and loss.

    Returns:
        `loss`; `selection`, the mean of `labels.selection_score` over expressions, in [0, 1];
        `f1`, of selected against labelled tracks over all expressions; `empty`, the share of
        expressions without any selected track. Zeros without expressions.
    """
    training = model.training
    model.eval()
    rows: list[tuple[float, float, Flags, Flags]] = []
    with torch.inference_mode():
        for sample in samples:
            for expression in range(len(sample.texts)):
                rows.append(_one(model, sample, expression, texts, config))
    model.train(training)
    if not rows:
        return {"loss": 0.0, "selection": 0.0, "f1": 0.0, "empty": 0.0}
    losses, scores, selected, labels = zip(*rows, strict=True)
    return {
        "loss": float(np.mean(losses)),
        "selection": float(np.mean(scores)),
        "f1": _f1(np.concatenate(selected), np.concatenate(labels)),
        "empty": float(np.mean([not flags.any() for flags in selected])),
    }


def batch_loss(model: TrackSelector, batch: Batch, config: TrainConfig) -> Tensor:
    """The scalar training loss of a batch on the model's device."""
    output = model(batch.objects, batch.text, batch.track_mask, batch.frame_mask, batch.word_mask)
    anchors = positive_anchor(batch.text, batch.word_mask), model.negative_anchors
    return selection_loss(output, batch.labels, anchors, config.loss, batch.track_mask).total


def _one(
    model: TrackSelector,
    sample: VideoSample,
    expression: int,
    texts: TextTable,
    config: TrainConfig,
) -> tuple[float, float, Flags, Flags]:
    """Loss, selection score, selected and labelled candidates of one expression."""
    labels = pseudo_labels(sample, expression, config.label_threshold, config.label_target)
    if not len(labels):
        return 0.0, selection_score(sample, expression, labels), labels, labels
    objects = sample.tokens[sample.candidates_of(expression)]
    batch = collate([Item(objects, texts[sample.texts[expression]], labels)])
    batch = batch.to(model.negative_anchors.device)
    output = model(batch.objects, batch.text)
    anchors = positive_anchor(batch.text), model.negative_anchors
    loss = selection_loss(output, batch.labels, anchors, config.loss).total
    selected = (output.logits[0].sigmoid() > config.select_threshold).cpu().numpy()
    return float(loss), selection_score(sample, expression, selected), selected, labels


def _f1(selected: Flags, labels: Flags) -> float:
    total = int(selected.sum() + labels.sum())
    return 2 * int((selected & labels).sum()) / total if total else 1.0
