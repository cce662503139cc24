"""The state of a training on disk: what an interrupted run goes on from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rvosbench.errors import WeightsError
from rvosbench.files.atomic import write_bytes
from rvosbench.records import Json
from rvosbench.tracks.identity import differing
from sola.network.selector import TrackSelector

STATE_FILE, LOG_FILE = "resume.pt", "train.jsonl"


@dataclass
class Progress:
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


def save_state(progress: Progress, path: Path, identity: Json) -> None:
    """Writes the state between two steps; the file is whole or absent.

    Args:
        progress: of the training.
        path: is replaced.
        identity: what decides the outcome, JSON-safe: nothing else may resume it.
    """
    state = {
        "identity": json.dumps(identity, sort_keys=True),
        "epoch": progress.epoch,
        "losses": progress.losses,
        "valid_losses": progress.valid_losses,
        "best": progress.best,
        "model": progress.model.state_dict(),
        "optimizer": progress.optimizer.state_dict(),
    }
    partial = path.with_name(path.name + ".partial")
    try:
        torch.save(state, partial)
    except RuntimeError as error:  # what torch makes of a full disk
        raise OSError(f"{partial}: cannot be written: {error}") from error
    partial.replace(path)


def resume(progress: Progress, path: Path, identity: Json) -> None:
    """Takes over the state at `path`, if there is one.

    Raises:
        WeightsError: it is broken, or belongs to another training; says what differs.
    """
    if not path.is_file():
        return
    state = _load(path)
    check_same(path, json.loads(state["identity"]), identity)
    progress.model.load_state_dict(state["model"])
    progress.optimizer.load_state_dict(state["optimizer"])
    progress.epoch, progress.best = state["epoch"], state["best"]
    progress.losses, progress.valid_losses = state["losses"], state["valid_losses"]


def _load(path: Path) -> dict[str, Any]:
    """The content of a state file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        names = ("identity", "epoch", "losses", "valid_losses", "best", "model", "optimizer")
        return {name: state[name] for name in names}
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
    problems = differing(dict(_flat(have)), dict(_flat(json.loads(json.dumps(want)))))
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
    state = _load(path)
    return int(json.loads(state["identity"])["training"]["epochs"])


def best_line(path: Path, epochs: int) -> dict[str, float]:
    """The best epoch so far of a training that is resumed; drops lines of an older one."""
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


def _flat(tree: Json, prefix: str = "") -> list[tuple[str, Json]]:
    if not isinstance(tree, dict):
        return [(prefix, tree)]
    return [leaf for k, v in tree.items() for leaf in _flat(v, f"{prefix}.{k}" if prefix else k)]
