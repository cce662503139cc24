"""Figures of MotionShapes: what there is, how hard it is, what a blind guess gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvosbench.datasets.capabilities import Table
from rvosbench.demo.candidates import CATEGORIES
from rvosbench.demo.check.frame_evidence import glimpse
from rvosbench.demo.check.parser import read
from rvosbench.demo.clips import Clip, ClipExpression
from rvosbench.demo.render import occlusion

Counts = NDArray[np.int64]


def blind_j(areas: Counts, targets: Sequence[int]) -> Mapping[str, float]:
    """Mean J, as MeViS takes it, that guesses without a look at the expression can expect.

    Shapes never overlap. So of N shapes, those that are meant share out a J of 1 among them, and
    one drawn at random expects 1 / N in every frame in which the target is seen; all shapes
    together reach the target's part of all their pixels; nothing scores where nothing is seen.

    Args:
        areas: (N, T) visible pixels of each shape.
        targets: indices of those that are meant.

    Returns:
        "one" (drawn at random), "all", "none" -> mean over frames in [0, 1].
    """
    target, total = areas[list(targets)].sum(axis=0), areas.sum(axis=0)
    seen = target > 0
    one = np.where(seen, 1 / len(areas), (areas == 0).mean(axis=0))
    everything = np.where(seen, target / np.maximum(total, 1), total == 0)
    return {
        "one": float(one.mean()),
        "all": float(everything.mean()),
        "none": float((~seen).mean()),
    }


@dataclass(frozen=True)
class _Facts:
    """Of one expression. Shares are in [0, 1]; those of targets are NaN without a target.

    Attributes:
        targets: shapes that it means.
        fitting: shapes that its noun fits.
        told: frames in which what is seen leaves one meaning only.
        twins: whether a shape is not meant that looks like one that is.
        area: of the frame that a target fills, where it is seen.
        hidden: of a target that other shapes cover.
        words: in it.
        blind: see `blind_j`.
    """

    targets: int
    fitting: int
    told: float
    twins: bool
    area: float
    hidden: float
    words: int
    blind: Mapping[str, float]


def tables(clips: Iterable[Clip]) -> list[Table]:
    """Figures by category, and of the scenes."""
    by_category: dict[str, list[_Facts]] = {name: [] for name in CATEGORIES}
    scenes: list[Mapping[str, float]] = []
    for clip in clips:
        hidden = occlusion(clip.objects, clip.masks)
        scenes.append(_scene(clip, hidden))
        for expression in clip.expressions:
            by_category[expression.category].append(_facts(expression, clip, hidden))
    every = [f for found in by_category.values() for f in found]
    rows = [_row(name, found) for name, found in by_category.items() if found]
    columns = (
        "category", "expressions", "targets", "noun fits", "one frame tells %", "look-alike %",
        "area %", "hidden %", "words", "blind J: one", "all", "none",
    )  # fmt: skip
    means = {name: float(np.mean([s[name] for s in scenes])) for name in scenes[0]}
    return [
        Table("expressions by category (means)", columns, (*rows, _row("all", every))),
        Table("clips (means)", ("", "value"), tuple(means.items())),
    ]


def _row(name: str, found: Sequence[_Facts]) -> tuple[str | int | float | None, ...]:
    def mean(values: Iterable[float], percent: bool = False) -> float | None:
        known = [v for v in values if not np.isnan(v)]
        return float(np.mean(known)) * (100 if percent else 1) if known else None

    return (
        name,
        len(found),
        mean(f.targets for f in found),
        mean(f.fitting for f in found),
        mean((f.told for f in found), percent=True),
        mean((f.twins for f in found), percent=True),
        mean((f.area for f in found), percent=True),
        mean((f.hidden for f in found), percent=True),
        mean(f.words for f in found),
        *(mean((f.blind[guess] for f in found), percent=True) for guess in ("one", "all", "none")),
    )


def _facts(expression: ClipExpression, clip: Clip, hidden: NDArray[np.float64]) -> _Facts:
    reading, meant = read(expression.text), list(expression.objects)
    evidence = glimpse(reading, clip.objects, clip.masks, hidden)
    open_ = (evidence.possible & ~evidence.certain).any(axis=1)
    single = (evidence.most == 1) & (evidence.possible.sum(axis=1) <= 1)
    told = ~open_ | single | ((evidence.most == 1) & (evidence.certain.sum(axis=1) == 1))
    looks = [(o.colour, o.shape, o.texture) for o in clip.objects]
    meant_looks = {looks[i] for i in meant}
    areas = clip.masks.sum(axis=(2, 3))
    seen = areas[meant] > 0
    return _Facts(
        targets=len(meant),
        fitting=sum(reading.noun.covers(o) for o in clip.objects),
        told=float(told.mean()),
        twins=any(look in meant_looks for i, look in enumerate(looks) if i not in meant),
        area=_mean(areas[meant] / clip.masks[0, 0].size, seen),
        hidden=_mean(hidden[meant].sum(axis=1), seen),
        words=len(expression.text.split()),
        blind=blind_j(areas, meant),
    )


def _mean(values: NDArray[np.float64], where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if where.any() else float("nan")


def _scene(clip: Clip, hidden: NDArray[np.float64]) -> Mapping[str, float]:
    areas = clip.masks.sum(axis=(2, 3))
    looks = [(o.colour, o.shape, o.texture) for o in clip.objects]
    covered = hidden.sum(axis=1)
    return {
        "shapes": float(len(looks)),
        "clips with look-alikes %": 100.0 * (len(set(looks)) < len(looks)),
        "area of a shape, % of the frame": 100 * _mean(areas / clip.masks[0, 0].size, areas > 0),
        "shapes out of sight, % of frames": 100 * float((areas == 0).mean()),
        "shapes partly hidden, % of frames": 100 * float((covered > 0.02).mean()),
        "clips where a shape is hidden by 40 % or more, %": 100.0 * bool((covered >= 0.4).any()),
    }
