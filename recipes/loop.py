"""What the recipes of the embedded networks share: a step, checkpoints, the log."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)


class Training(Protocol):
    """All that changes while training, and all that a checkpoint holds.

    Attributes:
        model: what is trained.
        heads: auxiliary heads, trained with it and dropped on export.
        average: exponential average of the model's weights: what is exported.
        optimiser: of model and heads.
        rng: decides what is drawn.
        step: optimiser steps taken.
        seconds: of training.
    """

    step: int
    seconds: float

    @property
    def model(self) -> nn.Module: ...  # noqa: D102 - see the class
    @property
    def heads(self) -> nn.Module: ...  # noqa: D102
    @property
    def average(self) -> nn.Module: ...  # noqa: D102
    @property
    def optimiser(self) -> torch.optim.Optimizer: ...  # noqa: D102
    @property
    def rng(self) -> np.random.Generator: ...  # noqa: D102


def schedule(progress: float, step: int, warm_up: int) -> float:
    """Learning-rate factor: warm-up by steps, then a cosine to 0.02 by progress in [0, 1]."""
    return min(1.0, (step + 1) / warm_up) * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))


def set_rate(state: Training, rate: float) -> None:
    """Sets the learning rate of all parameters."""
    for group in state.optimiser.param_groups:
        group["lr"] = rate


def optimise(state: Training, losses: dict[str, Tensor], average: float) -> dict[str, float]:
    """One step on the sum of `losses`, with gradients clipped to norm 1.

    Args:
        state: is changed.
        losses: weighted scalars by name; at least one.
        average: decay of the average of the weights, less in the first steps.

    Returns:
        The losses by name, with "total" and "gradient", the norm before clipping.
    """
    total = torch.stack(list(losses.values())).sum()
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    parameters = [p for g in state.optimiser.param_groups for p in g["params"]]
    norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    state.optimiser.step()
    state.step += 1
    _update_average(state, min(average, state.step / (state.step + 10)))
    values = {name: round(float(v.detach()), 4) for name, v in sorted(losses.items())}
    return {"total": round(float(total.detach()), 4), "gradient": round(float(norm), 3), **values}


@torch.no_grad()
def _update_average(state: Training, decay: float) -> None:
    torch._foreach_lerp_(
        list(state.average.parameters()), list(state.model.parameters()), 1 - decay
    )


def save_checkpoint(state: Training, path: Path) -> None:
    """Writes the state beside `path` and renames it, so that a crash leaves the last one."""
    content = {
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "heads": state.heads.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "rng": json.dumps(state.rng.bit_generator.state),
        "step": state.step,
        "seconds": state.seconds,
    }
    beside = path.with_suffix(".new")
    torch.save(content, beside)
    beside.replace(path)


def load_checkpoint(state: Training, path: Path) -> None:
    """Fills `state` from a file of `save_checkpoint`."""
    content: dict[str, Any] = torch.load(path, weights_only=True)
    for name in ("model", "average", "heads"):
        getattr(state, name).load_state_dict(content[name])
    state.optimiser.load_state_dict(content["optimiser"])
    state.rng.bit_generator.state = json.loads(content["rng"])
    state.step, state.seconds = content["step"], content["seconds"]


def log(out: Path, state: Training, kind: str, values: dict[str, float]) -> None:
    """Adds a line to `out/log.jsonl`."""
    row = {"kind": kind, "minutes": round(state.seconds / 60, 2), "step": state.step, **values}
    line = json.dumps(row)
    with (out / "log.jsonl").open("a") as file:
        file.write(line + "\n")
    logger.info("%s", line)
