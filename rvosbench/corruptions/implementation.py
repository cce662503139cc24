"""The shape that every corruption has: draw what is random about it, then apply it to a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from rvosbench.corruptions.table import Level
from rvosbench.records import Frame

Draws: TypeAlias = Mapping[str, Any]
"""What was drawn, by the names of `Corruption.shared`; empty where all noise is per pixel."""

R = TypeVar("R")


class Pictures(Protocol):
    """Frost pictures: five or so textures that can cover a frame of any size."""

    def __len__(self) -> int: ...
    def covering(self, index: int, height: int, width: int) -> Frame:
        """Texture `index`, (h, w, 3) uint8 RGB with h > height and w > width."""


@dataclass(frozen=True)
class DrawContext:
    """What the random parts of a corruption are drawn for.

    Attributes:
        level: strength.
        height: of the frame, pixels.
        width: of the frame, pixels.
        pictures: only frost looks at them.
    """

    level: Level
    height: int
    width: int
    pictures: Pictures


def _nothing(setting: DrawContext, rng: object) -> Draws:
    return {}


@dataclass(frozen=True)
class Implementation(Generic[R]):
    """One corruption in one mode; `R` is the generator it draws from.

    Attributes:
        apply: (frame (H, W, 3) uint8, level, draws, generator) -> frame of the same shape. The
            generator is used only for noise that is drawn per pixel and frame.
        draw: (setting, generator) -> draws.
    """

    apply: Callable[[Frame, Level, Draws, R], Frame]
    draw: Callable[[DrawContext, R], Draws] = _nothing
