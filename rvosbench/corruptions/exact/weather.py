"""Weather, and what it leaves on the lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import DrawContext, Draws, ExactRandom, Random, index
from rvosbench.corruptions.exact import gaussian, to_bytes, unit
from rvosbench.corruptions.kernels.layers import mix
from rvosbench.corruptions.kernels.lines import line_blur_exact
from rvosbench.corruptions.kernels.pixels import in_hsv
from rvosbench.corruptions.kernels.zooms import zoom, zoom_axis
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame

WATER = (175, 238, 238)
"""Colour of spattered water, RGB."""
MUD = (63, 42, 20)
"""Colour of spattered mud, RGB."""


def draw_snow(setting: DrawContext, rng: ExactRandom) -> Draws:
    """A normal layer, (H, W), and the direction of the fall in degrees."""
    level, size = setting.level, setting.size
    flakes = rng.normal(size=size, loc=level["mean"], scale=level["std"])
    return {"flakes": flakes, "angle": rng.uniform(-135, -45)}


def snow(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Bleach the frame, then add falling flakes and the same turned by half a turn."""
    import cv2

    image = frame.astype(np.float32) / 255.0
    flakes = _streaks(draws["flakes"], level, draws["angle"])
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    keep = level["keep"]
    image = keep * image + (1 - keep) * np.maximum(image, grey * 1.5 + 0.5)
    return to_bytes(image + flakes + np.rot90(flakes, k=2))


def _streaks(flakes: NDArray[np.float64], level: Level, angle: float) -> NDArray[np.float64]:
    down, across = (zoom_axis(side, level["zoom"]) for side in flakes.shape)
    layer = zoom(flakes[..., None], down, across)
    layer[layer < level["threshold"]] = 0
    layer8 = (np.clip(layer, 0, 1) * 255).astype(np.uint8)
    streaks = line_blur_exact(layer8, int(level["radius"]), level["sigma"], angle)
    return unit(streaks)


def draw_frost(setting: DrawContext, rng: Random) -> Draws:
    """One of the first five pictures, and the corner (top, left) of a piece of it."""
    which = index(rng, min(5, len(setting.pictures)))
    picture = setting.pictures.covering(which, *setting.size)
    top, left = (index(rng, picture.shape[axis] - setting.size[axis]) for axis in (0, 1))
    return {"picture": picture, "place": (top, left)}


def frost(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Weighted sum with a piece of a frost picture."""
    (top, left), (height, width) = draws["place"], frame.shape[:2]
    piece = draws["picture"][top : top + height, left : left + width]
    values = np.arange(256, dtype=np.float64)
    return mix(frame, piece, level["frame"] * values, level["frost"] * values)


def fog_side(height: int, width: int) -> int:
    """Side of the fractal for a frame: a power of two, 256 at least."""
    return max(256, 1 << (max(height, width) - 1).bit_length())


def draw_fog(setting: DrawContext, rng: ExactRandom) -> Draws:
    """Density of the fog in [0, 1], (H, W)."""
    side = fog_side(*setting.size)
    density = _plasma(side, setting.level["decay"], rng)
    height, width = setting.size
    return {"density": density[:height, :width]}


def fog(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Add the fog, then scale so that the brightest value stays what it was."""
    image = unit(frame)
    brightest, thickness = image.max(), level["thickness"]
    image += thickness * draws["density"][..., None]
    return to_bytes(image * brightest / (brightest + thickness))


def _plasma(side: int, decay: float, rng: ExactRandom) -> NDArray[np.float64]:
    """Diamond-square fractal on a torus, scaled to [0, 1]."""
    height = np.zeros((side, side))
    step, wobble = side, 100.0

    def middle(corners: NDArray[np.float64]) -> NDArray[np.float64]:
        noise: NDArray[np.float64] = rng.uniform(-wobble, wobble, corners.shape)
        return corners / 4 + wobble * noise

    while step >= 2:
        half = step // 2
        corner = height[::step, ::step]
        below = corner + np.roll(corner, -1, axis=0)
        centre = height[half::step, half::step]
        centre[...] = middle(below + np.roll(below, -1, axis=1))
        around = centre + np.roll(centre, 1, axis=0)
        height[::step, half::step] = middle(around + (corner + np.roll(corner, -1, axis=1)))
        around = centre + np.roll(centre, 1, axis=1)
        height[half::step, ::step] = middle(around + (corner + np.roll(corner, -1, axis=0)))
        step, wobble = half, wobble / decay
    height -= height.min()
    return np.asarray(height / height.max())


def brightness(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """More V of HSV."""
    return in_hsv(frame, 1.0, 0.0, level["added"])


def draw_spatter(setting: DrawContext, rng: ExactRandom) -> Draws:
    """A smooth normal layer, (H, W): how much liquid there is."""
    level, size = setting.level, setting.size
    layer = rng.normal(size=size, loc=level["mean"], scale=level["std"])
    return {"liquid": gaussian(layer, level["sigma"])}


def spatter(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Drops of water, or splashes of mud from severity 4 on."""
    image = frame.astype(np.float32) / 255.0
    liquid = np.where(draws["liquid"] < level["threshold"], 0, draws["liquid"])
    if level["mud"]:
        share = gaussian((liquid > level["threshold"]).astype(np.float32), level["strength"])
        share[share < 0.8] = 0
        cover = share[..., None]
        return to_bytes(image * (1 - cover) + _colour(MUD) * cover)
    light = lit_drops((liquid * 255).astype(np.uint8), level["strength"])
    return to_bytes(image + light[..., None] * _colour(WATER))


def _colour(rgb: tuple[int, int, int]) -> NDArray[np.float32]:
    return np.array([value / 255.0 for value in rgb], dtype=np.float32)


def lit_drops(layer: NDArray[np.uint8], strength: float) -> NDArray[np.float32]:
    """How much light drops add, (H, W): their middle is far from their edges, lit from a side.

    Args:
        layer: amount of water, (H, W).
        strength: of the brightest place; without any water there is no light.
    """
    import cv2

    away = cv2.distanceTransform(255 - cv2.Canny(layer, 50, 150), cv2.DIST_L2, 5)
    _, away = cv2.threshold(away, 20, 20, cv2.THRESH_TRUNC)
    away = cv2.equalizeHist(cv2.blur(away, (3, 3)).astype(np.uint8))
    relief = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], dtype=np.float32)
    lit = cv2.blur(cv2.filter2D(away, cv2.CV_8U, relief), (3, 3)).astype(np.float32)
    light: NDArray[np.float32] = layer * lit
    brightest = light.max()
    if brightest > 0:  # a small frame may be free of drops
        light = light / brightest
    return light * np.float32(strength)
