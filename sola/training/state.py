"""The state of a training, in memory and on disk: what an interrupted one is resumed from."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rvosbench.errors import WeightsError
from rvosbench.files.atomic import write_bytes
from rvosbench.recipe import Recipe
from rvosbench.records import Json
from sola.config import SelectorConfig, TrainConfig
from sola.network.selector import TrackSelector
from sola.network.weights import load_initial

STATE_FILE, LOG_FILE = "resume.pt", "train.jsonl"
_PROGRESS = ("epoch", "losses", "valid_losses", "best")


@dataclass
class TrainingState:
    """A training after some steps.

    Attributes:
        model: as it is.
        optimizer: likewise.
        epoch: finished epochs.
        losses: of the steps done in the epoch that has begun.
        valid_losses: validation loss after each finished epoch.
        best: greatest selection score so far.
    """

    model: TrackSelector
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    valid_losses: list[float] = field(default_factory=list)
    best: float = -math.inf

    def update(self, rate: float, clip_norm: float) -> None:
        """Moves the weights along their gradients, which are clipped to a norm."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), clip_norm)
        self.optimizer.step()


def new_state(selector: SelectorConfig, config: TrainConfig, device: str) -> TrainingState:
    """A training before its first step; the same seed gives the same weights on every device.

    Raises:
        WeightsError: `config.init` names no weights, or those of another network.
    """
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = TrackSelector(selector)
        if config.gentle_start:
            model.scale_down_first_attention()
        if config.init:
            load_initial(model, config.init)
        model.to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    return TrainingState(model, optimizer)


def save_state(state: TrainingState, path: Path, identity: Json) -> None:
    """Writes the state between two steps; the file is whole or absent.

    Args:
        state: of the training.
        path: is replaced.
        identity: what decides the outcome, JSON-safe: nothing else may resume it.
    """
    content = io.BytesIO()
    torch.save(
        {
            "identity": json.dumps(identity, sort_keys=True),
            **{name: getattr(state, name) for name in _PROGRESS},
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
        },
        content,
    )
    write_bytes(path, content.getvalue())


def resume(state: TrainingState, path: Path, identity: Json) -> None:
    """Takes over the state at `path`, if there is one.

    Raises:
        WeightsError: it is broken, or belongs to another training; says what differs.
    """
    if not path.is_file():
        return
    saved = _load(path)
    check_same(path, json.loads(saved["identity"]), identity)
    state.model.load_state_dict(saved["model"])
    state.optimizer.load_state_dict(saved["optimizer"])
    for name in _PROGRESS:
        setattr(state, name, saved[name])


def _load(path: Path) -> dict[str, Any]:
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        return {name: saved[name] for name in ("identity", *_PROGRESS, "model", "optimizer")}
    except Exception as error:  # torch raises many kinds
        raise WeightsError(
            f"{path}: cannot be read as the state of a training ({type(error).__name__}): delete "
            "it to start again"
        ) from error


def check_same(path: Path, have: Json, want: Json) -> None:
    """Refuses to mix two trainings.

    Raises:
        WeightsError: they differ.
    """
    problems = Recipe(json.loads(json.dumps(want))).differences(Recipe(have))
    if problems:
        raise WeightsError(
            f"{path}: belongs to a training with other settings: {'; '.join(problems[:5])}. Choose "
            "another folder, repeat those settings, or delete this one to start again."
        )


def planned_epochs(path: Path) -> int | None:
    """How many epochs the training at `path` set out to do; None without a state.

    Raises:
        WeightsError: it is broken.
    """
    if not path.is_file():
        return None
    return int(json.loads(_load(path)["identity"])["training"]["epochs"])


def best_line(path: Path, epochs: int) -> dict[str, float]:
    """The best of the first `epochs` lines of a log; the others, which no state knows, are cut."""
    lines: list[dict[str, Any]] = []
    if epochs and path.is_file():
        text = path.read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()][:epochs]
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode("utf-8"))
    return max(lines, key=lambda line: float(line["selection"]), default={})


def append_line(path: Path, line: Mapping[str, float]) -> None:
    """Adds a line of JSON."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(dict(line)) + "\n")
