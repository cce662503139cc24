"""The trainer: it learns, repeats itself, and goes on exactly where it was killed."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rvosbench.errors import DatasetError, WeightsError
from sola.config import TrainConfig
from sola.data.batches import ExpressionGroup, epoch_plan, learnable, load_batch
from sola.data.track_data import TrainingData
from sola.network.attention import AlignmentLayer
from sola.network.weights import load_selector
from sola.training import loop
from sola.training.budget import estimate_seconds, fit_epochs
from sola.training.loop import learning_rate, train
from sola.training.observers import Observer
from sola.training.state import LOG_FILE, STATE_FILE, best_line, planned_epochs
from sola.training.validation import validate

from ..cases import SMALL, make_case, make_selector
from ..learnable import FAST, TINY, make_data, make_video


def weights(folder: Path) -> dict[str, Tensor]:
    return load_selector(folder).state_dict()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def log_lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / LOG_FILE).read_text().splitlines()]


def test_it_learns_what_the_words_mean(tmp_path: Path) -> None:
    config = dataclasses.replace(FAST, epochs=12, track_dropout=0.2)
    best = train(make_data(), TINY, config, tmp_path)
    lines = log_lines(tmp_path)
    assert lines[-1]["train_loss"] < 0.6 * lines[0]["train_loss"]
    assert best["selection"] == max(line["selection"] for line in lines)
    assert best["selection"] > 0.6  # a selector that takes everything scores 0.9 / 4
    assert [line["epoch"] for line in lines] == list(range(1, 13))
    assert not (tmp_path / STATE_FILE).exists()


def test_a_seed_decides_everything(tmp_path: Path) -> None:
    data = make_data(8, 2)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(data, TINY, dataclasses.replace(FAST, epochs=1, seed=seed), tmp_path / name)
    first = weights(tmp_path / "a")
    assert same(first, weights(tmp_path / "b"))
    assert not same(first, weights(tmp_path / "c"))


def test_a_killed_training_goes_on_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_data(8, 2)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(data, TINY, FAST, whole)
    calls = []

    def dies_in_the_third(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return validate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "validate", dies_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        train(data, TINY, FAST, killed)
    assert planned_epochs(killed / STATE_FILE) == FAST.epochs
    monkeypatch.setattr(loop, "validate", validate)
    torch.rand(7)  # other use of the global generator does not matter
    best = train(data, TINY, FAST, killed)
    assert same(weights(whole), weights(killed))
    dropped = [
        [{k: v for k, v in line.items() if k != "seconds"} for line in log_lines(folder)]
        for folder in (whole, killed)
    ]
    assert dropped[0] == dropped[1]
    assert best["selection"] == max(line["selection"] for line in dropped[0])


def test_another_configuration_does_not_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_data(8, 2)

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        train(data, TINY, dataclasses.replace(FAST, epochs=1), tmp_path / "done")
        patch.setattr(loop.logger, "info", dies)  # after the first epoch's state is written
        with pytest.raises(KeyboardInterrupt):
            train(data, TINY, FAST, tmp_path)
    with pytest.raises(WeightsError, match=r"training\.seed is 0, wanted 5"):
        train(data, TINY, dataclasses.replace(FAST, seed=5), tmp_path)
    other = dataclasses.replace(data, facts={"train": "others"})
    with pytest.raises(WeightsError, match=r"data\.train is not recorded, wanted others"):
        train(other, TINY, FAST, tmp_path)


def test_global_randomness_is_left_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    train(make_data(4, 1), TINY, dataclasses.replace(FAST, epochs=1), tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no expression with candidates"):
        train(TrainingData([], [], {}), TINY, FAST, tmp_path)
    wide = dataclasses.replace(TINY, object_token_dim=16)
    with pytest.raises(DatasetError, match="8 channels, but the selector wants 16"):
        train(TrainingData([make_video(0)], [], {}), wide, FAST, tmp_path)


def test_an_epoch_can_be_timed() -> None:
    assert 0 < estimate_seconds(make_data(8, 0), TINY, FAST, "cpu")[0] < 60


@pytest.mark.parametrize("size", [1, 3, 8])
def test_a_plan_has_every_expression_once(size: int) -> None:
    groups = [ExpressionGroup(v, tuple(range(v % 6 + 1))) for v in range(20)]
    config = dataclasses.replace(FAST, batch_size=size, sentences_per_video=4)
    plan = epoch_plan(groups, config, 1)
    seen = [(v, e) for batch in plan for v, expressions in batch for e in expressions]
    assert sorted(seen) == [(v, e) for v, expressions in groups for e in expressions]
    assert seen != sorted(seen)
    assert max(sum(len(e) for _, e in batch) for batch in plan) <= size
    assert max(len(e) for batch in plan for _, e in batch) <= 4


def test_what_has_no_candidates_is_not_learnt_from() -> None:
    none = np.zeros((4, 5), bool)
    some = none.copy()
    some[2, 1] = True
    videos = [dataclasses.replace(make_video(0), candidates=c) for c in (none, some, None)]
    assert learnable(videos) == [(1, (2,)), (2, (0, 1, 2, 3))]


def test_dropping_tracks_leaves_at_least_one() -> None:
    data = make_data(12, 0)
    config = dataclasses.replace(FAST, track_dropout=0.9)
    plan = epoch_plan(learnable(data.train), config, 1)
    batches = [load_batch(data, entry, config, (1, step)) for step, entry in enumerate(plan)]
    counts = [
        int(n)
        for batch in batches
        for n in (
            batch.track_mask.sum(dim=1)
            if batch.track_mask is not None
            else torch.tensor([batch.objects.shape[1]])
        )
    ]
    assert min(counts) == 1
    assert max(counts) < 5


def test_a_gentle_start_unsaturates_the_first_attention() -> None:
    plain, gentle = make_selector(), make_selector()
    gentle.scale_down_first_attention()
    tokens, _ = plain.motion_encoder(make_case((6, 24, 5), 0).objects)
    rows = tokens.transpose(1, 2).flatten(0, 1)
    entropy = []
    for model in (plain, gentle):
        layer = model.layers[0]
        assert isinstance(layer, AlignmentLayer)
        assert layer.objects is not None
        attention = layer.objects.attention
        query, key = (
            attention._heads(project(rows)) for project in (attention.query, attention.key)
        )
        weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(dim=-1)
        entropy.append(float(torch.special.entr(weights).sum(dim=-1).mean().detach()))
    assert entropy[0] < entropy[1]
    assert entropy[1] > 0.9 * np.log(6)
    untouched = {
        n for n, p in plain.named_parameters() if torch.equal(p, dict(gentle.named_parameters())[n])
    }
    assert len(untouched) == len(list(plain.parameters())) - 3
    make_selector(
        dataclasses.replace(SMALL, inter_object_attention=False)
    ).scale_down_first_attention()


def test_the_time_of_masks_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, clock = make_data(8, 2), [0.0]

    def measured(*_: object) -> dict[str, float]:
        clock[0] += 500.0  # of both validation videos
        return {}

    monkeypatch.setattr("sola.training.budget.measure_masks", measured)
    monkeypatch.setattr("sola.training.budget.time.perf_counter", lambda: clock[0])
    for every, wanted in ((1, 500.0), (2, 250.0), (0, 0.0)):
        config = dataclasses.replace(FAST, jf_every=every)
        assert estimate_seconds(data, TINY, config, "cpu")[0] == pytest.approx(wanted)


@pytest.mark.parametrize(("every", "epochs"), [(1, 55), (2, 60), (0, 67)])
def test_as_many_epochs_are_planned_as_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int, epochs: int
) -> None:
    """With a clock by which a step, and a look at a few videos, takes a second.

    An epoch has 12 steps and validates 6 videos, of which 4 are timed (1.5 s); J&F is timed on 2
    of them (3 s). A tenth is kept in reserve.
    """
    ticks = itertools.count()
    monkeypatch.setattr("sola.training.budget.time.perf_counter", lambda: float(next(ticks)))
    config = dataclasses.replace(FAST, jf_every=every)
    data = make_data(24, 6)
    assert fit_epochs(data, TINY, config, 1000.0, tmp_path).epochs == epochs
    assert fit_epochs(data, TINY, config, 1.0, tmp_path).epochs == 1


class Seeds(Observer):
    """Notes torch's seed in every step."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        self.seen.append(torch.initial_seed())


def test_every_step_of_every_epoch_draws_its_own_dropout(tmp_path: Path) -> None:
    data, seen = make_data(8, 2), {}
    for seed in (0, 1):
        seeds = Seeds()
        config = dataclasses.replace(FAST, epochs=2, seed=seed)
        train(data, TINY, config, tmp_path / str(seed), observers=[seeds])
        seen[seed] = seeds.seen
    assert len(seen[0]) == 8
    assert len({*seen[0], *seen[1]}) == 16


def test_lines_that_the_state_does_not_know_are_cut(tmp_path: Path) -> None:
    log = tmp_path / LOG_FILE
    lines = [{"epoch": i + 1, "selection": s} for i, s in enumerate([0.2, 0.5, 0.9])]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert best_line(log, 2) == lines[1]
    assert [json.loads(line) for line in log.read_text().splitlines()] == lines[:2]
    assert best_line(log, 0) == {}
    assert log.read_text() == ""
    assert best_line(tmp_path / "none", 3) == {}


def test_the_rate_of_a_step_is_that_of_its_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def noted(progress: float, losses: Sequence[float], config: TrainConfig) -> float:
        seen.append(progress)
        return learning_rate(progress, losses, config)

    monkeypatch.setattr(loop, "learning_rate", noted)
    train(make_data(8, 2), TINY, dataclasses.replace(FAST, epochs=2), tmp_path)
    assert seen == [(step + 0.5) / 8 for step in range(8)]


def test_of_equal_epochs_the_first_is_kept(tmp_path: Path) -> None:
    """With hardly a step every epoch is as good as the first, which is what a reader expects."""
    still = dataclasses.replace(FAST, epochs=3, learning_rate=1e-30)
    assert train(make_data(10, 3), TINY, still, tmp_path)["epoch"] == 1
