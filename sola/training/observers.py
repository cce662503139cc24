"""Looking on while a selector is trained: a progress bar, lines, TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.progress import Progress, TaskID

from rvosbench.cli.screen import bar
from rvosbench.errors import UsageError

SHOWN = ("train_loss", "loss", "selection", "f1", "jf")
EVERY = 10
"""Steps between two points of TensorBoard's training loss."""


class Observer(Protocol):
    """Is told how a training goes; a class that derives from it may leave out either."""

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """A step of an epoch is done."""
        return

    def epoch(self, line: Mapping[str, float]) -> None:
        """An epoch is done and measured."""
        return


class Bar:
    """A bar over all steps, and a line an epoch above it."""

    def __init__(self, progress: Progress, task: TaskID, epochs: int) -> None:
        self._progress, self._task, self._epochs = progress, task, epochs

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
        text = f"epoch {line['epoch']}: {_values(line, SHOWN)}"
        self._progress.console.print(text, highlight=False)


@dataclass(frozen=True)
class Lines(Observer):
    """Tells of every epoch in a line: bars of several processes would overwrite each other.

    Attributes:
        label: of the training.
        epochs: that it has.
        tell: takes a line.
    """

    label: str
    epochs: int
    tell: Callable[[str], None]

    def epoch(self, line: Mapping[str, float]) -> None:
        """A line."""
        values = _values(line, ("train_loss", "selection", "f1"))
        self.tell(f"{self.label}: epoch {line['epoch']:.0f}/{self.epochs}, {values}")


class Board:
    """Training curves for TensorBoard; the package is an extra.

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
                "'rvosbench[tensorboard]'. Without it the same values are in train.jsonl"
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


@contextmanager
def on_screen(epochs: int, board: Path | None = None) -> Iterator[list[Observer]]:
    """A bar on stderr, and TensorBoard files in the folder `board`.

    Raises:
        UsageError: a folder, but the package `tensorboard` is not installed.
    """
    with ExitStack() as stack:
        progress, task = stack.enter_context(bar("training", None, "steps"))
        observers: list[Observer] = [Bar(progress, task, epochs)]
        if board is not None:
            files = Board(board)
            stack.callback(files.close)
            observers.append(files)
        yield observers


def _values(line: Mapping[str, float], names: tuple[str, ...]) -> str:
    return " ".join(f"{name} {line[name]:.3f}" for name in names if name in line)
