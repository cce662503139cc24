"""The learning rate: warm-up and cosine, or torch's plateau rule."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from sola.config import TrainConfig
from sola.training.loop import learning_rate, reductions

from ..learnable import FAST


def test_the_rate_rises_then_falls_to_nothing() -> None:
    config = dataclasses.replace(FAST, warm_up=0.1, learning_rate=1.0)
    rates = [learning_rate(i / 100, (), config) for i in range(101)]
    assert rates[0] == 0
    assert rates[5] == pytest.approx(0.5)
    assert max(rates) == rates[10] == 1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0)


@pytest.mark.parametrize("patience", [0, 1, 5])
def test_the_plateau_rule_is_that_of_torch(patience: int) -> None:
    config = TrainConfig(plateau_patience=patience, learning_rate=1.0)
    losses = np.random.default_rng(patience).normal(1, 0.2, 24).round(2).tolist()
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([weight], lr=1.0)
    rule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience)
    for count, loss in enumerate(losses, start=1):
        rule.step(loss)
        assert learning_rate(0.5, losses[:count], config) == optimizer.param_groups[0]["lr"]
    assert reductions(losses, config) > 0
    assert reductions((), config) == 0


def test_the_released_preset_is_that_of_the_code() -> None:
    config = TrainConfig()
    assert (config.schedule, config.plateau_factor, config.plateau_patience) == ("plateau", 0.5, 5)
    assert (config.epochs, config.batch_size, config.learning_rate) == (15, 1, 5e-6)
    assert (config.weight_decay, config.clip_norm, config.label_threshold) == (0.01, 1.0, 0.7)
    assert learning_rate(0.0, (), config) == 5e-6
