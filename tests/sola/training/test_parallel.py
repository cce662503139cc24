"""Two processes learn what one learns with the double batch."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sola.data.batches import ExpressionGroup
from sola.network.weights import load_selector
from sola.training.loop import train
from sola.training.parallel import World, joined, own_device

from ..learnable import make_data
from ..worker import CONFIG, SHAPE

ROOT = Path(__file__).parents[3]


def test_a_batch_is_shared_without_loss() -> None:
    batch = [
        ExpressionGroup(3, (0, 1, 2)),
        ExpressionGroup(5, (4,)),
        ExpressionGroup(1, (7, 8)),
    ]
    shares = [World(rank, 2).share(batch) for rank in range(2)]
    assert shares == [[(3, (0, 1, 2))], [(5, (4,)), (1, (7, 8))]]
    shares = [World(rank, 4).share(batch) for rank in range(4)]
    assert shares == [[(3, (0,))], [(3, (1, 2))], [(5, (4,))], [(1, (7, 8))]]
    single = [ExpressionGroup(0, (0,))]
    assert World(1, 2).share(single) == single
    assert World(0, 2).share(single) == []
    assert World().share(batch) == batch


def test_a_process_alone_is_a_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu") as world:
        assert world == World()
        assert world.first
        assert world.all_reduce_gradients([], [1.0, 2.0]) == [1.0, 2.0]
        assert world.broadcast("x") == "x"


def test_every_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert own_device("cuda") == "cuda"
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert own_device("cuda") == own_device("cuda:0") == "cuda:3"
    assert own_device("cpu") == "cpu"


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    worker = ["--nproc-per-node", "2", "-m", "tests.sola.worker", str(tmp_path / "two")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, *worker], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    double = dataclasses.replace(CONFIG, batch_size=2 * CONFIG.batch_size)
    train(make_data(9, 3), SHAPE, double, tmp_path / "one")
    one, two = (load_selector(tmp_path / name).state_dict() for name in ("one", "two"))
    # A key's bias shifts all of a query's scores alike: its gradient is nothing but rounding,
    # which AdamW blows up to steps of full size, to no effect.
    felt = {name for name in one if not name.endswith("attention.key.bias")}
    for name, value in ((name, one[name]) for name in felt):
        torch.testing.assert_close(two[name], value, rtol=1e-5, atol=1e-5)
    logs = [
        [json.loads(line) for line in (tmp_path / name / "train.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    for alone, shared in zip(*logs, strict=True):
        assert shared["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-5)
        assert shared["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    assert (tmp_path / "two" / "training.json").exists()
