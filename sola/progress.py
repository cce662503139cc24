"""The state of a training on disk: what a killed run goes on from."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from rvosbench.errors import WeightsError

from .config import SelectorConfig, TrainConfig
from .model import TrackSelector

STATE_FILE, LOG_FILE = "resume.pt", "train.jsonl"


@dataclass
class Progress:
    """A training between two epochs."""

    model: TrackSelector
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    best: float = -math.inf


def _identity(selector: SelectorConfig, config: TrainConfig) -> str:
    return json.dumps([asdict(selector), asdict(config)], sort_keys=True)


def save_state(
    progress: Progress, path: Path, selector: SelectorConfig, config: TrainConfig
) -> None:
    """Writes the state between two epochs; the file is whole or absent."""
    state = {
        "identity": _identity(selector, config),
        "epoch": progress.epoch,
        "best": progress.best,
        "model": progress.model.state_dict(),
        "optimizer": progress.optimizer.state_dict(),
    }
    partial = path.with_name(path.name + ".partial")
    torch.save(state, partial)
    partial.replace(path)


def resume(progress: Progress, path: Path, selector: SelectorConfig, config: TrainConfig) -> None:
    """Takes over the state at `path`, if there is one.

    Raises:
        WeightsError: it belongs to another configuration.
    """
    if not path.is_file():
        return
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["identity"] != _identity(selector, config):
        raise WeightsError(
            f"{path}: belongs to a training with other settings: {state['identity']}. Choose "
            "another folder, repeat those settings, or delete the file to start again."
        )
    progress.model.load_state_dict(state["model"])
    progress.optimizer.load_state_dict(state["optimizer"])
    progress.epoch, progress.best = state["epoch"], state["best"]


def planned_epochs(path: Path) -> int | None:
    """How many epochs the training at `path` set out to do; None without a state."""
    if not path.is_file():
        return None
    _, config = json.loads(torch.load(path, map_location="cpu", weights_only=True)["identity"])
    return int(config["epochs"])


def best_line(path: Path, epochs: int) -> dict[str, float]:
    """The best epoch so far of a training that is resumed; drops lines of an older one."""
    lines: list[dict[str, Any]] = []
    if epochs and path.is_file():
        text = path.read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()][:epochs]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return max(lines, key=lambda line: float(line["selection"]), default={})


def append_line(path: Path, line: dict[str, float]) -> None:
    """Adds a line of JSON."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
