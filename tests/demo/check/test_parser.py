"""Expressions read back: what they say, and that two accounts of every scene agree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rvosbench.demo.check import mistakes
from rvosbench.demo.check.judge import referents
from rvosbench.demo.check.parser import MANY, Reading, read
from rvosbench.demo.clauses import Scene
from rvosbench.demo.clips import Clip, ClipConfig, ClipExpression, make_clip
from rvosbench.demo.expressions import Candidate, candidates, see
from rvosbench.demo.grammar import Noun
from rvosbench.demo.render import occlusion


def said(fact: str, anchor: Noun) -> Reading:
    """A relation of a star to another shape."""
    return Reading(Noun(None, "star"), fact=fact, anchor=anchor)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("the striped red cross", Reading(Noun("red", "cross", "striped"))),
        ("both crosses", Reading(Noun(None, "cross"), 2, 2)),
        ("all the pink objects", Reading(Noun("pink"), 2, MANY)),
        ("the circles rising", Reading(Noun(None, "circle"), 2, MANY, "up")),
        ("the three shapes that stay still", Reading(Noun(), 3, 3, "still")),
        ("the star which goes to the left", Reading(Noun(None, "star"), fact="left")),
        ("the star getting bigger", Reading(Noun(None, "star"), fact="grow")),
        ("the star left of the blue square", said("left of", Noun("blue", "square"))),
        ("the star that is above the dotted shape", said("above", Noun(texture="dotted"))),
        ("the star moving across the square", said("in front of", Noun(None, "square"))),
        ("the star moving faster than the square", said("faster than", Noun(None, "square"))),
        ("the bigger one of the two red stars", Reading(Noun("red", "star"), fact="biggest")),
        ("the shape that moves faster", Reading(Noun(), fact="fastest")),
        ("the first red shape to move", Reading(Noun("red"), fact="first to move")),
        ("the last object to start moving", Reading(Noun(), fact="last to move")),
        ("the shape that starts moving last", Reading(Noun(), fact="last to move")),
        ("the shape going left before turning up", Reading(Noun(), fact="left then up")),
        ("the shape that moves left, then turns up", Reading(Noun(), fact="left then up")),
        ("the shape first moving down and then stopping", Reading(Noun(), fact="down then stop")),
        ("the shape that waits and then moves up", Reading(Noun(), fact="wait then up")),
        ("the shape that waits and then moves", Reading(Noun(), fact="start")),
    ],
)  # fmt: skip
def test_what_a_sentence_says(text: str, meaning: Reading) -> None:
    assert read(text) == meaning


@pytest.mark.parametrize(
    "text", ["", "a dog", "the red red circle", "the circle that sings", "the circle left of it"]
)
def test_what_is_not_understood_is_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=text or "no noun"):
        read(text)


def all_sentences(clip: Clip) -> list[Candidate]:
    sight = see(Scene(clip.objects, occlusion(clip.objects, clip.masks)), clip.masks.mean((2, 3)))
    return candidates(sight)


def test_an_independent_judge_agrees_with_every_sentence() -> None:
    """Hundreds of expressions: other measures, other thresholds, the same shapes."""
    facts, compared = set(), 0
    for seed in range(60):
        clip = make_clip((7, seed), ClipConfig(size=64, n_expressions=60))
        hidden = occlusion(clip.objects, clip.masks)
        for e in clip.expressions:
            reading = read(e.text)
            assert referents(reading, clip.objects, hidden) == e.objects, e.text
            facts.add(reading.fact)
            compared += 1
    assert compared > 2500
    assert len(facts) > 45  # nearly all that can be said


def test_the_checks_pass_what_the_generator_makes() -> None:
    for seed in range(15):
        assert list(mistakes.problems(make_clip((7, seed), ClipConfig(n_expressions=20)))) == []


def with_expressions(*expressions: tuple[str, str, tuple[int, ...]]) -> Clip:
    clip = make_clip((7, 0), ClipConfig(size=64))
    return replace(clip, expressions=tuple(ClipExpression(*s) for s in expressions))


def look(index: int) -> str:
    o = make_clip((7, 0), ClipConfig(size=64)).objects[index]
    return f"{o.texture} {o.colour} {o.shape}"


def test_the_checks_find_what_is_wrong() -> None:
    one, other = f"the {look(0)}", f"the {look(1)}"
    assert look(0) != look(1)
    assert list(mistakes.problems(with_expressions((one, "appearance", (0,))))) == []
    found = list(mistakes.problems(with_expressions((one, "appearance", (1,)))))
    assert found == [f"{one!r}: means shapes 1, but by other measures 0"]
    found = list(mistakes.problems(with_expressions((one, "no_target", (0,)))))
    assert found == [f"{one!r}: means 1 shapes in category 'no_target'"]
    assert "not understood" in next(
        mistakes.problems(with_expressions((f"{one} singing", "x", (0,))))
    )
    left = (f"{one} moving left", "direction", (0,))
    for second in [
        (f"{one} moving right", "direction", (0,)),
        (f"{one} going to the left", "no_target", ()),
    ]:
        found = list(mistakes.problems(with_expressions(left, second)))
        assert any("contradict each other" in p for p in found), second
    fine = with_expressions((one, "appearance", (0,)), (other, "appearance", (1,)))
    assert list(mistakes.problems(fine)) == []
