"""Trains a selector on cached object tokens: no frame, mask or frozen model is touched.

Every step draws from its own generator, keyed by (seed, epoch, step), so a training that is
interrupted anywhere and resumed ends with the same weights as one that was not. `OUT/train.jsonl`
has a line an epoch; `OUT` always holds the best selector so far, by the selection score on held-out
videos, and `OUT/training.json` what it was trained with.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import torch

from rvosbench.errors import ConfigurationError, DatasetError, RvosbenchError
from rvosbench.records import Json
from sola.config import SelectorConfig, TrainConfig
from sola.data.batches import ExpressionGroup, epoch_plan, learnable, load_batch
from sola.data.samples import VideoSample
from sola.data.track_data import TrainingData, limited, prepared
from sola.network.losses import training_loss
from sola.network.weights import (
    initial_hash,
    load_selector,
    read_training,
    save_selector,
    write_training,
)
from sola.training.observers import Observer
from sola.training.parallel import World
from sola.training.state import (
    LOG_FILE,
    STATE_FILE,
    TrainingState,
    append_line,
    best_line,
    check_same,
    new_state,
    resume,
    save_state,
)
from sola.training.validation import measure_masks, validate

logger = logging.getLogger(__name__)

PLATEAU_THRESHOLD = 1e-4
"""Relative fall of the validation loss that counts as one: torch's default, as in the code."""


class TrainingInterruptedError(RvosbenchError):
    """Somebody asked a training to stop; its state is on disk."""


class DivergedError(RvosbenchError):
    """The loss of a training is no number any more."""


@dataclass(frozen=True)
class _Run:
    """What does not change during a training."""

    data: TrainingData
    groups: Sequence[ExpressionGroup]
    config: TrainConfig
    out: Path
    identity: Json
    world: World
    observers: Sequence[Observer]
    stop: threading.Event

    @property
    def judges(self) -> list[VideoSample]:
        """Videos by which an epoch is judged."""
        return limited(self.data.valid or self.data.train, self.config.valid_videos)


def train(  # noqa: PLR0913 - what is trained, and three ways to look on
    data: TrainingData,
    selector: SelectorConfig,
    config: TrainConfig,
    out: Path,
    device: str = "cpu",
    observers: Sequence[Observer] = (),
    world: World | None = None,
) -> dict[str, float]:
    """Trains a selector, or resumes what is in `out`; a finished training is not repeated.

    SIGINT and SIGTERM stop it after the step that is being done, with its state on disk.

    Args:
        data: of `sola.data.track_data.open_training_data`; at least one expression with candidates.
        selector: its shape.
        config: how to train.
        out: folder of the best selector (`config.json`, `model.safetensors`, float32), what it was
            trained with (`training.json`), the log, and, until it is done, the state.
        device: torch's name of it.
        observers: are told of steps and epochs.
        world: of data parallelism, see `sola.training.parallel.joined`.

    Returns:
        The best epoch: "epoch", "train_loss", the measures of `validation.validate`, "seconds",
        and J&F on the validation videos' masks as "j", "f", "jf" where there are masks.

    Raises:
        DatasetError: nothing to learn from, or tokens that do not fit `selector`.
        WeightsError: `out` holds another training.
        TrainingInterruptedError: after a signal; the same call resumes it.
        DivergedError: the loss is infinite or NaN.
    """
    world = world or World()
    identity = _identity(data, selector, config, world)
    finished = read_training(out)
    if finished is not None and finished.get("finished"):
        check_same(out, finished["identity"], identity)
        return dict(finished["best"])
    data = prepared(data, config.train_sources, config.valid_sources)
    groups = expression_groups(data, selector, config)
    out.mkdir(parents=True, exist_ok=True)
    state = new_state(selector, config, device)
    resume(state, out / STATE_FILE, identity)
    best = best_line(out / LOG_FILE, state.epoch) if world.first else {}
    with listening() as stop:
        run = _Run(data, groups, config, out, identity, world, observers, stop)
        while state.epoch < config.epochs:
            begin = time.monotonic()
            _run_epoch(run, state)
            line = world.broadcast(_measured(run, state) if world.first else None)
            line["seconds"] = round(time.monotonic() - begin, 2)
            if line["selection"] > state.best:
                best = line
            _close_epoch(run, state, line)
        if world.first:
            best = _finish(run, best)
        return dict(world.broadcast(best))


def _run_epoch(run: _Run, state: TrainingState) -> None:
    """The steps of an epoch that are not done yet."""
    epoch = state.epoch + 1
    plan = epoch_plan(run.groups, run.config, epoch, run.world.size)
    state.model.train()
    with torch.random.fork_rng():
        for step in range(len(state.losses), len(plan)):
            key = np.random.SeedSequence((run.config.seed, epoch, step))
            torch.manual_seed(int(key.generate_state(1)[0]))  # of dropout
            stopped = _step(run, state, plan[step], len(plan))
            for observer in run.observers:
                observer.step(epoch, step + 1, len(plan), state.losses[-1])
            if stopped and (step + 1 < len(plan) or epoch < run.config.epochs):
                _interrupt(run, state)


def _step(run: _Run, state: TrainingState, groups: Sequence[ExpressionGroup], steps: int) -> bool:
    """The next of an epoch's steps; returns whether any process was asked to stop."""
    epoch, step, config = state.epoch + 1, len(state.losses), run.config
    done = (epoch - 1 + (step + 0.5) / steps) / config.epochs
    rate = learning_rate(done, state.valid_losses, config)
    mine, loss = run.world.share(groups), 0.0
    weight = sum(len(g.expressions) for g in mine) / sum(len(g.expressions) for g in groups)
    state.optimizer.zero_grad()
    if mine:
        batch = load_batch(run.data, mine, config, (epoch, step))
        batch = batch.to(state.model.negative_anchors.device)
        total = training_loss(state.model, batch, config.loss, config.precision).total * weight
        total.backward()  # type: ignore[no-untyped-call]
        loss = float(total.detach())
    told = [loss, float(run.stop.is_set())]
    summed = run.world.all_reduce_gradients(state.model.parameters(), told)
    if not math.isfinite(summed[0]):
        raise DivergedError(
            f"epoch {epoch}, step {step + 1} of {steps}: the loss is {summed[0]}, with a learning "
            f"rate of {rate:.3g}. {run.out} keeps the best epoch so far. Lower learning_rate or "
            "clip_norm, or use precision=float32, in another --out"
        )
    state.update(rate, config.clip_norm)
    state.losses.append(summed[0])
    return summed[1] > 0


def _measured(run: _Run, state: TrainingState) -> dict[str, float]:
    """The line of the epoch that has just been run."""
    config, epoch = run.config, state.epoch + 1
    measures = validate(state.model, run.judges, run.data.texts, config)
    line = {"epoch": epoch, "train_loss": float(np.mean(state.losses)), **measures}
    if config.jf_every and epoch % config.jf_every == 0:
        line |= measure_masks(state.model, run.judges, run.data.texts, config)
    return line


def _close_epoch(run: _Run, state: TrainingState, line: Mapping[str, float]) -> None:
    """Keeps the selector if it is the best so far, and what the next epoch is resumed from."""
    better = line["selection"] > state.best
    state.best = max(state.best, line["selection"])
    state.epoch, state.losses = state.epoch + 1, []
    state.valid_losses.append(line["loss"])
    if not run.world.first:
        return
    if better:
        save_selector(run.out, state.model)
        write_training(run.out, run.identity, line, finished=False)
    append_line(run.out / LOG_FILE, line)
    save_state(state, run.out / STATE_FILE, run.identity)
    for observer in run.observers:
        observer.epoch(line)
    logger.info("%s", " ".join(f"{k} {v:.4g}" for k, v in line.items()))


def _finish(run: _Run, best: dict[str, float]) -> dict[str, float]:
    """Measures the best epoch's masks if that was not done, and marks the training as finished."""
    if "jf" not in best:
        model = load_selector(run.out)
        best |= measure_masks(model, run.judges, run.data.texts, run.config)
    write_training(run.out, run.identity, best, finished=True)
    (run.out / STATE_FILE).unlink(missing_ok=True)
    return best


@contextmanager
def listening() -> Iterator[threading.Event]:
    """Turns the first SIGINT or SIGTERM into a request to stop; a second one acts as usual.

    Outside the main thread, where Python has no signals, nothing is listened to.
    """
    request = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle_as_before() -> None:
        for number, handler in old.items():
            signal.signal(number, handler)

    def receive(number: int, frame: FrameType | None) -> None:
        request.set()
        handle_as_before()

    for number in old:
        signal.signal(number, receive)
    try:
        yield request
    finally:
        handle_as_before()


def _interrupt(run: _Run, state: TrainingState) -> None:
    if run.world.first:
        save_state(state, run.out / STATE_FILE, run.identity)
    raise TrainingInterruptedError(
        f"stopped in epoch {state.epoch + 1}, after {len(state.losses)} steps of it. The state is "
        f"in {run.out / STATE_FILE}: the same command resumes it."
    )


def learning_rate(progress: float, valid_losses: Sequence[float], config: TrainConfig) -> float:
    """The rate of the next step: a function of the configuration and of what has happened so far.

    Args:
        progress: share of all steps that are done, in [0, 1].
        valid_losses: validation loss after each finished epoch.
        config: peak rate and schedule.
    """
    if progress < config.warm_up:
        return config.learning_rate * progress / config.warm_up
    if config.schedule == "plateau":
        return config.learning_rate * config.plateau_factor ** reductions(valid_losses, config)
    rest = (progress - config.warm_up) / (1 - config.warm_up)
    fall = 0.5 * (1 + math.cos(math.pi * rest))  # from 1 to 0
    return config.learning_rate * fall


def reductions(valid_losses: Sequence[float], config: TrainConfig) -> int:
    """How often the rate was reduced: torch's `ReduceLROnPlateau`, replayed."""
    best, bad, count = math.inf, 0, 0
    for loss in valid_losses:
        if loss < best * (1 - PLATEAU_THRESHOLD):
            best, bad = loss, 0
        else:
            bad += 1
        if bad > config.plateau_patience:
            bad, count = 0, count + 1
    return count


def expression_groups(
    data: TrainingData, selector: SelectorConfig, config: TrainConfig
) -> list[ExpressionGroup]:
    """What there is to train on, checked.

    Raises:
        DatasetError: nothing, or tokens of another width than the selector's.
        ConfigurationError: a choice of tracks that leaves nothing to validate on.
    """
    for sample in (*data.train, *data.valid):
        width = sample.stored.shape[2]
        if len(sample) and width != selector.object_token_dim:
            raise DatasetError(
                f"video {sample.video!r}: object tokens have {width} channels, but the selector "
                f"wants {selector.object_token_dim} (object_token_dim)."
            )
    groups = learnable(data.train)
    if not groups:
        raise DatasetError(
            f"{len(data.train)} training videos hold no expression with candidates among their "
            f"{' and '.join(config.train_sources)} tracks. Truth-prompted tracks need a cache of "
            "`rvosbench tracks build --truth`."
        )
    _check_valid(data.valid, config)
    return groups


def _check_valid(valid: Sequence[VideoSample], config: TrainConfig) -> None:
    """Refuses to choose an epoch by videos that have nothing to choose from: all score alike."""
    if not valid or any(len(sample) for sample in valid):
        return
    what = f"{len(valid)} validation videos hold no {' or '.join(config.valid_sources)} tracks"
    if not config.background_inference:
        raise ConfigurationError(
            f"{what}: background_inference=false validates on box tracks only. Build their cache "
            "with a grounder (`rvosbench tracks build --set grounder=NAME`, --valid-tracks), or "
            "keep the background"
        )
    raise DatasetError(f"{what}, so no epoch can be told from another: give other --valid-tracks")


def _identity(
    data: TrainingData, selector: SelectorConfig, config: TrainConfig, world: World
) -> dict[str, Json]:
    """All that decides the weights, JSON-safe."""
    return {
        "selector": asdict(selector),
        "training": {**asdict(config), "init": initial_hash(config.init)},
        "data": {**data.facts, "videos": [len(data.train), len(data.valid)]},
        "processes": world.size,
    }
