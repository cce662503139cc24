"""A training that begins at other weights than random ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from rvosbench.errors import WeightsError
from sola.config import DEMO_SELECTOR, DEMO_TRAINING, SelectorConfig
from sola.model import TrackSelector
from sola.network.weights import (
    EMBEDDED,
    initial_hash,
    load_initial,
    load_selector,
    read_training,
    save_selector,
    save_weights,
    write_training,
)
from sola.training.budget import fit_epochs
from sola.training.loop import train

from ..cases import SMALL, make_selector
from ..learnable import FAST, TINY, make_data


def test_a_whole_selector_is_taken(tmp_path: Path) -> None:
    earlier, mine = make_selector(SMALL, seed=1), make_selector(SMALL, seed=2)
    save_selector(tmp_path, earlier)
    load_initial(mine, str(tmp_path))
    for name, value in earlier.state_dict().items():
        assert torch.equal(mine.state_dict()[name], value), name


def test_a_part_leaves_the_rest_alone(tmp_path: Path) -> None:
    earlier, mine = make_selector(SMALL, seed=1), make_selector(SMALL, seed=2)
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    part = {n: v for n, v in earlier.state_dict().items() if n.startswith("motion_encoder.")}
    save_weights(tmp_path, part)
    load_initial(mine, str(tmp_path))
    for name, value in mine.state_dict().items():
        assert torch.equal(value, part.get(name, before[name])), name


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(SMALL, n_negative=3),
        dataclasses.replace(SMALL, motion_attention=False),
    ],
)
def test_weights_that_do_not_fit_are_named(other: SelectorConfig, tmp_path: Path) -> None:
    save_selector(tmp_path, make_selector(SMALL, seed=1))
    mine = make_selector(other, seed=2)
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    with pytest.raises(WeightsError, match=r"do not fit this network, such as .*--set selector"):
        load_initial(mine, str(tmp_path))
    assert all(torch.equal(before[name], value) for name, value in mine.state_dict().items())


def test_no_weights_is_a_clear_error(tmp_path: Path) -> None:
    for call in (
        lambda: load_initial(make_selector(SMALL), str(tmp_path)),
        lambda: initial_hash("nowhere"),
    ):
        with pytest.raises(WeightsError, match="no weights to begin with"):
            call()
    assert initial_hash("") == ""


def test_training_begins_there_and_says_so(tmp_path: Path) -> None:
    data = make_data(8, 2)
    train(data, TINY, dataclasses.replace(FAST, epochs=1), tmp_path / "first")
    config = dataclasses.replace(
        FAST, epochs=1, learning_rate=1e-12, warm_up=0.0, init=str(tmp_path / "first")
    )
    train(data, TINY, config, tmp_path / "second")
    first, second = (load_selector(tmp_path / n).state_dict() for n in ("first", "second"))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=0, atol=1e-6)
    training = read_training(tmp_path / "second")
    assert training is not None
    assert training["identity"]["training"]["init"] == initial_hash(str(tmp_path / "first"))


def test_a_resumed_training_with_other_weights_is_refused(tmp_path: Path) -> None:
    data = make_data(8, 2)
    for seed in (0, 1):
        save_selector(tmp_path / f"{seed}", make_selector(TINY, seed=seed))
    config = dataclasses.replace(FAST, epochs=1)
    train(data, TINY, dataclasses.replace(config, init=str(tmp_path / "0")), tmp_path / "out")
    with pytest.raises(WeightsError, match="init"):
        train(data, TINY, dataclasses.replace(config, init=str(tmp_path / "1")), tmp_path / "out")


def test_the_demo_begins_with_the_embedded_motion_encoder() -> None:
    assert DEMO_TRAINING.init == "demo"
    mine = TrackSelector(DEMO_SELECTOR)
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    load_initial(mine, "demo")
    assert initial_hash("demo") == initial_hash(str(EMBEDDED))
    changed = {
        n.split(".")[0] for n, v in mine.state_dict().items() if not torch.equal(v, before[n])
    }
    assert changed == {"motion_encoder"}


def test_demo_is_the_embedded_one_whatever_lies_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    load_initial(TrackSelector(DEMO_SELECTOR), "demo")
    assert initial_hash("demo") == initial_hash(str(EMBEDDED))


def test_a_checkpoint_without_tensors_is_no_beginning(tmp_path: Path) -> None:
    torch.save({"net": {"weight": torch.zeros(1)}, "epoch": 3}, tmp_path / "odd.pt")
    with pytest.raises(WeightsError, match="no tensors"):
        load_initial(make_selector(SMALL), str(tmp_path / "odd.pt"))


def test_an_average_is_no_training_to_go_on_with(tmp_path: Path) -> None:
    write_training(tmp_path, {"average": [], "data": {}}, {}, finished=True)
    with pytest.raises(WeightsError, match="average of selectors"):
        fit_epochs(make_data(4, 2), TINY, FAST, 60, tmp_path)
