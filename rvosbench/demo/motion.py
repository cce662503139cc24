"""Motion programs: how one shape moves over the programme time 0..1.

A program is a path of offsets (relative units: one is the frame's side), a size factor and an
angle for every instant. Where the path lies in the frame is decided by `scenes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Motion:
    """Offsets `dx`, `dy` (T,) from an anchor, `scale` (T,) of the size, `angle` (T,) in radians."""

    kind: str
    dx: Floats
    dy: Floats
    scale: Floats
    angle: Floats


Path = tuple[Floats, Floats]
PathOf = Callable[[Floats, Rng], Path]
HEADINGS: Mapping[str, tuple[float, float]] = {
    "right": (1.0, 0.0),
    "left": (-1.0, 0.0),
    "down": (0.0, 1.0),
    "up": (0.0, -1.0),
}
"""Unit vectors in image coordinates, y down."""


def _heading(rng: Rng) -> tuple[float, float]:
    name = list(HEADINGS)[rng.integers(len(HEADINGS))]
    tilt = rng.uniform(-0.15, 0.15)
    x, y = HEADINGS[name]
    return x * math.cos(tilt) - y * math.sin(tilt), x * math.sin(tilt) + y * math.cos(tilt)


def _along(heading: tuple[float, float], distance: Floats) -> Path:
    return heading[0] * distance, heading[1] * distance


def _line(low: float, high: float, eased: Callable[[Floats], Floats]) -> PathOf:
    """Straight one way: `low` to `high` frame sides in all, of which `eased` tells the part."""
    return lambda t, rng: _along(_heading(rng), rng.uniform(low, high) * eased(t))


def _stop(t: Floats, rng: Rng) -> Path:
    end = rng.uniform(0.3, 0.65)
    return _along(_heading(rng), rng.uniform(0.28, 0.5) * np.minimum(t / end, 1))


def _start(t: Floats, rng: Rng) -> Path:
    begin = rng.uniform(0.35, 0.7)
    return _along(_heading(rng), rng.uniform(0.28, 0.5) * np.maximum((t - begin) / (1 - begin), 0))


def _turn(t: Floats, rng: Rng) -> Path:
    corner = rng.uniform(0.42, 0.58)
    first = _heading(rng)
    side = rng.choice([-1.0, 1.0])
    second = (-side * first[1], side * first[0])
    before = rng.uniform(0.26, 0.42) * np.minimum(t / corner, 1)
    after = rng.uniform(0.26, 0.42) * np.maximum((t - corner) / (1 - corner), 0)
    return first[0] * before + second[0] * after, first[1] * before + second[1] * after


def _circle(t: Floats, rng: Rng) -> Path:
    radius, phase = rng.uniform(0.12, 0.2), rng.uniform(0, 2 * math.pi)
    turn = phase + rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 1.4) * 2 * math.pi * t
    return radius * np.cos(turn), radius * np.sin(turn)


def _back_and_forth(t: Floats, rng: Rng) -> Path:
    cycles = rng.uniform(1.5, 2.2)
    return _along(_heading(rng), rng.uniform(0.12, 0.2) * np.sin(2 * math.pi * cycles * t))


_PROGRAMS: Mapping[str, tuple[float, PathOf]] = {
    "still": (1.5, lambda t, rng: (np.zeros_like(t), np.zeros_like(t))),
    "straight": (3.0, _line(0.28, 0.65, lambda t: t)),
    "stop": (1.5, _stop),
    "start": (1.5, _start),
    "turn": (1.8, _turn),
    "speed up": (1.0, _line(0.4, 0.65, lambda t: t**2.6)),
    "slow down": (1.0, _line(0.4, 0.65, lambda t: 1 - (1 - t) ** 2.6)),
    "circle": (1.0, _circle),
    "back and forth": (1.0, _back_and_forth),
    "leave": (0.6, _line(0.5, 0.75, lambda t: t)),
    "enter": (0.6, _line(0.5, 0.75, lambda t: t)),
}
"""Program -> how often, and its path. `scenes` lays those of `leave` and `enter` over the edge."""


def _scale(t: Floats, rng: Rng) -> Floats:
    """Most shapes keep their size; some grow to about 1.7 times, some shrink likewise."""
    draw = rng.random()
    if draw > 0.2:
        return np.ones_like(t)
    ratio = rng.uniform(1.55, 1.9)
    slope = math.log(ratio) * (1 if draw < 0.1 else -1)
    return np.asarray(np.exp(slope * (t - 0.5)), dtype=np.float64)


def _angle(t: Floats, rng: Rng) -> Floats:
    """A small tilt; one shape in six spins, by at least three quarters of a turn."""
    tilt = rng.uniform(-0.3, 0.3)
    if rng.random() > 1 / 6:
        return np.full_like(t, tilt)
    turns = float(rng.choice([-1.0, 1.0])) * rng.uniform(0.75, 1.6)
    return tilt + turns * 2 * math.pi * t


def companion(leader: Motion, t: Floats, rng: Rng) -> Motion:
    """A motion along almost the same path, as of a second shape going the same way."""
    stretch = rng.uniform(0.88, 1.12)
    path = (stretch * leader.dx, stretch * leader.dy)
    return Motion(leader.kind, *path, _scale(t, rng), _angle(t, rng))


def differ(first: Motion, second: Motion) -> bool:
    """Whether two motions can be told apart: another program, or clearly another heading."""
    if first.kind != second.kind:
        return True
    if first.kind in ("still", "circle", "back and forth"):
        return False
    a, b = ((m.dx[-1] - m.dx[0], m.dy[-1] - m.dy[0]) for m in (first, second))
    return bool(a[0] * b[0] + a[1] * b[1] < 0.5 * math.hypot(*a) * math.hypot(*b))


def sample_motion(t: Floats, rng: Rng) -> Motion:
    """Draws a program and evaluates it at the instants `t` (T,), each in [0, 1]."""
    kinds = list(_PROGRAMS)
    weights = np.array([weight for weight, _ in _PROGRAMS.values()])
    kind = kinds[rng.choice(len(kinds), p=weights / weights.sum())]
    dx, dy = _PROGRAMS[kind][1](t, rng)
    return Motion(kind, dx, dy, _scale(t, rng), _angle(t, rng))
