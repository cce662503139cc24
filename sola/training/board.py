"""Training curves for TensorBoard; the package is an extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rvosbench.errors import UsageError

EVERY = 10
"""Steps between two points of the training loss."""


class Board:
    """Writes event files.

    Args:
        folder: of the event files; a training that is resumed adds to it.

    Raises:
        UsageError: the package `tensorboard` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UsageError(
                "--tensorboard needs the package of that name: pip install "
                "'rvosbench[tensorboard]'. Without it the same figures are in train.jsonl"
            ) from error
        self._writer = SummaryWriter(str(folder))

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """The loss of every tenth step."""
        number = (epoch - 1) * steps + done
        if number % EVERY == 0:
            self._writer.add_scalar("step/loss", loss, number)

    def epoch(self, line: Mapping[str, float]) -> None:
        """All measures of an epoch."""
        for name, value in line.items():
            if name != "epoch":
                self._writer.add_scalar(f"epoch/{name}", value, int(line["epoch"]))
        self._writer.flush()

    def close(self) -> None:
        """Finish the files."""
        self._writer.close()
