"""English for the expressions: noun phrases, and verbs that agree with their subject.

A verb phrase marks its verbs with braces: "{move} left and then {stop}". One that begins with "@"
has no verb of its own ("@left of the blue square") and takes "is" or "are" in a relative clause.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rvosbench.demo.scenes import ShapeObject

_IRREGULAR = {"go": "goes", "pass": "passes", "approach": "approaches"}
_DOUBLED = {"stop", "spin", "get", "begin"}


def third_person(verb: str) -> str:
    """`move` -> `moves`."""
    return _IRREGULAR.get(verb, verb + "s")


def participle(verb: str) -> str:
    """`move` -> `moving`."""
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") else verb) + "ing"


_FORMS: dict[str, Callable[[str], str]] = {
    "singular": third_person,
    "plural": str,
    "participle": participle,
}


def conjugate(phrase: str, form: str) -> str:
    """Puts the verbs of a phrase into a form: "singular", "plural" or "participle"."""
    return re.sub(r"\{(\w+)\}", lambda match: _FORMS[form](match[1]), phrase)


def subject_clauses(phrase: str, plural: bool) -> tuple[str, ...]:
    """Ways to attach a verb phrase to a noun: " that moves left", " moving left"."""
    if phrase.startswith("@"):
        return (f" {phrase[1:]}", f" that {'are' if plural else 'is'} {phrase[1:]}")
    finite = conjugate(phrase, "plural" if plural else "singular")
    return (f" {conjugate(phrase, 'participle')}", f" that {finite}", f" which {finite}")


@dataclass(frozen=True)
class Noun:
    """Which shapes a noun phrase covers: those that agree with everything that is not None."""

    colour: str | None = None
    shape: str | None = None
    texture: str | None = None

    def covers(self, shape: ShapeObject) -> bool:
        """Whether the noun phrase fits a shape's look."""
        wanted = (self.colour, self.shape, self.texture)
        return all(w in (None, found) for w, found in zip(wanted, shape.look, strict=True))

    @property
    def words(self) -> int:
        """Number of attributes it names."""
        return sum(part is not None for part in (self.colour, self.shape, self.texture))

    def text(self, plural: bool = False, generic: str = "shape") -> str:
        """The phrase, such as "striped red circle"; `generic` stands for an unnamed shape."""
        head = self.shape or generic
        ending = "" if not plural else "es" if head.endswith("s") else "s"
        adjectives = [part for part in (self.texture, self.colour) if part is not None]
        return " ".join([*adjectives, head + ending])
