"""What is told of a training, and to whom."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from sola.training.loop import train
from sola.training.observers import EVERY, Bar, Board, Lines, on_screen

from ..learnable import FAST, TINY, make_data

LINE = {"epoch": 2, "train_loss": 0.5, "loss": 0.25, "selection": 0.75, "f1": 0.125, "seconds": 9}


class Notes:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int, float]] = []
        self.lines: list[Mapping[str, float]] = []

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        self.steps.append((epoch, done, steps, loss))

    def epoch(self, line: Mapping[str, float]) -> None:
        self.lines.append(line)


def test_all_observers_are_told_all(tmp_path: Path) -> None:
    first, second = Notes(), Notes()
    train(make_data(8, 2), TINY, FAST, tmp_path, observers=[first, second])
    assert (first.steps, first.lines) == (second.steps, second.lines)
    assert [line["epoch"] for line in first.lines] == list(range(1, FAST.epochs + 1))
    epoch, done, steps, loss = first.steps[-1]
    assert (epoch, done, loss > 0) == (FAST.epochs, steps, True)
    assert len(first.steps) == FAST.epochs * steps


def test_a_bar_counts_the_steps_of_all_epochs() -> None:
    screen = io.StringIO()
    with Progress(console=Console(file=screen, width=200)) as progress:
        bar = Bar(progress, progress.add_task("training", total=None), epochs=4)
        bar.step(3, 5, 10, 0.1234)
        (task,) = progress.tasks
        assert (task.total, task.completed) == (40, 25)
        assert task.description == "epoch 3/4, loss 0.123"
        bar.epoch(LINE)
    shown = "epoch 2: train_loss 0.500 loss 0.250 selection 0.750 f1 0.125"
    assert shown in screen.getvalue()


def test_lines_tell_of_epochs_only() -> None:
    told: list[str] = []
    lines = Lines("network, seed 1", 7, told.append)
    lines.step(1, 1, 2, 0.5)
    lines.epoch(LINE)
    assert told == ["network, seed 1: epoch 2/7, train_loss 0.500 selection 0.750 f1 0.125"]


def test_tensorboard_has_every_tenth_loss_and_all_measures(tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    before = set(threading.enumerate())
    board = Board(tmp_path)
    for epoch in (1, 2):
        for done in range(1, 16):
            board.step(epoch, done, 15, epoch + done / 100)
    board.epoch(LINE)
    board.step(3, 10, 10, 3.5)  # after the last epoch that was whole
    board.close()
    assert set(threading.enumerate()) <= before  # the writer's own has ended
    written = reader.EventAccumulator(str(tmp_path)).Reload()
    points = [(e.step, round(e.value, 4)) for e in written.Scalars("step/loss")]
    assert EVERY == 10
    assert points == [(10, 1.1), (20, 2.05), (30, 2.15), (30, 3.5)]
    tags = {f"epoch/{name}" for name in LINE if name != "epoch"}
    assert set(written.Tags()["scalars"]) == {"step/loss", *tags}
    assert [(e.step, e.value) for e in written.Scalars("epoch/f1")] == [(2, 0.125)]


def test_a_board_is_told_as_well_as_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with on_screen(3, tmp_path / "board") as observers:
        for observer in observers:
            observer.epoch(LINE)
    assert "epoch 2: train_loss 0.500" in capsys.readouterr().err
    assert list((tmp_path / "board").iterdir())
    with on_screen(3) as observers:
        (only,) = observers
        only.step(1, 1, 2, 0.5)
