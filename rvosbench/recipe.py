"""What decides an output: one value with a digest, for signatures, resuming, caches and checks.

A recipe holds everything that changes a number, and nothing else: no paths, workers, times. Equal
digests mean equal recipes; where two differ, `differences` says in words where.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rvosbench.config import Json


@dataclass(frozen=True)
class Recipe:
    """What decides an output.

    Attributes:
        facts: JSON-safe values by name; mappings inside are told apart key by key. A name that is
            missing and one that is None are two things.
    """

    facts: Mapping[str, Json]

    @property
    def digest(self) -> str:
        """sha256 (64 hex digits) of the facts."""
        return digest(dict(self.facts))

    def with_facts(self, **facts: Json) -> Recipe:
        """The recipe with further or other facts."""
        return Recipe({**self.facts, **facts})

    def only(self, names: Iterable[str]) -> Recipe:
        """The recipe of some facts; names that it does not have stay missing."""
        return Recipe({name: self.facts[name] for name in names if name in self.facts})

    def differences(self, other: Recipe) -> list[str]:
        """Where `other` differs, in words: "config.threshold is 0.3, wanted 0.5".

        `other` is what there is, this recipe what is wanted. Empty if both are equal.
        """
        return list(_differences("", other.facts, self.facts))


def digest(facts: Json) -> str:
    """sha256 (64 hex digits) of a JSON-safe value, independent of key order."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def common(recipes: Sequence[Recipe]) -> Recipe:
    """What all recipes say; where they differ, all of it in words: "mixed: cpu, cuda".

    Args:
        recipes: at least one. A fact that only some of them have counts as different.
    """
    return Recipe(_common([dict(recipe.facts) for recipe in recipes]))


def _common(values: Sequence[Json]) -> Json:
    if len({digest(value) for value in values}) == 1:
        return values[0]
    if all(isinstance(value, Mapping) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _common([value.get(key, "not recorded") for value in values]) for key in keys}
    return f"mixed: {', '.join(sorted({_shown(value) for value in values}))}"


def _differences(name: str, have: Json, want: Json) -> Iterator[str]:
    if isinstance(have, Mapping) and isinstance(want, Mapping):
        for key in sorted(have.keys() | want.keys()):
            inner = f"{name}.{key}" if name else key
            if key not in have:
                yield f"{inner} is not recorded, wanted {_shown(want[key])}"
            elif key not in want:
                yield f"{inner} is {_shown(have[key])}, wanted nothing of that name"
            else:
                yield from _differences(inner, have[key], want[key])
    elif digest(have) != digest(want):
        yield f"{name} is {_shown(have)}, wanted {_shown(want)}"


def _shown(value: Json) -> str:
    return "none" if value is None else str(value)
