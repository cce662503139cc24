"""Trains a selector on cached object tokens: no frame, mask or frozen model is touched.

Every epoch draws from its own generators, keyed by (seed, epoch), so a killed run that is resumed
ends with the same weights as one that was not. `OUT/train.jsonl` has a line an epoch; `OUT` always
holds the best selector so far, by the selection score on held-out videos.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from rvosbench.errors import DatasetError

from .batching import Batch
from .checkpoint import save_selector
from .config import SelectorConfig, TrainConfig
from .epochs import Chunk, TrainingData, epoch_batches, learnable
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
from .validation import batch_loss, validate

logger = logging.getLogger(__name__)


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
    chunks = _chunks(data, selector)
    out.mkdir(parents=True, exist_ok=True)
    progress = _start(selector, config, device)
    resume(progress, out / STATE_FILE, selector, config)
    best = best_line(out / LOG_FILE, progress.epoch)
    while progress.epoch < config.epochs:
        begin = time.monotonic()
        loss = _run_epoch(progress, data, chunks, config)
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
    progress = _start(selector, config, device)
    steps, batches = epoch_batches(data, _chunks(data, selector), config, epoch=1)
    elapsed = []
    for _, batch in zip(range(4), batches, strict=False):
        begin = time.perf_counter()
        _step(progress, batch.to(device), config, rate=0.0)
        elapsed.append(time.perf_counter() - begin)
    return float(np.median(elapsed)) * steps


def _chunks(data: TrainingData, selector: SelectorConfig) -> list[Chunk]:
    for sample in (*data.train, *data.valid):
        width = sample.tokens.shape[2]
        if width != selector.object_token_dim:
            raise DatasetError(
                f"video {sample.video!r}: object tokens have {width} channels, but the selector "
                f"wants {selector.object_token_dim} (object_token_dim)."
            )
    chunks = learnable(data.train)
    if not chunks:
        raise DatasetError(f"{len(data.train)} training videos hold no expression with candidates.")
    return chunks


def _start(selector: SelectorConfig, config: TrainConfig, device: str) -> Progress:
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = TrackSelector(selector)
        if config.gentle_start:
            model.start_gently()
        model.to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    return Progress(model, optimizer)


def _run_epoch(
    progress: Progress,
    data: TrainingData,
    chunks: Sequence[Chunk],
    config: TrainConfig,
) -> float:
    """One pass over all expressions; returns the mean loss."""
    progress.epoch += 1
    steps, batches = epoch_batches(data, chunks, config, progress.epoch)
    device = progress.model.negative_anchors.device
    losses: list[float] = []
    with torch.random.fork_rng():
        torch.manual_seed(_seed(config.seed, progress.epoch))
        progress.model.train()
        for step, batch in enumerate(batches):
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


def _seed(seed: int, epoch: int) -> int:
    """Of torch's generator in an epoch: dropout."""
    return int(np.random.SeedSequence((seed, epoch, 1)).generate_state(1)[0])
