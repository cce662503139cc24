"""What one shape does, decided from its true path, size and angle.

Every predicate says True, False, or None where a person might hesitate: thresholds come in
pairs with a margin between them. Expressions are built from clear verdicts only. Paths are (T, 2)
arrays of centres in frame sides, y down; predicates about change need about 8 frames or more.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from rvosbench.demo.motion import HEADINGS, Floats
from rvosbench.demo.scenes import ShapeObject

Verdict: TypeAlias = bool | None


def grade(value: float, no: float, yes: float) -> Verdict:
    """True from `yes` on, False up to `no`, None between; `yes` may lie on either side of `no`."""
    if yes < no:
        value, no, yes = -value, -no, -yes
    return True if value >= yes else False if value <= no else None


def both(*verdicts: Verdict) -> Verdict:
    """Logical and: one clear no decides, one doubt leaves doubt. True of nothing."""
    return False if False in verdicts else None if None in verdicts else True


def path_of(shape: ShapeObject) -> Floats:
    """Centres of a shape, (T, 2)."""
    return np.stack([shape.x, shape.y], axis=1)


def length(path: Floats) -> float:
    """Way travelled, in frame sides."""
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def extent(path: Floats) -> float:
    """Diagonal of the path's bounding box."""
    return float(np.hypot(*np.ptp(path, axis=0)))


def straightness(path: Floats) -> float:
    """Net way over way travelled, in [0, 1]; 1 for a shape that does not move."""
    travelled = length(path)
    return float(np.hypot(*(path[-1] - path[0]))) / travelled if travelled > 1e-6 else 1.0


def stays_still(shape: ShapeObject) -> Verdict:
    """Neither moves nor grows nor spins."""
    path = path_of(shape)
    moving = grade(extent(path), 0.02, 0.08)
    if moving is not False:
        return None if moving is None else False
    return True if grows(shape) is False is shrinks(shape) is spins(shape) else None


def moves(path: Floats, heading: str) -> Verdict:
    """Goes one way ("left", "right", "up", "down") for the whole clip, pauses allowed."""
    direction = np.array(HEADINGS[heading])
    net = path[-1] - path[0]
    way = float(np.hypot(*net))
    if straightness(path) >= 0.95 and way >= 0.2:
        return grade(float(net @ direction) / way, 0.5, 0.93)
    along = path @ direction
    rise = float(np.max(along - np.minimum.accumulate(along)))
    return False if rise <= 0.06 else None


def stops(path: Floats) -> Verdict:
    """Moves straight at first and stands for the last 30 % of the clip."""
    head, tail = path[: int(0.45 * len(path))], path[math.ceil(0.7 * len(path)) :]
    if extent(path) < 0.03 or extent(tail) >= 0.05:
        return False
    clear = extent(tail) < 0.01 and extent(head) > 0.1 and straightness(path) >= 0.95
    return True if clear else None


def starts(path: Floats) -> Verdict:
    """Stands for the first 30 % of the clip and moves straight in the end."""
    return stops(path[::-1])


def speeds_up(path: Floats) -> Verdict:
    """Moves all the time, at least 2.2 times as far in the last third as in the first."""
    third = len(path) // 3
    first, last = length(path[: third + 1]), length(path[-third - 1 :])
    if length(path) < 0.1:
        return False
    faster = grade(last / max(first, 1e-6), 1.25, 2.2)
    if faster is True and (straightness(path) < 0.95 or first < 0.006):
        return None
    return faster


def slows_down(path: Floats) -> Verdict:
    """The reverse of `speeds_up`."""
    return speeds_up(path[::-1])


def _legs(path: Floats, corner: int) -> tuple[str, str] | None:
    """Headings before and after a right-angled corner, None if it is no such corner."""
    names: list[str] = []
    for leg in (path[: corner + 1], path[corner:]):
        way = leg[-1] - leg[0]
        distance = float(np.hypot(*way))
        if distance < 0.15 or straightness(leg) < 0.97:
            return None
        cosines = {name: float(way @ np.array(h)) / distance for name, h in HEADINGS.items()}
        names.append(max(cosines, key=lambda name: cosines[name]))
        if cosines[names[-1]] < 0.93:
            return None
    horizontal = [name in ("left", "right") for name in names]
    return (names[0], names[1]) if horizontal[0] != horizontal[1] else None


def turn_of(path: Floats) -> tuple[str, str] | None:
    """Headings before and after the one right-angled turn of a path; None without a clear one."""
    found = {_legs(path, corner) for corner in range(3, len(path) - 3)} - {None}
    return found.pop() if len(found) == 1 else None


def turns(path: Floats) -> Verdict:
    """Goes one way and then, after one turn, at right angles to it."""
    if turn_of(path) is not None:
        return True
    return False if extent(path) < 0.03 or straightness(path) > 0.97 else None


def _flatness(path: Floats) -> float:
    """Width over length of a path, in [0, 1]: 0 on a line."""
    values = np.linalg.svd(path - path.mean(axis=0), compute_uv=False)
    return float(values[1] / values[0]) if values[0] > 1e-6 else 0.0


def _total_bend(path: Floats) -> float:
    """Sum of absolute changes of heading in radians, pauses skipped."""
    steps = np.diff(path, axis=0)
    steps = steps[np.hypot(*steps.T) > 1e-4]
    bends = np.diff(np.arctan2(steps[:, 1], steps[:, 0]))
    return float(np.abs((bends + math.pi) % (2 * math.pi) - math.pi).sum())


def circles(path: Floats, clockwise: bool | None = None) -> Verdict:
    """Goes round in a circle, at least 0.9 of a turn; clockwise as seen on the screen, if given."""
    if _flatness(path) < 0.1 or _total_bend(path) < 0.75 * math.pi:
        return False
    arm = path - (path.min(axis=0) + path.max(axis=0)) / 2
    radius = np.hypot(*arm.T)
    bearing = np.unwrap(np.arctan2(arm[:, 1], arm[:, 0]))
    sweep = float(bearing[-1] - bearing[0])
    if radius.min() < 0.7 * radius.max() or abs(sweep) < 1.8 * math.pi:
        return None
    return clockwise is None or clockwise == (sweep > 0)


def _reversals(along: Floats, least: float) -> int:
    """How often a coordinate turns back by at least `least`."""
    count, sign, low, high = 0, 0, along[0], along[0]
    for value in along:
        low, high = min(low, value), max(high, value)
        if sign <= 0 and value - low >= least:
            count, sign, high = count + (sign < 0), 1, value
        elif sign >= 0 and high - value >= least:
            count, sign, low = count + (sign > 0), -1, value
    return count


def moves_back_and_forth(path: Floats) -> Verdict:
    """Goes to and fro on a line: turns back at least twice, by at least a tenth of the frame."""
    centred = path - path.mean(axis=0)
    along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    if _reversals(along, 0.03) == 0:
        return False
    return True if _flatness(path) < 0.1 and _reversals(along, 0.1) >= 2 else None


def _is_inside(shape: ShapeObject, frame: int) -> bool:
    reach = shape.size[frame] * 0.4
    return all(reach <= c[frame] <= 1 - reach for c in (shape.x, shape.y))


def _is_outside(shape: ShapeObject, frame: int) -> bool:
    reach = shape.size[frame] * 0.71
    return any(not -reach <= c[frame] <= 1 + reach for c in (shape.x, shape.y))


def leaves(shape: ShapeObject) -> Verdict:
    """Is in the frame at first and out of it in the end."""
    if _is_inside(shape, -1):
        return False
    return True if _is_inside(shape, 0) and _is_outside(shape, -1) else None


def enters(shape: ShapeObject) -> Verdict:
    """Is out of the frame at first and in it in the end."""
    if _is_inside(shape, 0):
        return False
    return True if _is_inside(shape, -1) and _is_outside(shape, 0) else None


def _stays_inside(shape: ShapeObject) -> bool:
    return all(_is_inside(shape, frame) for frame in range(len(shape.x)))


def grows(shape: ShapeObject) -> Verdict:
    """Gets at least 1.4 times as large, in the frame all the while."""
    verdict = grade(float(shape.size[-1] / shape.size[0]), 1.1, 1.4)
    return verdict if _stays_inside(shape) else None


def shrinks(shape: ShapeObject) -> Verdict:
    """Gets at least 1.4 times as small, in the frame all the while."""
    verdict = grade(float(shape.size[0] / shape.size[-1]), 1.1, 1.4)
    return verdict if _stays_inside(shape) else None


def spins(shape: ShapeObject) -> Verdict:
    """Turns about its own centre by 0.7 of a turn or more; no telling with a plain circle."""
    turned = float(abs(shape.angle[-1] - shape.angle[0]))
    if shape.shape == "circle" and shape.texture == "plain":
        return None
    return grade(turned, 0.15, 1.4 * math.pi)
