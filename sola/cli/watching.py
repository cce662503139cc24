"""What is seen of a training: a progress bar and a line an epoch, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from sola.training.observers import Watch

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TextColumn("steps"),
    TimeElapsedColumn(),
    TextColumn("elapsed,"),
    TimeRemainingColumn(),
    TextColumn("left"),
)
SHOWN = ("train_loss", "loss", "selection", "f1", "jf")


class Bar:
    """A bar over all steps."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        self._progress, self._epochs = progress, epochs
        self._task = progress.add_task("training", total=None)

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """Moves the bar."""
        self._progress.update(
            self._task,
            total=steps * self._epochs,
            completed=(epoch - 1) * steps + done,
            description=f"epoch {epoch}/{self._epochs}, loss {loss:.3f}",
        )

    def epoch(self, line: Mapping[str, float]) -> None:
        """Prints a line above the bar."""
        figures = " ".join(f"{k} {line[k]:.3f}" for k in SHOWN if k in line)
        self._progress.console.print(f"epoch {line['epoch']}: {figures}", highlight=False)


class _Both:
    """Tells two watches."""

    def __init__(self, *watches: Watch) -> None:
        self._watches = watches

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        for watch in self._watches:
            watch.step(epoch, done, steps, loss)

    def epoch(self, line: Mapping[str, float]) -> None:
        for watch in self._watches:
            watch.epoch(line)


@contextmanager
def watching(epochs: int, shown: bool, board: Path | None) -> Iterator[Watch | None]:
    """A bar on stderr, and TensorBoard files in the folder `board`; nothing unless `shown`.

    Raises:
        UsageError: a folder, but the package `tensorboard` is not installed.
    """
    if not shown:
        yield None
        return
    with ExitStack() as stack:
        seen = stack.enter_context(Progress(*COLUMNS, console=Console(file=sys.stderr)))
        bar = Bar(seen, epochs)
        if board is None:
            yield bar
            return
        from sola.training.board import Board

        files = Board(board)
        stack.callback(files.close)
        yield _Both(bar, files)
