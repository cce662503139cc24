"""Clips of MotionShapes: a pure function from a seed to frames, masks and expressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvosbench.demo.candidates import candidates, see
from rvosbench.demo.clauses import Scene
from rvosbench.demo.expressions import choose, word
from rvosbench.demo.render import occlusion, render
from rvosbench.demo.scenes import ShapeObject, sample_scene

MIN_FRAMES = 8
"""Shorter clips carry no expressions: change over time cannot be judged."""


@dataclass(frozen=True)
class ClipConfig:
    """What a clip is like. Lengths are fractions of the frame's side.

    Attributes:
        size: side of the square frames, pixels.
        n_frames: frames in the clip.
        step: programme time between frames; the whole programme takes 1. None spreads the frames
            over the whole programme; otherwise the clip is a window that begins at random.
        n_objects: least and largest number of shapes.
        object_size: least and largest nominal diameter.
        look_alike: probability that two shapes of the clip look the same.
        n_sentences: expressions wanted; a clip may have fewer.
    """

    size: int = 128
    n_frames: int = 20
    step: float | None = None
    n_objects: tuple[int, int] = (2, 5)
    object_size: tuple[float, float] = (20 / 128, 40 / 128)
    look_alike: float = 0.6
    n_sentences: int = 6


@dataclass(frozen=True)
class ClipExpression:
    """An expression, its category, and the indices of the objects it means (none: empty)."""

    text: str
    category: str
    objects: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames (T, S, S, 3) uint8 RGB, visible masks (N, T, S, S) bool, objects, expressions."""

    frames: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    objects: tuple[ShapeObject, ...]
    expressions: tuple[ClipExpression, ...]


def training_config(n_frames: int = 6, size: int = 128) -> ClipConfig:
    """Short windows of the programmes, about twice as fast as the benchmark's clips."""
    return ClipConfig(size=size, n_frames=n_frames, step=0.1 if n_frames <= 8 else None)


def _instants(config: ClipConfig, rng: np.random.Generator) -> NDArray[np.float64]:
    if config.step is None:
        return np.linspace(0, 1, config.n_frames)
    length = (config.n_frames - 1) * config.step
    begin = rng.uniform(0, max(0.0, 1 - length))
    return np.clip(begin + np.arange(config.n_frames) * config.step, 0, 1)


def _sentences(
    objects: tuple[ShapeObject, ...],
    masks: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
) -> tuple[ClipExpression, ...]:
    if masks.shape[1] < MIN_FRAMES:
        return ()
    sight = see(Scene(objects, occlusion(objects, masks)), masks.mean(axis=(2, 3)))
    chosen = choose(candidates(sight), count, rng)
    return tuple(ClipExpression(word(c, rng), c.category, c.objects) for c in chosen)


def make_clip(
    seed: int | tuple[int, ...],
    config: ClipConfig | None = None,
    *,
    with_sentences: bool = True,
) -> Clip:
    """The clip of a seed: the same bytes every time, in any order of calls.

    Args:
        seed: one non-negative number or several.
        config: defaults to `ClipConfig()`.
        with_sentences: False skips them (training of the tracker); nothing else changes.
    """
    config = config or ClipConfig()
    scene_rng, render_rng, text_rng = np.random.default_rng(seed).spawn(3)
    objects = sample_scene(
        _instants(config, scene_rng),
        scene_rng,
        config.n_objects,
        config.object_size,
        config.look_alike,
    )
    frames, masks = render(objects, config.size, render_rng)
    count = config.n_sentences if with_sentences else 0
    expressions = _sentences(objects, masks, count, text_rng) if count else ()
    return Clip(frames, masks, objects, expressions)
