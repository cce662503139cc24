"""Weather with float32 layers from our own stream."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import DrawContext, Draws, FastRandom, halves, normals, uniform
from rvosbench.corruptions.exact.weather import MUD, WATER, fog_side, lit_drops
from rvosbench.corruptions.kernels import Axis, layers
from rvosbench.corruptions.kernels.lines import line_blur
from rvosbench.corruptions.kernels.plasma import plasma
from rvosbench.corruptions.kernels.smoothing import smooth
from rvosbench.corruptions.kernels.zooms import zoom_axis
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame

_STEPS = 32  # of an 8-bit normal number per standard deviation: it reaches 4


def draw_snow(setting: DrawContext, rng: FastRandom) -> Draws:
    """A normal layer that is enlarged later, so only its middle is drawn; and the direction."""
    level, zoom = setting.level, setting.level["zoom"]
    height, width = (int(np.ceil(side / zoom)) for side in setting.size)
    normal = normals()[halves(rng, height * width)].reshape(height, width)
    flakes = np.float32(level["mean"]) + np.float32(level["std"]) * normal
    return {"flakes": flakes, "angle": uniform(rng, -135, -45)}


def snow(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Bleach the frame, then add falling flakes and the same turned by half a turn."""
    down, across = (_middle(side, level["zoom"]) for side in frame.shape[:2])
    layer = layers.flakes(draws["flakes"], down, across, np.float32(level["threshold"]))
    streaks = line_blur(layer, int(level["radius"]), level["sigma"], draws["angle"])
    return layers.bleach(frame, streaks[..., 0], np.float32(level["keep"]))


@lru_cache(maxsize=8)
def _middle(length: int, factor: float) -> Axis:
    """`zoom_axis` that counts from the first pixel of the enlarged middle."""
    indices, weights = zoom_axis(length, factor)
    first = (length - int(np.ceil(length / factor))) // 2
    return indices - first, weights.astype(np.float32)


def draw_fog(setting: DrawContext, rng: FastRandom) -> Draws:
    """Density of the fog in [0, 1], (H, W) float32."""
    side, decay = fog_side(*setting.size), np.float32(setting.level["decay"])
    return {"density": plasma(halves(rng, side * side), side, decay, *setting.size)}


def fog(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Add the fog, then scale so that the brightest value stays what it was."""
    return layers.veil(frame, draws["density"], np.float32(level["thickness"]))


def draw_spatter(setting: DrawContext, rng: FastRandom) -> Draws:
    """A smooth normal layer, (H, W) float32: how much liquid there is."""
    level, size = setting.level, setting.size
    normal = _normal_bytes()[halves(rng, size[0] * size[1])].reshape(*size, 1)
    steps = smooth(normal, level["sigma"])[..., 0].astype(np.float32) / np.float32(256)
    spread = np.float32(level["std"] / _STEPS)
    return {"liquid": np.float32(level["mean"]) + spread * (steps - np.float32(128))}


@lru_cache(maxsize=1)
def _normal_bytes() -> NDArray[np.uint8]:
    return np.clip(np.rint(normals() * _STEPS + 128), 0, 255).astype(np.uint8)


def spatter(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Drops of water, or splashes of mud from severity 4 on."""
    liquid, threshold = draws["liquid"], np.float32(level["threshold"])
    if level["mud"]:
        mask = (liquid > threshold).astype(np.uint8)[..., None] * np.uint8(255)
        share = smooth(mask, level["strength"])[..., 0]
        return layers.cover(frame, share, np.array(MUD, np.float32))
    layer = (np.where(liquid < threshold, np.float32(0), liquid) * np.float32(255)).astype(np.uint8)
    light = lit_drops(layer, level["strength"])
    return layers.shine(frame, light, np.array(WATER, np.float32))
