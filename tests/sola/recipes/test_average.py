"""The average of selectors, and which threshold suits it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.errors import WeightsError
from sola.checkpoint import load_selector, save_selector
from sola.recipes.average import THRESHOLDS, average, scores_by_threshold
from sola.training import train

from ..cases import make_selector
from ..learnable import FAST, TINY, make_data


def test_it_is_the_mean_of_every_tensor(tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        save_selector(tmp_path / f"{seed}", make_selector(TINY, seed=seed))
    mean = average([tmp_path / f"{seed}" for seed in (0, 1, 2)]).state_dict()
    states = [load_selector(tmp_path / f"{seed}").state_dict() for seed in (0, 1, 2)]
    for name, value in mean.items():
        torch.testing.assert_close(value, sum(s[name] for s in states) / 3)


def test_selectors_of_different_shapes_have_no_mean(tmp_path: Path) -> None:
    save_selector(tmp_path / "one", make_selector(TINY))
    save_selector(tmp_path / "other", make_selector(dataclasses.replace(TINY, n_layers=2)))
    with pytest.raises(WeightsError, match="different shapes"):
        average([tmp_path / "one", tmp_path / "other"])


def test_its_scores_are_those_of_validation(tmp_path: Path) -> None:
    data = make_data()
    best = train(data, TINY, dataclasses.replace(FAST, epochs=3), tmp_path)
    scores = scores_by_threshold(load_selector(tmp_path), data)
    assert tuple(scores) == THRESHOLDS
    np.testing.assert_allclose(scores[0.5], best["selection"], rtol=1e-6)
    assert len(set(scores.values())) > 1
