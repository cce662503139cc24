"""Frost pictures of our own: ferns of ice over a cloudy ground, drawn from fixed seeds.

The pictures that the original uses have no stated origin, so they are not shipped. Ours have the
brightness, spread and tint of those five (docs/corruptions.md compares them). Only integer drawing
and single float32 operations are used: every machine draws the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import FastRandom, halves, index, uniform
from rvosbench.corruptions.kernels.plasma import plasma
from rvosbench.corruptions.table import FROST_VERSION
from rvosbench.records import Frame

HEIGHT, WIDTH = 600, 1000

_SIXTEENTHS = 4  # bits after the point in coordinates
_BRANCH = math.radians(60)


@dataclass(frozen=True)
class Recipe:
    """What one picture is like.

    Attributes:
        mean: brightness of the grey picture, 0 to 255.
        std: its spread.
        tint: mean colour, RGB.
        ferns: how many are drawn.
        length: of the longest spine, pixels.
        cloud: weight of the cloudy ground against the ice.
        tight: part of a branch's length between branches.
    """

    mean: float
    std: float
    tint: tuple[int, int, int]
    ferns: int
    length: int
    cloud: float
    tight: float = 0.07


RECIPES = (
    Recipe(130, 18, (84, 147, 163), ferns=1500, length=70, cloud=1.3, tight=0.3),
    Recipe(205, 22, (201, 205, 214), ferns=1800, length=110, cloud=0.7, tight=0.12),
    Recipe(205, 22, (202, 206, 212), ferns=4200, length=55, cloud=0.7, tight=0.15),
    Recipe(150, 29, (138, 153, 165), ferns=3400, length=45, cloud=0.6),
    Recipe(121, 43, (112, 123, 135), ferns=850, length=150, cloud=0.7, tight=0.05),
)


@lru_cache(maxsize=len(RECIPES))
def picture(number: int) -> Frame:
    """Picture `number`, 0 to 4: (600, 1000, 3) uint8 RGB. A fraction of a second, then kept."""
    recipe = RECIPES[number]
    rng = np.random.Generator(np.random.PCG64([FROST_VERSION, number]))
    ice = _ferns(recipe, rng)
    relief = ice - np.roll(ice, (1, 2), axis=(0, 1))  # lit from the upper left
    side = 1024
    ground = plasma(halves(rng, side * side), side, np.float32(3.2), HEIGHT, WIDTH)
    grain = halves(rng, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.float32)
    mixed = ice + relief * np.float32(0.6) + ground * np.float32(400 * recipe.cloud)
    return _toned(mixed + grain * np.float32(30 / 65536), recipe)


def _ferns(recipe: Recipe, rng: FastRandom) -> NDArray[np.float32]:
    """Ferns drawn over each other, 0 to 255."""
    import cv2

    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(recipe.ferns):
        layer = index(rng, 150) + 60
        for start, end in _fern(recipe, rng):
            cv2.line(canvas, start, end, layer, 1, cv2.LINE_AA, _SIXTEENTHS)
    soft: Frame = cv2.blur(canvas, (3, 3))
    return (canvas.astype(np.float32) + soft.astype(np.float32)) * np.float32(0.5)


def _fern(recipe: Recipe, rng: FastRandom) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Segments of a slightly bent spine with branches at 60 degrees, in 16ths of a pixel."""
    x, y = uniform(rng, -20, WIDTH + 20), uniform(rng, -20, HEIGHT + 20)
    angle, bend = uniform(rng, 0, 2 * math.pi), uniform(rng, -0.05, 0.05)
    length = recipe.length * uniform(rng, 0.3, 1)
    steps = max(3, int(1 / recipe.tight))
    for step in range(steps):
        ahead = _moved(x, y, angle, length / steps)
        yield _fixed(x, y), _fixed(*ahead)
        reach = 0.45 * length * (1 - step / steps)
        for side in (-_BRANCH, _BRANCH):
            yield _fixed(x, y), _fixed(*_moved(x, y, angle + side, reach))
        (x, y), angle = ahead, angle + bend


def _moved(x: float, y: float, angle: float, distance: float) -> tuple[float, float]:
    return x + distance * math.cos(angle), y + distance * math.sin(angle)


def _fixed(x: float, y: float) -> tuple[int, int]:
    return round(x * 2**_SIXTEENTHS), round(y * 2**_SIXTEENTHS)


def _toned(grey: NDArray[np.float32], recipe: Recipe) -> Frame:
    """Give a grey picture the recipe's mean, spread and tint; sums are of whole numbers."""
    whole = np.rint(grey * np.float32(64)).astype(np.int64)
    mean = whole.sum() / whole.size
    std = math.sqrt((whole * whole).sum() / whole.size - mean * mean)
    standard = ((whole - mean) / std).astype(np.float32)
    # Grey as OpenCV weighs it, so that the grey picture has the recipe's mean.
    tone = 0.299 * recipe.tint[0] + 0.587 * recipe.tint[1] + 0.114 * recipe.tint[2]
    lit = np.float32(recipe.mean) + np.float32(recipe.std) * standard
    planes = [lit + np.float32(c - tone) for c in recipe.tint]
    return np.asarray(np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255).astype(np.uint8))
