"""Corrupting the frames of a video by a plan: what they share is drawn once and kept."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from rvosbench.corruptions.frame import Drawn, apply, draw
from rvosbench.corruptions.frost import frost_pictures
from rvosbench.corruptions.implementation import Pictures
from rvosbench.corruptions.keys import generator
from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.table import TABLE
from rvosbench.corruptions.temporal import PERIOD, drifted
from rvosbench.records import Frame


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
