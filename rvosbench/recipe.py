"""What decides an output: one value with a digest, for signatures, resuming, caches and checks.

A recipe holds everything that changes a number, and nothing else: no paths, workers, times. Equal
digests mean equal recipes; where two differ, `differences` says in words where.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
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

    def differences(self, other: Recipe) -> list[str]:
        """Where `other` differs, in words: "config.threshold is 0.3, wanted 0.5".

        `other` is what there is, this recipe what is wanted. Empty if both are equal.
        """
        have, want = dict(_leaves("", other.facts)), dict(_leaves("", self.facts))
        return [
            f"{name} is {_shown(have, name, 'not recorded')}, wanted {_shown(want, name, 'none')}"
            for name in sorted(have.keys() | want.keys())
            if name not in have or name not in want or digest(have[name]) != digest(want[name])
        ]


def digest(facts: Json) -> str:
    """sha256 (64 hex digits) of a JSON-safe value, independent of key order."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _leaves(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, value


def _shown(values: Mapping[str, Json], name: str, absent: str) -> str:
    return str(values[name]) if name in values else absent
