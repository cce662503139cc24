"""How a video shares what was drawn: not at all, all of it, or drifting slowly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from rvosbench.corruptions.frame import Drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERIOD = 24
"""Frames from one draw of a drifting video to the next: about a second."""


def drifted(first: Drawn, second: Drawn, part: float) -> dict[str, Any]:
    """What is `part` of the way, 0 to 1, from one draw of a video to the next.

    Angles and places move; layers turn into each other while their spread stays the same. The
    picture of frost and the shuffle of glass stay those of `first`. Speed is 0 at both ends.
    """
    eased = part * part * (3 - 2 * part)
    return {name: _BETWEEN.get(name, _stay)(first, second, name, eased) for name in first.values}


Between: TypeAlias = Callable[[Drawn, Drawn, str, float], Any]


def _stay(first: Drawn, second: Drawn, name: str, part: float) -> Any:  # noqa: ANN401 any draw
    return first.values[name]


def _move(first: Drawn, second: Drawn, name: str, part: float) -> Any:  # noqa: ANN401 number or array
    return first.values[name] * (1 - part) + second.values[name] * part


def _pan(first: Drawn, second: Drawn, name: str, part: float) -> tuple[int, int]:
    """Places of frost; the second one may be of a picture of another size."""
    picture, other = (d.values["picture"].shape for d in (first, second))
    moved = []
    for axis in (0, 1):
        room, other_room = (side[axis] - first.size[axis] for side in (picture, other))
        target = second.values[name][axis] * room / other_room
        place = first.values[name][axis] * (1 - part) + target * part
        moved.append(min(int(place), room - 1))
    return moved[0], moved[1]


def _turn(first: Drawn, second: Drawn, name: str, part: float) -> NDArray[np.floating[Any]]:
    """Layers of one spread around their means."""
    a, b = first.values[name], second.values[name]
    kind = a.dtype.type
    mean_a, mean_b = kind(a.mean()), kind(b.mean())
    cos, sin = kind(math.cos(part * math.pi / 2)), kind(math.sin(part * math.pi / 2))
    mean = mean_a * kind(1 - part) + mean_b * kind(part)
    turned: NDArray[np.floating[Any]] = mean + cos * (a - mean_a) + sin * (b - mean_b)
    return turned


def _turn_in_unit(first: Drawn, second: Drawn, name: str, part: float) -> NDArray[Any]:
    return np.asarray(np.clip(_turn(first, second, name, part), 0, 1))


_BETWEEN: Mapping[str, Between] = MappingProxyType(
    {
        "angle": _move,
        "corners": _move,
        "place": _pan,
        "density": _turn_in_unit,
        "field": _turn,
        "liquid": _turn,
    }
)
