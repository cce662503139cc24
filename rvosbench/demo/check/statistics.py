"""MotionShapes in numbers: what there is, how hard it is, what a blind guess gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rvosbench.datasets.capabilities import Table
from rvosbench.demo.check.frame_evidence import glimpse
from rvosbench.demo.check.parser import read
from rvosbench.demo.clips import Clip, ClipExpression
from rvosbench.demo.expressions import CATEGORIES

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
    whole = np.where(seen, target / np.maximum(total, 1), total == 0)
    return {"one": float(one.mean()), "all": float(whole.mean()), "none": float((~seen).mean())}


_SHARES = (
    *("one frame tells %", "look-alike %", "area %", "hidden %"),
    *("blind J: one", "all", "none"),
)
"""Columns in percent; means are taken of parts in [0, 1]."""


def tables(clips: Iterable[Clip]) -> list[Table]:
    """Numbers by category, and of the scenes."""
    by_category: dict[str, list[Mapping[str, float]]] = {name: [] for name in CATEGORIES}
    scenes: list[Mapping[str, float]] = []
    for clip in clips:
        scenes.append(_scene(clip))
        for expression in clip.expressions:
            by_category[expression.category].append(_facts(expression, clip))
    every = [facts for found in by_category.values() for facts in found]
    rows = [_row(name, found) for name, found in by_category.items() if found]
    means = {name: float(np.mean([s[name] for s in scenes])) for name in scenes[0]}
    columns = ("category", "expressions", *every[0])
    return [
        Table("expressions by category (means)", columns, (*rows, _row("all", every))),
        Table("clips (means)", ("", "value"), tuple(means.items())),
    ]


def _row(name: str, found: Sequence[Mapping[str, float]]) -> tuple[str | int | float | None, ...]:
    """Means over those that know a value; None where nobody does."""
    means: list[float | None] = []
    for column in found[0]:
        known = [facts[column] for facts in found if not np.isnan(facts[column])]
        scale = 100 if column in _SHARES else 1
        means.append(float(np.mean(known)) * scale if known else None)
    return (name, len(found), *means)


def _facts(expression: ClipExpression, clip: Clip) -> Mapping[str, float]:
    """Of one expression, by the columns of the table; NaN for a target's share without a target."""
    reading, meant = read(expression.text), list(expression.objects)
    evidence = glimpse(reading, clip.objects, clip.masks, clip.hidden)
    open_ = (evidence.possible & ~evidence.certain).any(axis=1)
    single = (evidence.most == 1) & (evidence.possible.sum(axis=1) <= 1)
    told = ~open_ | single | ((evidence.most == 1) & (evidence.certain.sum(axis=1) == 1))
    looks = [o.look for o in clip.objects]
    meant_looks = {looks[i] for i in meant}
    areas = clip.masks.sum(axis=(2, 3))
    seen = areas[meant] > 0
    blind = blind_j(areas, meant)
    return {
        "targets": len(meant),
        "noun fits": sum(reading.noun.covers(o) for o in clip.objects),
        # Frames in which what is seen leaves one meaning only.
        "one frame tells %": float(told.mean()),
        # Whether a shape is not meant that looks like one that is.
        "look-alike %": any(look in meant_looks for i, look in enumerate(looks) if i not in meant),
        # Of the frame that a target fills, and of a target that others cover, where it is seen.
        "area %": _mean(areas[meant] / clip.masks[0, 0].size, seen),
        "hidden %": _mean(clip.hidden[meant].sum(axis=1), seen),
        "words": len(expression.text.split()),
        "blind J: one": blind["one"],
        "all": blind["all"],
        "none": blind["none"],
    }


def _mean(values: NDArray[np.float64], where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if where.any() else float("nan")


def _scene(clip: Clip) -> Mapping[str, float]:
    areas = clip.masks.sum(axis=(2, 3))
    looks = [o.look for o in clip.objects]
    covered = clip.hidden.sum(axis=1)
    return {
        "shapes": float(len(looks)),
        "clips with look-alikes %": 100.0 * (len(set(looks)) < len(looks)),
        "area of a shape, % of the frame": 100 * _mean(areas / clip.masks[0, 0].size, areas > 0),
        "shapes out of sight, % of frames": 100 * float((areas == 0).mean()),
        "shapes partly hidden, % of frames": 100 * float((covered > 0.02).mean()),
        "clips where a shape is hidden by 40 % or more, %": 100.0 * bool((covered >= 0.4).any()),
    }
