"""A training that is interrupted anywhere ends with the weights of one that was not."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.errors import WeightsError
from sola.network.weights import load_selector, read_training
from sola.training.budget import fit_epochs
from sola.training.loop import DivergedError, TrainingInterruptedError, train
from sola.training.observers import Observer
from sola.training.state import LOG_FILE, STATE_FILE

from ..learnable import FAST, TINY, make_data

CONFIG = dataclasses.replace(FAST, epochs=3, track_dropout=0.2)


class Kills(Observer):
    """Sends this process a signal after a step, or after an epoch."""

    def __init__(self, place: tuple[int, int], number: int = signal.SIGINT) -> None:
        self.place, self.number = place, number

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        if (epoch, done) == self.place:
            os.kill(os.getpid(), self.number)

    def epoch(self, line: Mapping[str, float]) -> None:
        if (int(line["epoch"]), 0) == self.place:
            os.kill(os.getpid(), self.number)


def lines(folder: Path) -> list[dict[str, float]]:
    content = (folder / LOG_FILE).read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in content]


def same_weights(one: Path, other: Path) -> bool:
    a, b = (load_selector(folder).state_dict() for folder in (one, other))
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("place", "number"),
    [((1, 1), signal.SIGINT), ((2, 3), signal.SIGTERM), ((2, 0), signal.SIGINT)],
)
def test_the_same_weights_come_out(tmp_path: Path, place: tuple[int, int], number: int) -> None:
    data = make_data(10, 3)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    best = train(data, TINY, CONFIG, whole)
    before = signal.getsignal(number)
    with pytest.raises(TrainingInterruptedError, match="the same command resumes it") as stopped:
        train(data, TINY, CONFIG, cut, observers=[Kills(place, number)])
    epoch, steps = place[0] + (place[1] == 0), place[1] + 1  # the step that follows is finished
    assert f"stopped in epoch {epoch}, after {steps} steps of it" in str(stopped.value)
    assert signal.getsignal(number) is before
    assert (cut / STATE_FILE).exists()
    known = read_training(cut)  # of the best epoch so far, if one is done
    assert (known is not None) == (place[0] > 1)
    if known is not None:
        assert not known["finished"]
        assert known["best"]["selection"] == max(line["selection"] for line in lines(cut))
    assert fit_epochs(data, TINY, FAST, 1e6, cut).epochs == 3  # it keeps to its plan
    torch.rand(3)
    again = train(data, TINY, CONFIG, cut)
    assert same_weights(whole, cut)
    assert lines(whole) == lines(cut)
    assert {**again, "seconds": 0} == {**best, "seconds": 0}
    assert not (cut / STATE_FILE).exists()


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    data = make_data(6, 2)
    best = train(data, TINY, CONFIG, tmp_path)
    weights = (tmp_path / "model.safetensors").stat().st_mtime_ns
    assert train(data, TINY, CONFIG, tmp_path) == best
    assert (tmp_path / "model.safetensors").stat().st_mtime_ns == weights
    assert fit_epochs(data, TINY, FAST, 1e6, tmp_path).epochs == 3
    loss = dataclasses.replace(CONFIG.loss, alignment_weight=0.0)
    with pytest.raises(WeightsError, match=r"training\.loss\.alignment_weight is 0\.3, wanted 0"):
        train(data, TINY, dataclasses.replace(CONFIG, loss=loss), tmp_path)


def test_what_it_was_trained_with_is_kept(tmp_path: Path) -> None:
    data = dataclasses.replace(make_data(6, 2), facts={"train": [{"tracks": "abc"}]})
    train(data, TINY, CONFIG, tmp_path)
    content = read_training(tmp_path)
    assert content is not None
    assert content["finished"]
    assert content["identity"]["training"]["loss"]["alignment_weight"] == 0.3
    assert content["identity"]["training"]["background_training"]
    assert content["identity"]["data"]["train"] == [{"tracks": "abc"}]
    assert content["identity"]["selector"]["object_token_dim"] == 8
    (tmp_path / "training.json").write_text("[]")
    with pytest.raises(WeightsError, match="not written by"):
        read_training(tmp_path)


def test_a_broken_state_is_named(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_bytes(b"half of it")
    with pytest.raises(WeightsError, match=r"resume\.pt: cannot be read as the state"):
        train(make_data(4, 1), TINY, FAST, tmp_path)


def test_a_loss_that_is_no_number_stops_training_and_names_the_step(tmp_path: Path) -> None:
    data = make_data(4, 1)
    texts = {text: np.full_like(words, np.nan) for text, words in data.texts.items()}
    with pytest.raises(DivergedError, match="epoch 1, step 1 of 2: the loss is nan"):
        train(dataclasses.replace(data, texts=texts), TINY, FAST, tmp_path)


def test_before_the_last_step_a_signal_still_interrupts(tmp_path: Path) -> None:
    class Late(Observer):
        def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
            if (epoch, done) == (CONFIG.epochs, steps - 2):
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(TrainingInterruptedError):
        train(make_data(10, 3), TINY, CONFIG, tmp_path, observers=[Late()])


def test_a_training_begins_with_the_weights_it_is_given(tmp_path: Path) -> None:
    train(make_data(10, 3), TINY, CONFIG, tmp_path / "first")
    still = dataclasses.replace(
        CONFIG, epochs=1, learning_rate=1e-30, weight_decay=0.0, init=str(tmp_path / "first")
    )
    train(make_data(10, 3), TINY, still, tmp_path / "second")
    a, b = (load_selector(tmp_path / name).state_dict() for name in ("first", "second"))
    for name in a:
        assert torch.allclose(a[name], b[name], atol=1e-6), name
