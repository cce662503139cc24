"""Looking on while a selector is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Watch(Protocol):
    """Is told how a training goes."""

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """A step of an epoch is done."""

    def epoch(self, line: Mapping[str, float]) -> None:
        """An epoch is done and measured."""


class Silent:
    """Watches nothing."""

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """Nothing."""

    def epoch(self, line: Mapping[str, float]) -> None:
        """Nothing."""
