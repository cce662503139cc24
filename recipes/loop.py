"""The one training loop of all recipes: steps, the log, checkpoints, evaluations.

A folder of a training holds `recipe.json`, `log.jsonl`, `checkpoint.pt`, and in `export` what the
package embeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from recipes.checkpoint import Training, load_checkpoint, save_checkpoint
from recipes.clock import Budget, Clock
from recipes.log import Log
from recipes.schedule import Schedule

EXPORT = "export"
AVERAGE = 0.998
"""Decay of the exponential average of the weights, a step."""


class Loss(NamedTuple):
    """What a step minimises: the sum of weighted scalars by name; and what is only logged."""

    parts: dict[str, Tensor]
    measures: dict[str, float] = {}  # noqa: RUF012 - never written to


LossOf = Callable[[float], Loss]
"""The loss of a fresh batch, when the given share of the training is done."""


@dataclass(frozen=True)
class Report:
    """An evaluation that is due: its number from 1, and whether it is the last."""

    number: int
    last: bool


Evaluate = Callable[[Report], dict[str, float]]
"""Scores of what has been trained until now; writes the export."""


@dataclass(frozen=True)
class Plan:
    """How often what happens.

    Attributes:
        budget: when the training ends.
        schedule: of the learning rate.
        log_steps: between lines of the log.
        checkpoint_minutes: between checkpoints, in processor time of training.
        evaluation_minutes: between evaluations, likewise.
    """

    budget: Budget
    schedule: Schedule
    log_steps: int = 50
    checkpoint_minutes: float = 3.0
    evaluation_minutes: float = 6.0


def fit(
    training: Training[Any, Any],
    plan: Plan,
    loss_of: LossOf,
    evaluate: Evaluate,
    out: Path,
    *,
    resume: bool = False,
) -> None:
    """Trains in place until the budget is spent, then evaluates once more.

    Args:
        training: networks as they are at first.
        plan: how long, and how often what happens.
        loss_of: the loss of a fresh batch.
        evaluate: scores and exports.
        out: folder of the log and the checkpoint; made if missing.
        resume: go on from the checkpoint there, if there is one.

    Raises:
        WeightsError: the checkpoint is broken.
    """
    out.mkdir(parents=True, exist_ok=True)
    if resume:
        load_checkpoint(training, out)
    log, clock = Log(out), Clock(training.seconds)
    saved = evaluated = training.seconds
    number = int(training.seconds / 60 // plan.evaluation_minutes)
    while (progress := plan.budget.progress(training.step, training.seconds)) < 1:
        log.add(take_step(training, loss_of(progress), plan.schedule, progress))
        training.seconds = clock.seconds()
        if training.step % plan.log_steps == 0:
            log.write_means(training.step, training.seconds)
        if training.seconds - saved > plan.checkpoint_minutes * 60:
            saved = training.seconds
            save_checkpoint(training, out)
        if training.seconds - evaluated > plan.evaluation_minutes * 60:
            evaluated, number = training.seconds, number + 1
            with clock.stopped():
                scores = evaluate(Report(number, last=False))
                log.write("eval", training.step, training.seconds, scores)
    save_checkpoint(training, out)
    scores = evaluate(Report(number + 1, last=True))
    log.write("eval", training.step, training.seconds, scores)


def take_step(
    training: Training[Any, Any], loss: Loss, schedule: Schedule, progress: float
) -> dict[str, float]:
    """One optimizer step, with gradients clipped to norm 1.

    Returns:
        The losses and measures by name, "total", and "gradient", the norm before clipping.
    """
    for group in training.optimizer.param_groups:
        group["lr"] = schedule.rate(progress, training.step)
    total = torch.stack(list(loss.parts.values())).sum()
    training.optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    parameters = [p for group in training.optimizer.param_groups for p in group["params"]]
    norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    training.optimizer.step()
    training.step += 1
    if training.average is not None:
        decay = min(AVERAGE, training.step / (training.step + 10))
        _update(training.average, training.model, decay)
    values = {name: float(value.detach()) for name, value in loss.parts.items()}
    return {"total": float(total.detach()), "gradient": float(norm), **values, **loss.measures}


@torch.no_grad()
def _update(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves the average towards the model; the first steps count more."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
