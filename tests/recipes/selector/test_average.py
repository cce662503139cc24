"""The average of selectors, and which threshold suits it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.selector.average import average, main, scores_by_threshold
from rvosbench.errors import WeightsError
from sola.analysis.thresholds import THRESHOLDS
from sola.config import DEMO_SELECTOR
from sola.network.weights import (
    checkpoint_hash,
    load_selector,
    read_training,
    save_selector,
    write_training,
)
from sola.training.loop import train

from ...sola.cases import make_selector
from ...sola.learnable import FAST, TINY, make_data
from .caches import make_cache


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


def selectors(folder: Path) -> list[Path]:
    places = [folder / "one", folder / "two"]
    for seed, place in enumerate(places):
        save_selector(place, make_selector(DEMO_SELECTOR, seed=seed))
        write_training(place, {"training": {"seed": seed}, "data": {"train": "toys"}}, {}, True)
    return places


def test_the_command_writes_the_mean_and_where_it_is_from(tmp_path: Path) -> None:
    places, out = selectors(tmp_path), tmp_path / "mean"
    cache = make_cache(tmp_path / "cache", 2, with_grid=True)
    main(["--tracks", str(cache), "--out", str(out), *map(str, places)])
    mean, found = average(places).state_dict(), load_selector(out).state_dict()
    for name, value in mean.items():
        torch.testing.assert_close(found[name], value.half().float(), rtol=0, atol=0)
    training = read_training(out)
    assert training is not None
    assert training["finished"]
    members = training["identity"]["average"]
    assert [m["weights"] for m in members] == [checkpoint_hash(place) for place in places]
    assert [m["identity"]["training"]["seed"] for m in members] == [0, 1]
    assert training["best"]["threshold"] in THRESHOLDS


def test_a_wrong_cache_is_told_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, places = tmp_path / "mean", selectors(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["--tracks", str(tmp_path / "none"), "--out", str(out), *map(str, places)])
    assert stop.value.code == 1
    assert "none" in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()
