"""How well a selector chooses, measured on training samples without looking at masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from sola.config import LossConfig, Precision, TrainConfig
from sola.data.batches import Batch, collate, make_item
from sola.data.labels import selection_score
from sola.data.samples import TextTable, VideoSample
from sola.network.losses import SelectionLoss, positive_anchor, selection_loss
from sola.network.selector import SelectorOutput, TrackSelector


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
    rows: list[tuple[float, float, int, int, int]] = []
    with torch.inference_mode():
        for sample in samples:
            rows += _rows(model, sample, texts, config)
    model.train(training)
    if not rows:
        return dict.fromkeys(("loss", "selection", "f1", "empty"), 0.0)
    losses, scores, right, selected, labelled = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    return {
        "loss": float(losses.mean()),
        "selection": float(scores.mean()),
        "f1": float(2 * right.sum() / max(1, selected.sum() + labelled.sum())),
        "empty": float((selected == 0).mean()),
    }


def batch_loss(
    model: TrackSelector, batch: Batch, config: LossConfig, precision: Precision = "float32"
) -> SelectionLoss:
    """The training loss of a batch; "bfloat16" runs the network, not the loss, under autocast."""
    if precision == "float32":
        return _loss(run_batch(model, batch), model, batch, config)
    with torch.autocast(batch.objects.device.type, torch.bfloat16):
        output = run_batch(model, batch)
    output = SelectorOutput(output.logits.float(), output.alignment.float())
    return _loss(output, model, batch, config)


def _loss(
    output: SelectorOutput, model: TrackSelector, batch: Batch, config: LossConfig
) -> SelectionLoss:
    anchors = positive_anchor(batch.text, batch.word_mask), model.negative_anchors
    mask = batch.track_mask_of_sentences()
    return selection_loss(output, batch.labels, anchors, config, mask)


def run_batch(model: TrackSelector, batch: Batch) -> SelectorOutput:
    """The selector's output for a batch on its device."""
    output: SelectorOutput = model(
        batch.objects,
        batch.text,
        batch.track_mask,
        batch.frame_mask,
        batch.word_mask,
        batch.video,
    )
    return output


def _rows(
    model: TrackSelector, sample: VideoSample, texts: TextTable, config: TrainConfig
) -> list[tuple[float, float, int, int, int]]:
    """Of every expression: loss, selection score, numbers of right, selected, labelled tracks."""
    count = len(sample.texts)
    if not count or not len(sample):
        nothing = np.zeros(len(sample), bool)
        return [(0.0, selection_score(sample, e, nothing), 0, 0, 0) for e in range(count)]
    item = make_item(sample, range(count), texts, config.label_threshold, config.label_target)
    batch = collate([item]).to(model.negative_anchors.device)
    output = run_batch(model, batch)
    loss = float(_loss(output, model, batch, config.loss).total)
    probability = output.logits.sigmoid().cpu().numpy()
    selected = (probability > config.select_threshold) & item.candidates
    return [
        (
            loss,
            selection_score(sample, e, selected[e]),
            int((selected[e] & item.labels[e]).sum()),
            int(selected[e].sum()),
            int(item.labels[e].sum()),
        )
        for e in range(count)
    ]
