"""How many epochs of a training fit into some time, by an estimate made at its start."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from rvosbench.errors import WeightsError
from sola.config import SelectorConfig, TrainConfig
from sola.data.batches import epoch_plan, load_batch
from sola.data.track_data import TrainingData, limited, prepared
from sola.network.losses import training_loss
from sola.network.selector import TrackSelector
from sola.network.weights import read_training
from sola.training.loop import expression_groups
from sola.training.state import STATE_FILE, new_state, planned_epochs
from sola.training.validation import measure_masks, validate

MARGIN = 1.1
"""Machines slow down: an epoch may take so much longer than estimated."""


def fit_epochs(
    data: TrainingData,
    selector: SelectorConfig,
    config: TrainConfig,
    seconds: float,
    out: Path,
    device: str = "cpu",
) -> TrainConfig:
    """The configuration with as many epochs as fit; one that is resumed keeps to its plan.

    Args:
        data: as `sola.training.loop.train` takes them.
        selector: its shape.
        config: how to train; its `epochs` are replaced.
        seconds: by the clock, from the first step to the last measure.
        out: folder of the training.
        device: where it runs.

    Raises:
        WeightsError: `out` holds an average of selectors.
    """
    finished = read_training(out)
    planned = planned_epochs(out / STATE_FILE)
    if finished is not None and finished["finished"]:
        if "training" not in finished["identity"]:
            raise WeightsError(
                f"{out}: holds an average of selectors, no training. Choose another folder; "
                f"--set init={out} begins with it"
            )
        planned = int(finished["identity"]["training"]["epochs"])
    if planned is None:
        epoch, final = estimate_seconds(data, selector, config, device)
        planned = max(1, int((seconds - MARGIN * final) / (MARGIN * epoch)))
    return replace(config, epochs=planned)


def estimate_seconds(
    data: TrainingData, selector: SelectorConfig, config: TrainConfig, device: str
) -> tuple[float, float]:
    """Seconds of an epoch, and of what comes after the last one: J&F of the kept epoch.

    From a few steps and validations of a model that is thrown away. J&F counts with an epoch's
    share of it, if it is measured every few epochs.
    """
    data = prepared(data, config.train_sources, config.valid_sources)
    state = new_state(selector, config, device)
    plan = epoch_plan(expression_groups(data, selector, config), config, 1)
    elapsed = []
    for step, groups in enumerate(plan[:6]):
        begin = time.perf_counter()
        batch = load_batch(data, groups, config, (1, step)).to(device)
        loss = training_loss(state.model, batch, config.loss, config.precision).total
        loss.backward()  # type: ignore[no-untyped-call]
        state.update(0.0, config.clip_norm)
        elapsed.append(time.perf_counter() - begin)
    validation, masks = _validation_seconds(data, state.model, config)
    epoch = float(np.median(elapsed)) * len(plan) + validation
    if not config.jf_every:
        return epoch, masks
    return epoch + masks / config.jf_every, masks if config.jf_every > 1 else 0.0


def _validation_seconds(
    data: TrainingData, model: TrackSelector, config: TrainConfig
) -> tuple[float, float]:
    """Of one validation: without masks, and J&F from masks; from a few videos."""
    samples = limited(data.valid or data.train, config.valid_videos)
    found = []
    for measure, few in ((validate, samples[:4]), (measure_masks, samples[:2])):
        begin = time.perf_counter()
        measure(model, few, data.texts, config)
        found.append((time.perf_counter() - begin) * len(samples) / max(1, len(few)))
    return found[0], found[1]
