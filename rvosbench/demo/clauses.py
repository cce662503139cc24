"""Everything an expression may say of a shape besides its look, with the verdict for each shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rvosbench.demo import comparisons, facts
from rvosbench.demo.facts import Verdict, both, path_of
from rvosbench.demo.motion import HEADINGS, Floats
from rvosbench.demo.scenes import ShapeObject, Shapes

_PathFact = Callable[[Floats], Verdict]
_ShapeFact = Callable[[ShapeObject], Verdict]


@dataclass(frozen=True)
class Clause:
    """A verb phrase in several wordings, and for every shape of the scene whether it is true.

    `at_edge` marks clauses about coming and going, whose shapes are seen for a part of the clip;
    `anchor` is the index of the shape that a relation refers to; `weight` its preference.
    """

    category: str
    wordings: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    at_edge: bool = False
    anchor: int | None = None
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene as it is: objects, `hidden` (N, N, T) as `render.occlusion` gives it."""

    objects: Shapes
    hidden: Floats


_GOING: dict[str, tuple[str, ...]] = {
    "left": ("{move} left", "{go} to the left", "{travel} to the left"),
    "right": ("{move} right", "{go} to the right", "{travel} to the right"),
    "up": ("{move} up", "{go} upwards", "{rise}"),
    "down": ("{move} down", "{go} downwards", "{sink}"),
}
_ABOUT_PATHS: tuple[tuple[str, tuple[str, ...], _PathFact], ...] = (
    *(("direction", _GOING[way], partial(facts.moves, heading=way)) for way in HEADINGS),
    ("direction", ("{move} in a circle", "{go} around in a circle"), facts.circles),
    (
        "direction",
        ("{move} clockwise in a circle", "{go} around clockwise"),
        partial(facts.circles, clockwise=True),
    ),
    (
        "direction",
        ("{move} counterclockwise in a circle", "{go} around counterclockwise"),
        partial(facts.circles, clockwise=False),
    ),
    ("direction", ("{move} back and forth", "{go} to and fro"), facts.moves_back_and_forth),
    ("change", ("{stop}", "{come} to a halt", "{move} at first and then {stop}"), facts.stops),
    ("change", ("{start} to move", "{begin} to move", "{wait} and then {move}"), facts.starts),
    ("change", ("{change} direction", "{make} a turn"), facts.turns),
    ("change", ("{speed} up", "{get} faster", "{accelerate}"), facts.speeds_up),
    ("change", ("{slow} down", "{get} slower", "{lose} speed"), facts.slows_down),
)
_ABOUT_SHAPES: tuple[tuple[str, tuple[str, ...], _ShapeFact], ...] = (
    ("direction", ("{stay} still", "{stand} still", "{remain} in place"), facts.stays_still),
    ("change", ("{grow}", "{get} bigger", "{become} larger"), facts.grows),
    ("change", ("{shrink}", "{get} smaller", "{become} smaller"), facts.shrinks),
    ("change", ("{spin}", "{rotate}", "{spin} around"), facts.spins),
    (
        "change",
        ("{leave} the picture", "{go} out of view", "{move} out of the frame"),
        facts.leaves,
    ),
    ("change", ("{enter} the picture", "{come} into view", "{move} into the frame"), facts.enters),
)
_AT_EDGE = (facts.leaves, facts.enters)


def _turns(paths: list[Floats]) -> Iterator[Clause]:
    """One way first and then another: a clause for each of the eight right-angled turns."""
    found = [(facts.turns(path), facts.turn_of(path)) for path in paths]
    for first in HEADINGS:
        for second in HEADINGS:
            if (first in ("left", "right")) != (second in ("left", "right")):
                wordings = (
                    f"first {{move}} {first} and then {second}",
                    f"{{move}} {first} and then {second}",
                    f"{{go}} {first} before turning {second}",
                    f"{{move}} {first}, then {{turn}} {second}",
                )
                same = tuple(v and turn == (first, second) for v, turn in found)
                yield Clause("order", wordings, same)


def _pauses(paths: list[Floats]) -> Iterator[Clause]:
    stops, starts = [facts.stops(p) for p in paths], [facts.starts(p) for p in paths]
    for way in HEADINGS:
        moves = [facts.moves(p, way) for p in paths]
        before, after = f"{{move}} {way} and then {{stop}}", f"{{wait}} and then {{move}} {way}"
        for text, pauses in ((before, stops), (after, starts)):
            yield Clause("order", (text, f"first {text}"), tuple(map(both, moves, pauses)))


def describe(scene: Scene) -> list[Clause]:
    """All clauses about single shapes, true of any or of none."""
    paths = [path_of(shape) for shape in scene.objects]
    about_paths = [
        Clause(category, wordings, tuple(fact(path) for path in paths))
        for category, wordings, fact in _ABOUT_PATHS
    ]
    about_shapes = [
        Clause(category, wordings, tuple(fact(o) for o in scene.objects), fact in _AT_EDGE)
        for category, wordings, fact in _ABOUT_SHAPES
    ]
    return [*about_paths, *about_shapes, *_turns(paths), *_pauses(paths)]


_SIDES: dict[str, tuple[str, ...]] = {
    "left": ("@left of {}", "@to the left of {}"),
    "right": ("@right of {}", "@to the right of {}"),
    "up": ("@above {}",),
    "down": ("@below {}",),
}
_AnchorFact = tuple[str, tuple[str, ...], list[Verdict]]


def _about_anchor(scene: Scene, anchor: int) -> Iterator[_AnchorFact]:
    target, objects = scene.objects[anchor], scene.objects
    for side, wordings in _SIDES.items():
        yield "relation", wordings, [comparisons.lies(o, target, side) for o in objects]
    behind = [comparisons.passes(o, scene.hidden[i, anchor]) for i, o in enumerate(objects)]
    yield "occlusion", ("{pass} behind {}", "{move} behind {}"), behind
    front = [comparisons.passes(o, scene.hidden[anchor, i]) for i, o in enumerate(objects)]
    yield "occlusion", ("{pass} in front of {}", "{move} across {}"), front
    place, paths = path_of(target), [path_of(o) for o in objects]
    if facts.stays_still(target):
        near = [comparisons.approaches(path, place) for path in paths]
        yield "relation", ("{move} towards {}", "{approach} {}"), near
        far = [comparisons.recedes(path, place) for path in paths]
        yield "relation", ("{move} away from {}", "{go} away from {}"), far
    faster = [comparisons.is_faster(path, place) for path in paths]
    yield "speed", ("{move} faster than {}",), faster
    moving = [facts.grade(facts.length(path), 0.05, 0.1) for path in paths]
    slower = [comparisons.is_faster(place, path) for path in paths]
    yield "speed", ("{move} slower than {}",), list(map(both, moving, slower))


def relate(scene: Scene, anchor: int, name: str) -> list[Clause]:
    """All clauses that relate shapes to one of them, which the noun phrase `name` singles out."""
    clauses: list[Clause] = []
    for category, wordings, verdicts in _about_anchor(scene, anchor):
        verdicts[anchor] = False
        named = tuple(wording.replace("{}", name) for wording in wordings)
        weight = 0.2 if wordings[0].startswith("@") else 1.0
        clauses.append(Clause(category, named, tuple(verdicts), anchor=anchor, weight=weight))
    return clauses
