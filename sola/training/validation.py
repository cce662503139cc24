"""How well a selector chooses: on samples without looking at masks, and as J&F of cached masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from rvosbench.contracts import ExpressionScore
from rvosbench.metrics import official
from rvosbench.runs.evaluation_set import GroundTruth
from rvosbench.tracks.cache import TrackCache
from sola.config import TrainConfig
from sola.data.batches import collate, make_item
from sola.data.samples import TextTable, VideoSample, selection_score
from sola.method import prediction_for
from sola.network.losses import batch_loss
from sola.network.selector import SelectorOutput, TrackSelector

PROTOCOL = "mevis"
"""Every expression weighs the same, whatever the dataset."""


def validate(
    model: TrackSelector, samples: Sequence[VideoSample], texts: TextTable, config: TrainConfig
) -> dict[str, float]:
    """Measures a selector; its mode is left as it was.

    Args:
        model: on its device.
        samples: videos; a video's expressions are scored together.
        texts: text tokens of their expressions.
        config: thresholds and loss.

    Returns:
        `loss`; `selection`, the mean of `samples.selection_score` over expressions, in [0, 1];
        `f1`, of selected against labelled tracks over all expressions; `empty`, the share of
        expressions without any selected track. Zeros without expressions.
    """
    with _evaluating(model), torch.inference_mode():
        rows = [row for sample in samples for row in _rows(model, sample, texts, config)]
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


def measure_masks(
    model: TrackSelector, samples: Sequence[VideoSample], texts: TextTable, config: TrainConfig
) -> dict[str, float]:
    """Region similarity and contour accuracy of the unions of selected tracks.

    Args:
        model: on its device; its mode is left as it was.
        samples: videos; those that are from no cache are left out.
        texts: text tokens of their expressions.
        config: threshold, and which tracks inference has.

    Returns:
        "j", "f" and "jf" in [0, 1], as protocol `mevis` computes them; empty without masks.
    """
    with _evaluating(model):
        scores = [s for sample in samples for s in _scores(model, sample, texts, config)]
    if not scores:
        return {}
    summary = official.protocol(PROTOCOL).summarize(scores)
    return {"j": summary.j, "f": summary.f, "jf": summary.jf}


@contextmanager
def _evaluating(model: TrackSelector) -> Iterator[None]:
    """Without dropout, for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


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
    output: SelectorOutput = model(*batch.inputs)
    loss = float(batch_loss(output, model, batch, config.loss).total)
    probability = output.logits.sigmoid().cpu().numpy()
    selected = (probability > config.select_threshold) & item.candidates
    scores = [selection_score(sample, e, selected[e]) for e in range(count)]
    flags = (selected & item.labels, selected, item.labels)
    right, chosen, labelled = (some.sum(axis=1).tolist() for some in flags)
    return list(zip([loss] * count, scores, right, chosen, labelled, strict=True))


def _scores(
    model: TrackSelector, sample: VideoSample, texts: TextTable, config: TrainConfig
) -> Sequence[ExpressionScore]:
    origin = sample.origin
    if origin is None:
        return ()
    cached = TrackCache(origin.cache).tracks(sample.video)
    tracks = [t for t in cached if t.source in config.valid_sources]
    seen = origin.dataset.sample(sample.video)
    predictions, threshold = {}, config.select_threshold
    for e in seen.expressions:
        serving = [t for t in tracks if t.serves(e.id)]
        predictions[e.id] = prediction_for(model, seen.video, serving, texts[e.text], threshold)
    truth = GroundTruth(origin.dataset, sample.video)
    return official.protocol(PROTOCOL).score_video(seen, truth, predictions)
