"""Trains a selector on cached object tokens: no frame, mask or frozen model is touched.

Every epoch draws from its own generators, keyed by (seed, epoch), so a killed run that is resumed
ends with the same weights as one that was not. `OUT/train.jsonl` has a line an epoch; `OUT` always
holds the best selector so far, by the selection score on held-out videos.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rvosbench.errors import DatasetError

from .batching import Batch, Item, collate, make_item
from .checkpoint import save_selector
from .config import SelectorConfig, TrainConfig
from .model import TrackSelector
from .progress import (
    LOG_FILE,
    STATE_FILE,
    Progress,
    append_line,
    best_line,
    resume,
    save_state,
)
from .samples import TextTable, VideoSample
from .validation import batch_loss, validate

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training sees: videos to learn from, videos to choose by, their text tokens."""

    train: Sequence[VideoSample]
    valid: Sequence[VideoSample]
    texts: TextTable


def train(
    data: TrainingData,
    selector: SelectorConfig,
    config: TrainConfig,
    out: Path,
    device: str = "cpu",
) -> dict[str, float]:
    """Trains a selector, or goes on where `out` was left.

    Args:
        data: at least one expression with candidates to learn from.
        selector: its shape.
        config: how to train.
        out: folder of the best selector (`config.json`, `model.safetensors`, float32), the log,
            and, until training is done, the state to resume from.
        device: torch's name of it.

    Returns:
        The measures of `validation.validate` of the best epoch, with "epoch" and "seconds".

    Raises:
        DatasetError: nothing to learn from, or tokens that do not fit `selector`.
        WeightsError: `out` holds the state of another configuration.
    """
    pairs = _pairs(data, selector)
    out.mkdir(parents=True, exist_ok=True)
    progress = _start(selector, config, device)
    resume(progress, out / STATE_FILE, selector, config)
    best = best_line(out / LOG_FILE, progress.epoch)
    while progress.epoch < config.epochs:
        begin = time.monotonic()
        loss = _run_epoch(progress, data, pairs, config)
        measures = validate(progress.model, data.valid or data.train, data.texts, config)
        line = {"epoch": progress.epoch, "train_loss": loss, **measures}
        line["seconds"] = round(time.monotonic() - begin, 2)
        if measures["selection"] > progress.best:
            progress.best, best = measures["selection"], line
            save_selector(out, progress.model)
        append_line(out / LOG_FILE, line)
        save_state(progress, out / STATE_FILE, selector, config)
        logger.info("%s", " ".join(f"{k} {v:.4g}" for k, v in line.items()))
    (out / STATE_FILE).unlink(missing_ok=True)
    return best


def learning_rate(progress: float, config: TrainConfig) -> float:
    """The rate after a share `progress` in [0, 1] of all steps: linear warm-up, then a cosine."""
    if progress < config.warm_up:
        return config.learning_rate * progress / config.warm_up
    rest = (progress - config.warm_up) / (1 - config.warm_up)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * rest))


def seconds_per_epoch(
    data: TrainingData, selector: SelectorConfig, config: TrainConfig, device: str = "cpu"
) -> float:
    """An estimate from three steps of a model that is thrown away."""
    pairs = _pairs(data, selector)
    progress = _start(selector, config, device)
    batches = _batches(data, pairs, config, epoch=1)
    elapsed = []
    for _, batch in zip(range(4), batches, strict=False):
        begin = time.perf_counter()
        _step(progress, batch.to(device), config, rate=0.0)
        elapsed.append(time.perf_counter() - begin)
    return float(np.median(elapsed)) * math.ceil(len(pairs) / config.batch_size)


def _pairs(data: TrainingData, selector: SelectorConfig) -> list[tuple[int, int]]:
    """(video, expression) of everything that can be learnt from."""
    for sample in (*data.train, *data.valid):
        width = sample.tokens.shape[2]
        if width != selector.object_token_dim:
            raise DatasetError(
                f"video {sample.video!r}: object tokens have {width} channels, but the selector "
                f"wants {selector.object_token_dim} (object_token_dim)."
            )
    pairs = [
        (v, e)
        for v, sample in enumerate(data.train)
        for e in range(len(sample.texts))
        if len(sample.candidates_of(e))
    ]
    if not pairs:
        raise DatasetError(f"{len(data.train)} training videos hold no expression with candidates.")
    return pairs


def _start(selector: SelectorConfig, config: TrainConfig, device: str) -> Progress:
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = TrackSelector(selector).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    return Progress(model, optimizer)


def _run_epoch(
    progress: Progress,
    data: TrainingData,
    pairs: Sequence[tuple[int, int]],
    config: TrainConfig,
) -> float:
    """One pass over all expressions; returns the mean loss."""
    progress.epoch += 1
    steps = math.ceil(len(pairs) / config.batch_size)
    device = progress.model.negative_anchors.device
    losses: list[float] = []
    with torch.random.fork_rng():
        torch.manual_seed(int(_generator(config, progress.epoch, 1).integers(2**62)))
        progress.model.train()
        for step, batch in enumerate(_batches(data, pairs, config, progress.epoch)):
            done = (progress.epoch - 1 + (step + 0.5) / steps) / config.epochs
            losses.append(_step(progress, batch.to(device), config, learning_rate(done, config)))
    return float(np.mean(losses))


def _step(progress: Progress, batch: Batch, config: TrainConfig, rate: float) -> float:
    for group in progress.optimizer.param_groups:
        group["lr"] = rate
    loss = batch_loss(progress.model, batch, config.loss).total
    progress.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(progress.model.parameters(), config.clip_norm)
    progress.optimizer.step()
    return float(loss.detach())


def _batches(
    data: TrainingData, pairs: Sequence[tuple[int, int]], config: TrainConfig, epoch: int
) -> Iterator[Batch]:
    rng = _generator(config, epoch, 0)
    order = rng.permutation(len(pairs))
    for begin in range(0, len(order), config.batch_size):
        rows = (pairs[i] for i in order[begin : begin + config.batch_size])
        items = (
            make_item(data.train[v], e, data.texts, config.label_threshold, config.label_target)
            for v, e in rows
        )
        yield collate([_thinned(item, config.track_dropout, rng) for item in items])


def _thinned(item: Item, share: float, rng: np.random.Generator) -> Item:
    """The item without a random share of its tracks; at least one stays."""
    if not share:
        return item
    keep = rng.random(len(item.labels)) >= share
    keep[rng.integers(len(keep))] = True
    return Item(item.objects[keep], item.text, item.labels[keep])


def _generator(config: TrainConfig, epoch: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng((config.seed, epoch, purpose))
