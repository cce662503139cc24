"""A corruption of a whole dataset: which, how strong, how it goes through a video, which seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvosbench.corruptions.table import CORRUPTIONS, SEVERITIES, TABLE, VERSION, corruption
from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.records import Frame

if TYPE_CHECKING:
    from rvosbench.corruptions.frame import Drawn, Mode
    from rvosbench.corruptions.temporal import Temporal

_MODES = ("fast", "exact")
_TEMPORAL = ("per_frame", "per_video", "drift")
_FAMILIES = tuple(dict.fromkeys(row.family for row in TABLE.values()))


@dataclass(frozen=True)
class Plan:
    """What decides every byte of a corrupted dataset, besides the dataset.

    Attributes:
        name: one of `CORRUPTIONS`.
        severity: 1 to 5.
        mode: "fast" or "exact", see `corrupt`.
        temporal: "per_frame" draws everything for every frame, as ImageNet-C does; "per_video"
            draws once what a video may share; "drift" lets that change smoothly.
        seed: any integer.
        frost_dir: folder of frost pictures; None takes our own. Only frost looks at it.
    """

    name: str
    severity: int
    mode: Mode = "fast"
    temporal: Temporal = "per_frame"
    seed: int = 0
    frost_dir: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what does not exist before any work is done."""
        corruption(self.name).level(self.severity)
        if self.mode not in _MODES:
            raise UnknownNameError("mode", str(self.mode), _MODES)
        if self.temporal not in _TEMPORAL:
            raise UnknownNameError("temporal policy", str(self.temporal), _TEMPORAL)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise UsageError(f"seed {self.seed!r}: wanted an integer")

    @property
    def moves_pixels(self) -> bool:
        """Whether corrupted frames no longer lie exactly under their masks."""
        return TABLE[self.name].moves_pixels

    @property
    def signature(self) -> str:
        """One readable line, such as `motion_blur:5@fast.1,per_frame,seed0`."""
        line = f"{self.name}:{self.severity}@{self.mode}.{VERSION},{self.temporal},seed{self.seed}"
        return f"{line},frost-{_frost(self).identity}" if self.name == "frost" else line

    def frame(self, video: str, name: str, index: int, frame: Frame) -> Frame:
        """Corrupt one frame of a video.

        Args:
            video: id of the video.
            name: of the frame.
            index: of the frame in the video; only "drift" looks at it.
            frame: (H, W, 3) uint8 RGB.
        """
        from rvosbench.corruptions.frame import apply, draw
        from rvosbench.corruptions.keys import generator

        key = (self.mode, self.seed, self.name, self.severity, video)
        rng = generator(*key, "frame", name)
        shape = frame.shape[:2]
        if self.temporal == "per_frame" or not TABLE[self.name].shared:
            pictures = _frost(self) if self.name == "frost" else None
            return apply(frame, draw(self.name, self.severity, shape, rng, pictures), rng)
        drawn = self._shared(video, index, shape)
        missing = set(drawn.values) - set(TABLE[self.name].shared)
        if missing:  # flakes of snow are new in every frame, their direction is not
            fresh = draw(self.name, self.severity, shape, rng).values
            drawn = replace(drawn, values={**drawn.values, **{k: fresh[k] for k in missing}})
        return apply(frame, drawn, rng)

    def _shared(self, video: str, index: int, shape: tuple[int, ...]) -> Drawn:
        from rvosbench.corruptions.temporal import PERIOD, drifted

        size = (int(shape[0]), int(shape[1]))
        first = _video_draw(self, video, 0, size)
        if self.temporal == "per_video":
            return first
        number, rest = divmod(index, PERIOD)
        a, b = (_video_draw(self, video, k, size) for k in (number, number + 1))
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
    from rvosbench.corruptions.frame import draw
    from rvosbench.corruptions.keys import generator

    rng = generator(plan.mode, plan.seed, plan.name, plan.severity, video, "video", str(number))
    pictures = _frost(plan) if plan.name == "frost" else None
    return draw(plan.name, plan.severity, size, rng, pictures)


def _frost(plan: Plan) -> Any:  # noqa: ANN401 imported where it is needed
    from rvosbench.corruptions.frost import frost_pictures

    return frost_pictures(plan.frost_dir)


def parse(text: str) -> tuple[tuple[str, int], ...]:
    """Corruptions and severities as written on the command line, in the published order.

    `motion_blur:5` is one; `motion_blur` its five severities; `noise`, `blur`, `weather` and
    `digital` are families; `all` is everything; commas join.

    >>> parse("fog:2,contrast:1-2")
    (('fog', 2), ('contrast', 1), ('contrast', 2))

    Raises:
        UsageError: unknown names, or severities outside 1 to 5.
    """
    chosen = [pair for part in text.split(",") for pair in _parse_part(part.strip())]
    return tuple(sorted(set(chosen), key=lambda pair: (CORRUPTIONS.index(pair[0]), pair[1])))


def _parse_part(part: str) -> list[tuple[str, int]]:
    name, colon, levels = part.partition(":")
    severities: Sequence[int] = _severities(levels, part) if colon else SEVERITIES
    groups: Mapping[str, Sequence[str]] = {
        "all": CORRUPTIONS,
        **{f: [n for n, row in TABLE.items() if row.family == f] for f in _FAMILIES},
    }
    if name not in groups and name not in TABLE:
        raise UnknownNameError("corruption", name, [*TABLE, *groups])
    return [(n, s) for n in groups.get(name, [name]) for s in severities]


def _severities(text: str, part: str) -> range:
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise UsageError(f"--corruption {part}: wanted NAME:SEVERITY with a severity from 1 to 5")
    chosen = range(int(first), int(last if dash else first) + 1)
    if not chosen or chosen[0] not in SEVERITIES or chosen[-1] not in SEVERITIES:
        raise UsageError(f"--corruption {part}: severities go from 1 to 5")
    return chosen
