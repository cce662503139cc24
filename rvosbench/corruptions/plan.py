"""A corruption of a whole dataset: which, how strong, how it goes through a video, which seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rvosbench.corruptions.frost import frost_pictures
from rvosbench.corruptions.table import SEVERITIES, TABLE, VERSION, Mode, Temporal, corruption
from rvosbench.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class Plan:
    """What decides every byte of a corrupted dataset, besides the dataset.

    Attributes:
        name: one of `CORRUPTIONS`.
        severity: 1 to 5.
        mode: see `rvosbench.corruptions.corrupt`.
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
        if self.mode not in get_args(Mode):
            raise UnknownNameError("mode", str(self.mode), get_args(Mode))
        if self.temporal not in get_args(Temporal):
            raise UnknownNameError("temporal policy", str(self.temporal), get_args(Temporal))
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
        if self.name != "frost":
            return line
        return f"{line},frost-{frost_pictures(self.frost_dir).identity}"


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
    order = list(TABLE)
    return tuple(sorted(set(chosen), key=lambda pair: (order.index(pair[0]), pair[1])))


def _parse_part(part: str) -> list[tuple[str, int]]:
    name, colon, levels = part.partition(":")
    severities: Sequence[int] = _severities(levels, part) if colon else SEVERITIES
    groups = {"all": list(TABLE)}
    for known, row in TABLE.items():
        groups.setdefault(row.family, []).append(known)
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
