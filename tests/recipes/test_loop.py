"""What all recipes share: the loop, its schedule, clock, checkpoint, log and command line."""

from __future__ import annotations

import json
import logging
import runpy
import subprocess
import sys
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from recipes.checkpoint import CHECKPOINT_FILE, Training, load_checkpoint, save_checkpoint
from recipes.clock import Budget, Clock
from recipes.command import command_parser, execute, recipe_from
from recipes.log import LOG_FILE, Log
from recipes.loop import Loss, Plan, Report, fit, take_step
from recipes.schedule import Schedule
from rvosbench.errors import WeightsError

Line = Training[nn.Linear, nn.Linear]


def new_line(seed: int = 0) -> Line:
    """A line to fit, with a head and an average."""
    torch.manual_seed(seed)
    model, head = nn.Linear(1, 1), nn.Linear(1, 1)
    average = nn.Linear(1, 1)
    average.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW([*model.parameters(), *head.parameters()])
    return Training(model, head, optimizer, np.random.default_rng(seed), average)


def loss_of(training: Line) -> Loss:
    """To fit y = 2 x + 1, at points that are drawn from both generators."""
    x = torch.rand(8, 1) + float(training.rng.random())
    error = (training.model(x) - 2 * x - 1).square().mean()
    return Loss({"error": error, "head": training.heads(x).square().mean()}, {"drawn": float(x[0])})


def run(training: Line, steps: int, out: Path, *, resume: bool = False, log: int = 50) -> Line:
    plan = Plan(Budget(steps=steps), Schedule(0.1), log_steps=log)
    torch.manual_seed(1)
    fit(training, plan, lambda _: loss_of(training), lambda _: {}, out, resume=resume)
    return training


def weights(training: Line) -> torch.Tensor:
    modules = (training.model, training.heads, training.result)
    return torch.cat([p.detach().flatten() for m in modules for p in m.parameters()])


@pytest.mark.parametrize(("floor", "middle"), [(0.02, 0.51), (0.01, 0.505), (0.0, 0.5)])
def test_the_rate_warms_up_and_ends_at_its_floor(floor: float, middle: float) -> None:
    schedule = Schedule(3.0, floor)
    assert schedule.rate(0.0, 0) == pytest.approx(0.03)
    assert schedule.rate(0.0, 99) == schedule.rate(0.0, 500) == pytest.approx(3.0)
    assert schedule.rate(0.5, 500) == pytest.approx(3 * middle)
    assert schedule.rate(1.0, 500) == pytest.approx(3 * floor)
    assert Schedule(1.0, floor, warm_up=2).rate(0.0, 0) == pytest.approx(0.5)


def test_a_budget_is_processor_minutes_or_steps() -> None:
    assert Budget(2.0).progress(step=10**6, seconds=30) == 0.25
    assert Budget(2.0).progress(step=0, seconds=999) == 1
    assert Budget(steps=8).progress(step=2, seconds=10**6) == 0.25
    assert Budget(0).progress(0, 0) == Budget(steps=0).progress(0, 0) == 1


def test_the_clock_counts_computing_only() -> None:
    clock = Clock(100.0)

    def compute() -> None:
        for _ in range(200):
            np.linalg.inv(np.eye(100))

    compute()
    spent = clock.seconds() - 100
    assert spent > 0
    with clock.stopped():
        for _ in range(5):
            compute()
    assert clock.seconds() - 100 < 3 * spent


def test_a_step_clips_moves_the_average_and_says_what_it_did() -> None:
    training = new_line()
    before = weights(training)
    torch.manual_seed(1)
    huge = Loss({"error": 1e6 * loss_of(training).parts["error"]}, {"seen": 0.5})
    values = take_step(training, huge, Schedule(0.1, warm_up=1), 0.0)
    assert values["gradient"] > 1e5
    assert values["seen"] == 0.5
    gradient = torch.stack(
        [p.grad.norm() for p in training.model.parameters() if p.grad is not None]
    )
    assert float(gradient.norm()) == pytest.approx(1.0, abs=1e-4)
    moved = weights(training) - before
    assert moved[:2].abs().max() == pytest.approx(0.1, rel=0.05)  # AdamW's first step is the rate
    torch.testing.assert_close(moved[4:], moved[:2] * (1 - 1 / 11))  # the average follows


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = run(new_line(), 20, tmp_path / "whole")
    first = new_line()
    plan = Plan(Budget(steps=20), Schedule(0.1))

    class Stop(Exception):  # noqa: N818 - a signal in the middle of a step
        pass

    def stopped(_: float) -> Loss:
        if first.step == 7:
            raise Stop
        return loss_of(first)

    torch.manual_seed(1)
    with pytest.raises(Stop):
        fit(first, plan, stopped, lambda _: {}, tmp_path / "stopped")
    save_checkpoint(first, tmp_path / "stopped")
    resumed = new_line(seed=9)
    fit(resumed, plan, lambda _: loss_of(resumed), lambda _: {}, tmp_path / "stopped", resume=True)
    assert resumed.step == 20
    assert torch.equal(weights(resumed), weights(whole))


def test_without_resume_a_training_begins_anew(tmp_path: Path) -> None:
    run(new_line(), 5, tmp_path)
    again = run(new_line(), 5, tmp_path)
    assert again.step == 5
    assert run(new_line(), 5, tmp_path, resume=True).step == 5
    assert run(new_line(), 8, tmp_path, resume=True).step == 8


def test_checkpoints_and_evaluations_come_when_they_are_due(tmp_path: Path) -> None:
    training, seen = new_line(), []

    def evaluate(report: Report) -> dict[str, float]:
        seen.append((training.step, report.number, report.last))
        return {"score": 0.123456}

    plan = Plan(Budget(steps=3), Schedule(0.1), checkpoint_minutes=0, evaluation_minutes=1e-9)
    fit(training, plan, lambda _: loss_of(training), evaluate, tmp_path)
    assert [(step, last) for step, _, last in seen] == [
        (1, False),
        (2, False),
        (3, False),
        (3, True),
    ]
    rows = [json.loads(line) for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 3]
    assert rows[0] == {"kind": "eval", "minutes": 0.0, "step": 1, "score": 0.1235}
    assert load_checkpoint(new_line(), tmp_path)


@pytest.mark.parametrize("damage", ["cut", "foreign", "another shape"])
def test_a_broken_checkpoint_says_what_to_do(tmp_path: Path, damage: str) -> None:
    run(new_line(), 2, tmp_path)
    path = tmp_path / CHECKPOINT_FILE
    other = new_line()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "foreign":
        path.write_bytes(b"no checkpoint")
    else:
        other = Training(nn.Linear(2, 1), other.heads, other.optimizer, other.rng)
    with pytest.raises(WeightsError, match=r"checkpoint\.pt: .*delete it to start again"):
        load_checkpoint(other, tmp_path)


def test_the_log_holds_running_means(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.add({"loss": 1.0})
    log.add({"loss": 2.0, "seldom": 4.0})
    log.write_means(100, 30.0)
    line = json.loads((tmp_path / LOG_FILE).read_text())
    means = {"loss": pytest.approx(1.02), "seldom": 4.0}
    assert line == {"kind": "train", "minutes": 0.5, "step": 100, **means}


@dataclass(frozen=True)
class Weights:
    near: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """A recipe.

    Attributes:
        budget: how long.
        seed: of all that is drawn,
            twice.
    """

    budget: Budget = field(default=Budget(5.0))
    seed: int = 3
    only_once: bool = False
    sizes: tuple[int, int] = (1, 2)
    weights: Weights = field(default_factory=Weights)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], Recipe()),
        (["--minutes", "7"], Recipe(Budget(7.0))),
        (["--steps", "9", "--near", "2.5"], Recipe(Budget(steps=9), weights=Weights(2.5))),
        (["--seed", "4", "--only-once"], Recipe(seed=4, only_once=True)),
    ],
)
def test_the_fields_of_a_recipe_are_options(given: list[str], wanted: Recipe) -> None:
    parser = command_parser("A recipe.", Recipe())
    assert recipe_from(parser.parse_args(["--out", "x", *given]), Recipe()) == wanted


def test_help_says_what_the_recipe_says() -> None:
    text = command_parser("Trains.\n\n    python -m recipes.x --out DIR", Recipe()).format_help()
    text = " ".join(text.split())
    assert "usage: python -m recipes.x" in text
    assert "--seed SEED of all that is drawn, twice. default 3" in text
    assert "default 5 minutes" in text
    assert "--near" in text


def test_minutes_and_steps_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    parser = command_parser("A recipe.", Recipe())
    with pytest.raises(SystemExit):
        parser.parse_args(["--out", "x", "--steps", "9", "--minutes", "2"])
    assert "not allowed with" in capsys.readouterr().err


def test_an_error_of_the_package_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def act(_: Namespace) -> None:
        raise WeightsError("x/y: broken\n  in two lines")

    with pytest.raises(SystemExit) as stop:
        execute(command_parser("A recipe."), ["--out", "x"], act)
    assert stop.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1].endswith("x/y: broken in two lines")


@pytest.mark.parametrize("name", ["tracker", "grounder", "text"])
def test_a_package_is_a_command(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module(f"recipes.{name}", run_name="__main__")
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "--minutes" in said
    assert "--resume" in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rvosbench.recipes.tracker", "recipes.tracker"),
        ("sola.recipes.average", "recipes.selector.average"),
    ],
)
def test_the_old_modules_say_in_a_line_where_they_went(old: str, new: str) -> None:
    done = subprocess.run([sys.executable, "-m", old], capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"python -m {new}" in line


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("recipes").setLevel(logging.WARNING)
