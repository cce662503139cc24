"""Reads an expression of MotionShapes back into what it says.

Written from the documentation of the categories and not from the generator's tables, so that the
two can be compared: where words do not give the target back, one of them is mistaken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rvosbench.demo.grammar import Noun
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES

MANY = 99
"""Most targets of a plural that says no number."""


@dataclass(frozen=True)
class Reading:
    """What an expression says.

    Attributes:
        noun: of whom it speaks.
        least: targets that its grammar promises at least; a singular means one.
        most: likewise at most.
        fact: what is said of them, one of the values of `_PHRASES`, `_RELATIONS` and `_RANKS`, or
            "left then up", "left then stop", "wait then left". Empty if the noun is all.
        anchor: the noun phrase of the shape that a relation refers to.
    """

    noun: Noun
    least: int = 1
    most: int = 1
    fact: str = ""
    anchor: Noun | None = None

    @property
    def ranks(self) -> bool:
        """Whether it compares the shapes that the noun covers with each other."""
        return self.fact in _RANKS.values()


_NUMBERS = {"both": (2, 2), "all": (2, MANY), "two": (2, 2), "three": (3, 3)}


def _by_phrase(phrases: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """Phrase -> what it says, from what is said -> its phrases."""
    return {phrase: fact for fact, same in phrases.items() for phrase in same}


_RANKS = _by_phrase(
    {
        "fastest": ("fastest", "faster", "move the fastest", "move faster"),
        "slowest": ("slowest", "slower", "move the slowest", "move slower"),
        "biggest": ("biggest", "largest", "bigger", "larger"),
        "smallest": ("smallest", "smaller"),
        "first to move": ("first to move", "first to start move", "start move first", "move first"),
        "last to move": ("last to move", "last to start move", "start move last"),
        "first to stop": ("first to stop", "stop first"),
        "last to stop": ("last to stop", "stop last"),
    }
)
_PHRASES = _by_phrase(
    {
        "left": ("move left", "go to the left", "travel to the left"),
        "right": ("move right", "go to the right", "travel to the right"),
        "up": ("move up", "go upwards", "rise"),
        "down": ("move down", "go downwards", "sink"),
        "circle": ("move in a circle", "go around in a circle"),
        "clockwise": ("move clockwise in a circle", "go around clockwise"),
        "counterclockwise": ("move counterclockwise in a circle", "go around counterclockwise"),
        "back and forth": ("move back and forth", "go to and fro"),
        "still": ("stay still", "stand still", "remain in place"),
        "stop": ("stop", "come to a halt", "move at first and then stop"),
        "start": ("start to move", "begin to move", "wait and then move"),
        "turn": ("change direction", "make a turn"),
        "speed up": ("speed up", "get faster", "accelerate"),
        "slow down": ("slow down", "get slower", "lose speed"),
        "grow": ("grow", "get bigger", "become larger"),
        "shrink": ("shrink", "get smaller", "become smaller"),
        "spin": ("spin", "spin around", "rotate"),
        "leave": ("leave the picture", "go out of view", "move out of the frame"),
        "enter": ("enter the picture", "come into view", "move into the frame"),
    }
)
_RELATIONS = _by_phrase(
    {
        "left of": ("left of", "to the left of"),
        "right of": ("right of", "to the right of"),
        "above": ("above",),
        "below": ("below",),
        "behind": ("pass behind", "move behind"),
        "in front of": ("pass in front of", "move across"),
        "towards": ("move towards", "approach"),
        "away from": ("move away from", "go away from"),
        "faster than": ("move faster than",),
        "slower than": ("move slower than",),
    }
)

_VERBS = (
    *("move", "go", "travel", "rise", "sink", "stay", "stand", "remain", "wait", "pass"),
    *("approach", "stop", "come", "start", "begin", "change", "make", "turn", "speed", "get"),
    *("accelerate", "slow", "lose", "grow", "become", "shrink", "spin", "rotate", "leave", "enter"),
)


_STEMS: Mapping[str, str] = {
    form: verb
    for verb in _VERBS
    for base in (verb.removesuffix("e"),)
    for form in (verb, verb + "s", verb + "es", base + "ing", verb + "ing", base + verb[-1] + "ing")
}
_HEADS: Mapping[str, str | None] = {
    **{shape + ending: shape for shape in SHAPES for ending in ("", "s", "es")},
    **dict.fromkeys(("shape", "shapes", "object", "objects")),
}


def read(text: str) -> Reading:
    """What an expression says.

    Raises:
        ValueError: not an expression of MotionShapes; the message quotes what is not understood.
    """
    words = [_STEMS.get(word, word) for word in re.findall("[a-z]+", text.lower())]
    least, most, words = _number(words)
    rank = words.pop(0) if words and words[0] in (*_RANKS, "first", "last") else ""
    for filler in (["one", "of", "the", "two"], ["of", "the", "two"]):
        if rank and words[: len(filler)] == filler:
            words = words[len(filler) :]
    noun, plural, rest = _noun(words, text)
    if rank:
        # "the bigger of the two circles" is one circle
        return Reading(noun, fact=_known(_RANKS, " ".join([rank, *rest]), text))
    if plural and least == 1:
        least, most = 2, MANY
    return _said(noun, least, most, " ".join(rest), text)


def _number(words: list[str]) -> tuple[int, int, list[str]]:
    """Least and most targets that the words before the noun tell, and the words after them."""
    least, most = 1, 1
    while words and words[0] in ("the", *_NUMBERS):
        least, most = _NUMBERS.get(words[0], (least, most))
        words = words[1:]
    return least, most, words


def _noun(words: list[str], text: str) -> tuple[Noun, bool, list[str]]:
    """The noun phrase at the beginning, whether it is a plural, and the words after it."""
    found: dict[str, str] = {}
    for place, word in enumerate(words):
        if word in _HEADS:
            noun = Noun(found.get("colour"), _HEADS[word], found.get("texture"))
            return noun, word.endswith("s") and word not in SHAPES, words[place + 1 :]
        kind = "colour" if word in COLOURS else "texture" if word in TEXTURES else None
        if kind is None or kind in found:
            break
        found[kind] = word
    raise ValueError(f"{text!r}: no noun phrase at {' '.join(words)!r}")


def _said(noun: Noun, least: int, most: int, rest: str, text: str) -> Reading:
    rest = re.sub(r"^(that|which) ((is|are) )?", "", rest)
    if not rest:
        return Reading(noun, least, most)
    if least == 1 and rest in _RANKS:
        return Reading(noun, fact=_RANKS[rest])
    relation = re.fullmatch(r"(.*?) the ((?:\w+ ){0,2}\w+)", rest)
    if relation and relation[1] in _RELATIONS:
        anchor, _, _ = _noun(relation[2].split(), text)
        return Reading(noun, least, most, _RELATIONS[relation[1]], anchor)
    return Reading(noun, least, most, _in_order(rest) or _known(_PHRASES, rest, text))


def _in_order(phrase: str) -> str | None:
    """Two things one after the other: "left then up", "left then stop", "wait then left"."""
    way = "(left|right|up|down)"
    turn = rf"(?:first )?(?:move|go) {way} (?:and then|before turn|then turn) {way}"
    if found := re.fullmatch(turn, phrase):
        return f"{found[1]} then {found[2]}"
    if found := re.fullmatch(rf"(?:first )?move {way} and then stop", phrase):
        return f"{found[1]} then stop"
    if found := re.fullmatch(rf"(?:first )?wait and then move {way}", phrase):
        return f"wait then {found[1]}"
    return None


def _known(table: Mapping[str, str], phrase: str, text: str) -> str:
    if phrase not in table:
        raise ValueError(f"{text!r}: {phrase!r} is not understood")
    return table[phrase]
