"""Every expression that a scene admits: who it means, and how much a method learns from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rvosbench.demo.clauses import Clause, Scene, describe, relate
from rvosbench.demo.comparisons import Ranking, rankings
from rvosbench.demo.facts import Verdict
from rvosbench.demo.grammar import Noun
from rvosbench.demo.motion import Floats

CATEGORIES = (
    *("appearance", "direction", "speed", "change", "order"),
    *("relation", "occlusion", "multiple", "no_target"),
)

_WELL_SEEN, _SEEN_AT_EDGE = 0.5, 0.25
"""Parts of the clip in which a target must show at least `MIN_AREA`."""
MIN_AREA = 40 / 128**2
"""Least visible area of a named shape, as a part of the frame."""


@dataclass(frozen=True, eq=False)
class Sight:
    """A scene and how well each shape is seen: `seen` (N,), parts of the clip in [0, 1]."""

    scene: Scene
    seen: tuple[float, ...]

    def shows(self, index: int, at_edge: bool = False) -> bool:
        """Whether a shape is seen long enough to be named."""
        return self.seen[index] >= (_SEEN_AT_EDGE if at_edge else _WELL_SEEN)


@dataclass(frozen=True)
class Candidate:
    """An expression before it is worded.

    Attributes:
        category: one of `CATEGORIES`.
        noun: whom it speaks of.
        members: shapes that the noun covers.
        objects: shapes that the whole expression means.
        says: a clause about them, a ranking among them, or nothing but the noun.
        weight: preference among candidates of its category.
    """

    category: str
    noun: Noun
    members: tuple[int, ...]
    objects: tuple[int, ...]
    says: Clause | Ranking | None
    weight: float


def see(scene: Scene, areas: Floats) -> Sight:
    """Adds visibility to a scene: `areas` (N, T) are visible parts of the frame."""
    return Sight(scene, tuple(float(part) for part in (areas >= MIN_AREA).mean(axis=1)))


def _nouns(scene: Scene) -> list[Noun]:
    found: dict[Noun, None] = {Noun(): None}
    for o in scene.objects:
        for texture in (None, o.texture):
            for colour in (None, o.colour):
                for shape in (None, o.shape):
                    found[Noun(colour, shape, texture)] = None
    return list(found)


def _plainness(noun: Noun) -> float:
    """Short nouns are more natural; textures are named now and then."""
    return (1.0, 1.0, 0.8, 0.3)[noun.words] * (0.15 if noun.texture else 1.0)


def _appearance(noun: Noun, members: tuple[int, ...], sight: Sight) -> Iterator[Candidate]:
    if noun.words and all(sight.shows(i) for i in members):
        category = "appearance" if len(members) == 1 else "multiple"
        weight = _plainness(noun) * (1.0 if len(members) == 1 else 0.5)
        yield Candidate(category, noun, members, members, None, weight)


_DENIED = {"direction": 1.0, "change": 1.0, "order": 0.3, "relation": 0.1, "occlusion": 0.2}
"""Categories of clauses that may be untrue of everybody; there are many relations in a scene."""


def _wrong(noun: Noun, members: tuple[int, ...], clause: Clause) -> Iterator[Candidate]:
    """The noun is there, what the clause says is not; best if another shape does just that."""
    if noun.words and clause.category in _DENIED:
        temptation = 3.0 if True in clause.verdicts else 0.4
        weight = _plainness(noun) * temptation * _DENIED[clause.category]
        yield Candidate("no_target", noun, members, (), clause, weight)


def _stated(
    noun: Noun, members: tuple[int, ...], clause: Clause, sight: Sight
) -> Iterator[Candidate]:
    """A clause about the noun's members: one target, several, or none."""
    members = tuple(i for i in members if i != clause.anchor)
    verdicts: list[Verdict] = [clause.verdicts[i] for i in members]
    if None in verdicts or not members:
        return
    objects = tuple(i for i, true in zip(members, verdicts, strict=True) if true)
    if not objects:
        yield from _wrong(noun, members, clause)
    elif all(sight.shows(i, clause.at_edge) for i in objects):
        telling = 1.0 if len(objects) < len(members) else 0.08
        category = clause.category if len(objects) == 1 else "multiple"
        twins = _split_twins(members, objects, sight.scene)
        weight = _plainness(noun) * telling * clause.weight * (4.0 if twins else 1.0)
        yield Candidate(category, noun, members, objects, clause, weight)


def _split_twins(members: tuple[int, ...], objects: tuple[int, ...], scene: Scene) -> bool:
    """Whether the expression means a shape but not another one that looks the same."""
    looks = [o.look for o in scene.objects]
    others = {looks[i] for i in members if i not in objects}
    return any(looks[i] in others for i in objects)


def _ranked(
    noun: Noun, members: tuple[int, ...], ranking: Ranking, sight: Sight
) -> Iterator[Candidate]:
    winner = ranking.winner(list(members))
    if winner is not None and all(sight.shows(i) for i in members):
        twins = 2.0 if _split_twins(members, (winner,), sight.scene) else 1.0
        weight = _plainness(noun) * twins
        yield Candidate(ranking.category, noun, members, (winner,), ranking, weight)


def _absent(scene: Scene) -> Iterator[Candidate]:
    """Colours and shapes that are there, but not together."""
    present = {(o.colour, o.shape) for o in scene.objects}
    for colour in sorted({o.colour for o in scene.objects}):
        for shape in sorted({o.shape for o in scene.objects}):
            if (colour, shape) not in present:
                yield Candidate("no_target", Noun(colour, shape), (), (), None, 1.0)


def _anchored(sight: Sight, nouns: dict[Noun, tuple[int, ...]]) -> Iterator[Clause]:
    """Relations to every shape that a short noun singles out and that is seen."""
    for noun, members in nouns.items():
        if len(members) == 1 and 1 <= noun.words <= 2 and sight.shows(members[0]):
            yield from relate(sight.scene, members[0], f"the {noun.text()}")


def candidates(sight: Sight) -> list[Candidate]:
    """All expressions whose meaning is clear and whose targets are seen."""
    objects = sight.scene.objects
    nouns = {n: tuple(i for i, o in enumerate(objects) if n.covers(o)) for n in _nouns(sight.scene)}
    clauses = [*describe(sight.scene), *_anchored(sight, nouns)]
    compared = rankings(objects)
    found = list(_absent(sight.scene))
    for noun, members in nouns.items():
        found += _appearance(noun, members, sight)
        for clause in clauses:
            found += _stated(noun, members, clause, sight)
        for ranking in compared:
            found += _ranked(noun, members, ranking, sight)
    return found
