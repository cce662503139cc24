"""Corrupting the frames of a video by a plan: what they share is drawn once, kept, or drifts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import Pictures, generator
from rvosbench.corruptions.frame import Drawn, apply, draw
from rvosbench.corruptions.frost import frost_pictures
from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.table import TABLE
from rvosbench.records import Frame

PERIOD = 24
"""Frames from one draw of a drifting video to the next: about a second."""


def corrupted_frame(plan: Plan, video: str, name: str, index: int, frame: Frame) -> Frame:
    """Corrupt one frame of a video.

    Args:
        plan: what to do.
        video: id of the video.
        name: of the frame.
        index: of the frame in the video; only "drift" looks at it.
        frame: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8; the same bytes whichever frames were asked for before.
    """
    rng = generator(plan.mode, plan.seed, plan.name, plan.severity, video, "frame", name)
    size = (int(frame.shape[0]), int(frame.shape[1]))
    if plan.temporal == "per_frame" or not TABLE[plan.name].shared:
        return apply(frame, draw(plan.name, plan.severity, size, rng, _pictures(plan)), rng)
    drawn = _shared(plan, video, index, size)
    missing = set(drawn.values) - set(TABLE[plan.name].shared)
    if missing:  # flakes of snow are new in every frame, their direction is not
        fresh = draw(plan.name, plan.severity, size, rng).values
        drawn = replace(drawn, values={**drawn.values, **{k: fresh[k] for k in missing}})
    return apply(frame, drawn, rng)


def _shared(plan: Plan, video: str, index: int, size: tuple[int, int]) -> Drawn:
    first = _video_draw(plan, video, 0, size)
    if plan.temporal == "per_video":
        return first
    number, rest = divmod(index, PERIOD)
    a, b = (_video_draw(plan, video, k, size) for k in (number, number + 1))
    values = drifted(a, b, rest / PERIOD)
    kept: dict[str, Any] = {k: first.values[k] for k in ("picture", "shuffle") if k in values}
    if number and "place" in values:
        values["place"] = _within(values["place"], a.values["picture"], first, size)
    return replace(first, values={**values, **kept})


def _within(
    place: tuple[int, int], picture: Frame, first: Drawn, size: tuple[int, int]
) -> tuple[int, int]:
    """A place in one frost picture as the place at the same part of the video's own picture."""
    own = first.values["picture"]
    rooms = [(own.shape[i] - size[i], picture.shape[i] - size[i]) for i in (0, 1)]
    top, left = (min(p * a // b, a - 1) for p, (a, b) in zip(place, rooms, strict=True))
    return top, left


@lru_cache(maxsize=4)
def _video_draw(plan: Plan, video: str, number: int, size: tuple[int, int]) -> Drawn:
    """What a video shares; drifting ones have a draw every `PERIOD` frames."""
    rng = generator(plan.mode, plan.seed, plan.name, plan.severity, video, "video", str(number))
    return draw(plan.name, plan.severity, size, rng, _pictures(plan))


def _pictures(plan: Plan) -> Pictures | None:
    return frost_pictures(plan.frost_dir) if plan.name == "frost" else None


def drifted(first: Drawn, second: Drawn, part: float) -> dict[str, Any]:
    """What is `part` of the way, 0 to 1, from one draw of a video to the next.

    Angles and places move; layers turn into each other while their spread stays the same. The
    picture of frost and the shuffle of glass stay those of `first`. Speed is 0 at both ends.
    """
    eased = part * part * (3 - 2 * part)
    moved = {k: move(first, second, k, eased) for k, move in _BETWEEN.items() if k in first.values}
    return {**first.values, **moved}


Between: TypeAlias = Callable[[Drawn, Drawn, str, float], Any]


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
    return np.asarray(mean + cos * (a - mean_a) + sin * (b - mean_b))


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
