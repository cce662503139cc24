"""Clips of MotionShapes: a pure function from a seed to frames, masks and expressions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rvosbench.demo.clauses import Clause, Scene
from rvosbench.demo.comparisons import Ranking
from rvosbench.demo.expressions import CATEGORIES, Candidate, candidates, see
from rvosbench.demo.grammar import subject_clauses
from rvosbench.demo.motion import Floats, Rng
from rvosbench.demo.render import occlusion, render
from rvosbench.demo.scenes import Shapes, sample_scene

MIN_FRAMES = 8
"""Shorter clips carry no expressions: change over time cannot be judged."""

_EAGERNESS = {
    "occlusion": 1000.0,
    "speed": 100.0,
    "relation": 20.0,
    "order": 3.0,
    "appearance": 1.6,
    "multiple": 0.9,
    "no_target": 0.7,
}
"""How eagerly a category is taken where a clip offers it: chosen so that all come out alike."""

_TURNS = {"occlusion": 2}
"""Candidates taken of a category each time round, where it is not one: few clips offer it."""

_REUSE = 1e-6
"""Weight of a clause that another expression of the clip has already used."""


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
        n_expressions: how many are wanted; a clip may have fewer.
    """

    size: int = 128
    n_frames: int = 20
    step: float | None = None
    n_objects: tuple[int, int] = (2, 5)
    object_size: tuple[float, float] = (20 / 128, 40 / 128)
    look_alike: float = 0.6
    n_expressions: int = 6


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
    objects: Shapes
    expressions: tuple[ClipExpression, ...]

    @cached_property
    def hidden(self) -> Floats:
        """How much of each shape each other one hides, (N, N, T), see `render.occlusion`."""
        return occlusion(self.objects, self.masks)


def _instants(config: ClipConfig, rng: Rng) -> NDArray[np.float64]:
    if config.step is None:
        return np.linspace(0, 1, config.n_frames)
    length = (config.n_frames - 1) * config.step
    begin = rng.uniform(0, max(0.0, 1 - length))
    return np.clip(begin + np.arange(config.n_frames) * config.step, 0, 1)


def _one_of(options: tuple[str, ...], rng: Rng) -> str:
    return options[int(rng.integers(len(options)))]


def _generic(rng: Rng) -> str:
    return "object" if rng.random() < 0.3 else "shape"


def _number(candidate: Candidate, rng: Rng) -> str:
    """What stands before a plural noun: "all", "the two", "both"."""
    count = len(candidate.objects)
    words = {2: ("the two", "both", "all", "the"), 3: ("the three", "all", "all the", "the")}
    return _one_of(words.get(count, ("all", "all the", "the")), rng)


def _rank_words(candidate: Candidate, ranking: Ranking, rng: Rng) -> str:
    pair = ranking.pair if len(candidate.members) == 2 else ()
    generic = _generic(rng)
    words = _one_of(pair or ranking.wordings, rng)
    words = words.replace("NOUNS", candidate.noun.text(plural=True, generic=generic))
    return words.replace("NOUN", candidate.noun.text(generic=generic))


def word(candidate: Candidate, rng: Rng) -> str:
    """One wording of a candidate, such as "the red circle that moves left"."""
    if isinstance(candidate.says, Ranking):
        return _rank_words(candidate, candidate.says, rng)
    plural = len(candidate.objects) > 1
    article = _number(candidate, rng) if plural else "the"
    text = f"{article} {candidate.noun.text(plural, _generic(rng))}"
    if isinstance(candidate.says, Clause):
        text += _one_of(subject_clauses(_one_of(candidate.says.wordings, rng), plural), rng)
    return text


def _freshness(candidate: Candidate, taken: list[Candidate]) -> float:
    """1 for something new, less for targets already meant, 0 for what has been said.

    A clause already used comes again only with another noun, and only when nothing else is left.
    """
    used = [c for c in taken if candidate.says is c.says]
    if any(candidate.noun == c.noun for c in used):
        return 0.0
    same_targets = [c for c in taken if c.objects == candidate.objects]
    repeated = any(c.category == candidate.category for c in same_targets)
    reused = _REUSE if used and candidate.says is not None else 1.0
    return float(reused * 0.35 ** len(same_targets) * (0.02 if repeated else 1.0))


def _pick(pool: list[Candidate], taken: list[Candidate], rng: Rng) -> Candidate | None:
    """A weighted draw that prefers what is new; None from an empty or exhausted pool."""
    weights = np.array([c.weight * _freshness(c, taken) for c in pool])
    total = weights.sum()
    return pool[int(rng.choice(len(pool), p=weights / total))] if total > 0 else None


def choose(pool: list[Candidate], count: int, rng: Rng) -> list[Candidate]:
    """Up to `count` candidates, spread over the categories that the scene offers.

    Goes round the categories, one candidate of each, until there are enough or all are used up.
    """
    keys = {name: rng.random() ** (1 / _EAGERNESS.get(name, 1.0)) for name in CATEGORIES}
    order = sorted(CATEGORIES, key=lambda name: keys[name], reverse=True)
    taken: list[Candidate] = []
    turns = [name for name in order for _ in range(_TURNS.get(name, 1))]
    while turns and len(taken) < count:
        for category in tuple(turns):
            if len(taken) == count:
                break
            pick = _pick([c for c in pool if c.category == category], taken, rng)
            if pick is None:
                turns.remove(category)
            else:
                taken.append(pick)
    return taken


def _expressions(
    objects: Shapes, masks: NDArray[np.bool_], count: int, rng: Rng
) -> tuple[ClipExpression, ...]:
    if masks.shape[1] < MIN_FRAMES:
        return ()
    sight = see(Scene(objects, occlusion(objects, masks)), masks.mean(axis=(2, 3)))
    chosen = choose(candidates(sight), count, rng)
    return tuple(ClipExpression(word(c, rng), c.category, c.objects) for c in chosen)


def make_clip(
    seed: int | tuple[int, ...], config: ClipConfig | None = None, *, with_expressions: bool = True
) -> Clip:
    """The clip of a seed: the same bytes every time, in any order of calls.

    Args:
        seed: one non-negative number or several.
        config: defaults to `ClipConfig()`.
        with_expressions: False skips them (training of the tracker); nothing else changes.
    """
    config = config or ClipConfig()
    scene_rng, render_rng, text_rng = np.random.default_rng(seed).spawn(3)
    instants = _instants(config, scene_rng)
    numbers = (config.n_objects, config.object_size, config.look_alike)
    objects = sample_scene(instants, scene_rng, *numbers)
    frames, masks = render(objects, config.size, render_rng)
    count = config.n_expressions if with_expressions else 0
    expressions = _expressions(objects, masks, count, text_rng) if count else ()
    return Clip(frames, masks, objects, expressions)
