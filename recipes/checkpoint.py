"""What changes while training, and the file that an interrupted training goes on from."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import nn

from rvosbench.errors import WeightsError
from rvosbench.files.atomic import write_bytes

CHECKPOINT_FILE = "checkpoint.pt"
Model = TypeVar("Model", bound=nn.Module)
Heads = TypeVar("Heads", bound=nn.Module)


@dataclass
class Training(Generic[Model, Heads]):
    """All that changes while training, and all that a checkpoint holds.

    Attributes:
        model: what is trained.
        heads: auxiliary heads, trained with it and dropped on export; may be an empty module.
        optimizer: of model and heads.
        rng: decides what is drawn; networks may draw from torch's global generator as well.
        average: exponential average of the model's weights; None keeps none.
        step: optimizer steps taken.
        seconds: processor time of training.
    """

    model: Model
    heads: Heads
    optimizer: torch.optim.Optimizer
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    average: Model | None = None
    step: int = 0
    seconds: float = 0.0

    @property
    def result(self) -> Model:
        """What is evaluated and exported: the average if there is one."""
        return self.model if self.average is None else self.average


def save_checkpoint(training: Training[Any, Any], folder: Path) -> None:
    """Writes `checkpoint.pt`: the file is whole, or the one before it."""
    content = {
        **{name: module.state_dict() for name, module in _parts(training).items()},
        "rng": json.dumps(training.rng.bit_generator.state),
        "torch_rng": torch.get_rng_state(),
        "step": training.step,
        "seconds": training.seconds,
    }
    stream = io.BytesIO()
    torch.save(content, stream)
    write_bytes(folder / CHECKPOINT_FILE, stream.getvalue())


def load_checkpoint(training: Training[Any, Any], folder: Path) -> bool:
    """Fills `training`, and torch's global generator, from the folder's checkpoint.

    Returns:
        Whether there is one.

    Raises:
        WeightsError: it is cut, or that of networks of another shape; `training` may have changed.
    """
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return False
    try:
        content = torch.load(path, weights_only=True)
        for name, module in _parts(training).items():
            module.load_state_dict(content[name])
        training.rng.bit_generator.state = json.loads(content["rng"])
        torch.set_rng_state(content["torch_rng"])
        training.step, training.seconds = int(content["step"]), float(content["seconds"])
    except Exception as error:  # torch raises many kinds
        raise WeightsError(
            f"{path}: cannot be read as the checkpoint of this training ({type(error).__name__}): "
            "delete it to start again"
        ) from error
    return True


def _parts(training: Training[Any, Any]) -> dict[str, Any]:
    parts = {name: getattr(training, name) for name in ("model", "heads", "average", "optimizer")}
    return {name: part for name, part in parts.items() if part is not None}
