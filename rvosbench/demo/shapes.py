"""What a shape looks like: outline, colour and texture, in its own coordinates.

Local coordinates (u, v) are centred on the shape, turn and grow with it, and have the shape's
nominal radius as unit; v points down, as image rows do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (215, 35, 35),
    "green": (30, 150, 50),
    "blue": (40, 70, 215),
    "yellow": (240, 220, 40),
    "purple": (130, 45, 165),
    "orange": (245, 135, 25),
    "cyan": (50, 215, 225),
    "pink": (250, 145, 190),
    "white": (248, 248, 248),
}
"""RGB, 0..255."""

TEXTURES = ("plain", "striped", "dotted")

_SHADE = 0.5
"""Brightness of stripes and dots relative to the colour around them."""


def _circle(u: Field, v: Field) -> Field:
    return np.hypot(u, v) - np.float32(1.0)


def _box(u: Field, v: Field, half_width: float, half_height: float) -> Field:
    return np.maximum(np.abs(u) - np.float32(half_width), np.abs(v) - np.float32(half_height))


def _triangle(u: Field, v: Field) -> Field:
    slanted = np.float32(math.sqrt(3) / 2) * np.abs(u) - np.float32(0.5) * v
    return np.maximum(v, slanted) - np.float32(0.66)


def _star(u: Field, v: Field, outer: float = 1.32, inner: float = 0.56) -> Field:
    """Five points; every tenth of the turn is the same straight edge from a tip to a notch."""
    tip_angle = np.arctan2(u, -v)
    sector = np.float32(2 * math.pi / 5)
    folded = np.abs(tip_angle - sector * np.round(tip_angle / sector))
    radius = np.hypot(u, v)
    along, across = radius * np.cos(folded), radius * np.sin(folded)
    notch_x, notch_y = inner * math.cos(math.pi / 5), inner * math.sin(math.pi / 5)
    normal_x, normal_y = notch_y, outer - notch_x
    norm = math.hypot(normal_x, normal_y)
    signed = ((along - outer) * normal_x + across * normal_y) / norm
    return np.asarray(signed, dtype=np.float32)


def _cross(u: Field, v: Field) -> Field:
    return np.minimum(_box(u, v, 1.12, 0.4), _box(u, v, 0.4, 1.12))


SHAPES: Mapping[str, Callable[[Field, Field], Field]] = {
    "circle": _circle,
    "square": lambda u, v: _box(u, v, 0.9, 0.9),
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
}
"""Signed distance to the outline in local units, negative inside (never over-estimated)."""

REACH = 1.42
"""No shape extends further from its centre than this many nominal radii."""


def texture_shade(texture: str, u: Field, v: Field) -> Field:
    """Brightness factors of a texture at local coordinates: (h, w) in [0.5, 1].

    Raises:
        KeyError: the texture is none of `TEXTURES`.
    """
    if texture == "plain":
        return np.ones_like(u)
    if texture == "striped":
        wave = np.sin(np.float32(2 * math.pi / 0.62) * u)
    elif texture == "dotted":
        pitch = np.float32(0.66)
        du, dv = u - pitch * np.round(u / pitch), v - pitch * np.round(v / pitch)
        wave = (np.float32(0.21) - np.hypot(du, dv)) * np.float32(8)
    else:
        raise KeyError(texture)
    dark = np.clip(wave * np.float32(2) + np.float32(0.5), 0, 1)
    return np.asarray(1 - np.float32(1 - _SHADE) * dark, dtype=np.float32)
