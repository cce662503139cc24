"""Trains a selector on cached object tokens: no frame, mask or frozen model is touched.

Every step draws from its own generator, keyed by (seed, epoch, step), so a training that is
interrupted anywhere and resumed ends with the same weights as one that was not. `OUT/train.jsonl`
has a line an epoch; `OUT` always holds the best selector so far, by the selection score on held-out
videos, and `OUT/training.json` what it was trained with.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from rvosbench.errors import ConfigurationError, DatasetError, RvosbenchError, WeightsError
from rvosbench.records import Json
from sola.config import SelectorConfig, TrainConfig
from sola.data.batches import Batch
from sola.data.epochs import Chunk, epoch_plan, learnable, load_batch
from sola.data.samples import VideoSample
from sola.data.track_data import TrainingData, limited, prepared
from sola.network.initial_weights import initial_hash, load_initial
from sola.network.selector import TrackSelector
from sola.network.weights import load_selector, read_training, save_selector, write_training
from sola.training.judging import measure_masks
from sola.training.observers import Silent, Watch
from sola.training.parallel import World
from sola.training.schedule import learning_rate
from sola.training.signals import StopRequest, listening
from sola.training.state import (
    LOG_FILE,
    STATE_FILE,
    Progress,
    append_line,
    best_line,
    check_same,
    planned_epochs,
    resume,
    save_state,
)
from sola.training.validation import batch_loss, validate

logger = logging.getLogger(__name__)


class TrainingInterruptedError(RvosbenchError):
    """Somebody asked a training to stop; its state is on disk."""


class DivergedError(RvosbenchError):
    """The loss of a training is no number any more."""


@dataclass(frozen=True)
class _Run:
    """What does not change during a training."""

    data: TrainingData
    chunks: Sequence[Chunk]
    config: TrainConfig
    out: Path
    identity: Json
    world: World
    watch: Watch
    stop: StopRequest


def train(  # noqa: PLR0913 - what is trained, and three ways to look on
    data: TrainingData,
    selector: SelectorConfig,
    config: TrainConfig,
    out: Path,
    device: str = "cpu",
    watch: Watch | None = None,
    world: World | None = None,
) -> dict[str, float]:
    """Trains a selector, or goes on where `out` was left; a finished training is not repeated.

    SIGINT and SIGTERM stop it after the step that is being done, with its state on disk.

    Args:
        data: of `sola.data.track_data.open_training_data`; at least one expression with
            candidates.
        selector: its shape.
        config: how to train.
        out: folder of the best selector (`config.json`, `model.safetensors`, float32), what it was
            trained with (`training.json`), the log, and, until it is done, the state.
        device: torch's name of it.
        watch: is told of steps and epochs.
        world: of data parallelism, see `sola.training.parallel.joined`.

    Returns:
        The best epoch: "epoch", "train_loss", the measures of `validation.validate`, "seconds",
        and J&F on the validation videos' masks as "j", "f", "jf" where there are masks.

    Raises:
        DatasetError: nothing to learn from, or tokens that do not fit `selector`.
        WeightsError: `out` holds another training.
        TrainingInterruptedError: after a signal; the same call goes on.
        DivergedError: the loss is infinite or NaN.
    """
    world = world or World()
    identity = _identity(data, selector, config, world)
    finished = read_training(out)
    if finished is not None and finished.get("finished"):
        check_same(out, finished["identity"], identity)
        return dict(finished["best"])
    data = prepared(data, config.train_sources, config.valid_sources)
    chunks = _chunks(data, selector, config)
    out.mkdir(parents=True, exist_ok=True)
    progress = _start(selector, config, device)
    resume(progress, out / STATE_FILE, identity)
    with listening() as stop:
        run = _Run(data, chunks, config, out, identity, world, watch or Silent(), stop)
        return _go_on(run, progress)


def seconds_per_epoch(
    data: TrainingData, selector: SelectorConfig, config: TrainConfig, device: str = "cpu"
) -> float:
    """An estimate from a few steps and validations of a model that is thrown away.

    J&F counts with an epoch's share of it, if it is measured every few epochs.
    """
    return _estimate(data, selector, config, device)[0]


def _estimate(
    data: TrainingData, selector: SelectorConfig, config: TrainConfig, device: str
) -> tuple[float, float]:
    """Seconds of an epoch, and of what comes after the last one: J&F of the kept epoch."""
    data = prepared(data, config.train_sources, config.valid_sources)
    progress = _start(selector, config, device)
    plan = epoch_plan(_chunks(data, selector, config), config, 1)
    elapsed = []
    for step, entry in enumerate(plan[:6]):
        begin = time.perf_counter()
        batch = load_batch(data, entry, config, (1, step)).to(device)
        _backward(progress, batch, config, 1.0)
        _update(progress, config, rate=0.0)
        elapsed.append(time.perf_counter() - begin)
    validation, masks = _validation_seconds(data, progress.model, config)
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


def fit_epochs(
    data: TrainingData,
    selector: SelectorConfig,
    config: TrainConfig,
    seconds: float,
    out: Path,
    device: str = "cpu",
) -> TrainConfig:
    """The configuration with as many epochs as fit; one that is resumed keeps to its plan."""
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
        epoch, final = _estimate(data, selector, config, device)
        planned = max(1, int((seconds - 1.1 * final) / (1.1 * epoch)))
    return replace(config, epochs=planned)


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


def _chunks(data: TrainingData, selector: SelectorConfig, config: TrainConfig) -> list[Chunk]:
    for sample in (*data.train, *data.valid):
        width = sample.stored.shape[2]
        if len(sample) and width != selector.object_token_dim:
            raise DatasetError(
                f"video {sample.video!r}: object tokens have {width} channels, but the selector "
                f"wants {selector.object_token_dim} (object_token_dim)."
            )
    chunks = learnable(data.train)
    if not chunks:
        raise DatasetError(
            f"{len(data.train)} training videos hold no expression with candidates among their "
            f"{' and '.join(config.train_sources)} tracks. Truth-prompted tracks need a cache of "
            "`rvosbench tracks build --truth`."
        )
    _check_valid(data.valid, config)
    return chunks


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


def _start(selector: SelectorConfig, config: TrainConfig, device: str) -> Progress:
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = TrackSelector(selector)
        if config.gentle_start:
            model.start_gently()
        if config.init:
            load_initial(model, config.init)
        model.to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    return Progress(model, optimizer)


def _go_on(run: _Run, progress: Progress) -> dict[str, float]:
    best = best_line(run.out / LOG_FILE, progress.epoch) if run.world.first else {}
    while progress.epoch < run.config.epochs:
        begin = time.monotonic()
        _run_epoch(run, progress)
        line = run.world.agree(_measured(run, progress) if run.world.first else None)
        line["seconds"] = round(time.monotonic() - begin, 2)
        progress.valid_losses.append(line["loss"])
        if line["selection"] > progress.best:
            progress.best, best = line["selection"], line
            _keep(run, progress.model, best)
        _close_epoch(run, progress, line)
    if run.world.first:
        best = _finish(run, best)
    return dict(run.world.agree(best))


def _run_epoch(run: _Run, progress: Progress) -> None:
    """The steps of an epoch that are not done yet."""
    epoch = progress.epoch + 1
    plan = epoch_plan(run.chunks, run.config, epoch, run.world.size)
    progress.model.train()
    with torch.random.fork_rng():
        for step in range(len(progress.losses), len(plan)):
            torch.manual_seed(_seed(run.config.seed, epoch, step))
            stopped = _step(run, progress, plan[step], (epoch, step, len(plan)))
            run.watch.step(epoch, step + 1, len(plan), progress.losses[-1])
            if stopped and (step + 1 < len(plan) or epoch < run.config.epochs):
                _interrupt(run, progress)


def _step(
    run: _Run, progress: Progress, entry: Sequence[Chunk], place: tuple[int, int, int]
) -> bool:
    """One step; returns whether any process was asked to stop."""
    epoch, step, steps = place
    done = (epoch - 1 + (step + 0.5) / steps) / run.config.epochs
    rate = learning_rate(done, progress.valid_losses, run.config)
    mine, loss = run.world.share(entry), 0.0
    weight = sum(len(e) for _, e in mine) / sum(len(e) for _, e in entry)
    progress.optimizer.zero_grad()
    if mine:
        batch = load_batch(run.data, mine, run.config, (epoch, step))
        batch = batch.to(progress.model.negative_anchors.device)
        loss = _backward(progress, batch, run.config, weight)
    summed = run.world.add_up(progress.model.parameters(), [loss, float(run.stop.made)])
    if not math.isfinite(summed[0]):
        raise DivergedError(
            f"epoch {epoch}, step {step + 1} of {steps}: the loss is {summed[0]}, with a learning "
            f"rate of {rate:.3g}. {run.out} keeps the best epoch so far. Lower learning_rate or "
            "clip_norm, or use precision=float32, in another --out"
        )
    _update(progress, run.config, rate)
    progress.losses.append(summed[0])
    return summed[1] > 0


def _backward(progress: Progress, batch: Batch, config: TrainConfig, weight: float) -> float:
    """Gradients of the loss times `weight`, which is returned."""
    loss = batch_loss(progress.model, batch, config.loss, config.precision).total * weight
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())


def _update(progress: Progress, config: TrainConfig, rate: float) -> None:
    for group in progress.optimizer.param_groups:
        group["lr"] = rate
    torch.nn.utils.clip_grad_norm_(progress.model.parameters(), config.clip_norm)
    progress.optimizer.step()


def _measured(run: _Run, progress: Progress) -> dict[str, float]:
    """The line of the epoch that has just been run."""
    config, epoch = run.config, progress.epoch + 1
    samples = limited(run.data.valid or run.data.train, config.valid_videos)
    measures = validate(progress.model, samples, run.data.texts, config)
    line = {"epoch": epoch, "train_loss": float(np.mean(progress.losses)), **measures}
    if config.jf_every and epoch % config.jf_every == 0:
        line |= measure_masks(progress.model, samples, run.data.texts, config)
    return line


def _close_epoch(run: _Run, progress: Progress, line: Mapping[str, float]) -> None:
    progress.epoch, progress.losses = progress.epoch + 1, []
    if run.world.first:
        append_line(run.out / LOG_FILE, line)
        save_state(progress, run.out / STATE_FILE, run.identity)
        run.watch.epoch(line)
        logger.info("%s", " ".join(f"{k} {v:.4g}" for k, v in line.items()))


def _keep(run: _Run, model: TrackSelector, best: Mapping[str, float]) -> None:
    if run.world.first:
        save_selector(run.out, model)
        write_training(run.out, run.identity, best, finished=False)


def _finish(run: _Run, best: dict[str, float]) -> dict[str, float]:
    """Measures the best epoch's masks if that was not done, and marks the training as finished."""
    if "jf" not in best:
        model = load_selector(run.out)
        samples = limited(run.data.valid or run.data.train, run.config.valid_videos)
        best = {**best, **measure_masks(model, samples, run.data.texts, run.config)}
    write_training(run.out, run.identity, best, finished=True)
    (run.out / STATE_FILE).unlink(missing_ok=True)
    return best


def _interrupt(run: _Run, progress: Progress) -> None:
    if run.world.first:
        save_state(progress, run.out / STATE_FILE, run.identity)
    raise TrainingInterruptedError(
        f"stopped in epoch {progress.epoch + 1}, after {len(progress.losses)} steps of it. The "
        f"state is in {run.out / STATE_FILE}: the same command goes on from there."
    )


def _seed(seed: int, epoch: int, step: int) -> int:
    """Of torch's generator in a step: dropout."""
    return int(np.random.SeedSequence((seed, epoch, step)).generate_state(1)[0])
