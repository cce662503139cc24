"""From the expressions a scene admits to the few that a clip carries, in words."""

from __future__ import annotations

import numpy as np

from rvosbench.demo.candidates import CATEGORIES, Candidate
from rvosbench.demo.clauses import Clause
from rvosbench.demo.grammar import subject_clauses
from rvosbench.demo.rankings import Ranking

_EAGERNESS = {
    "occlusion": 1000.0,
    "speed": 100.0,
    "relation": 20.0,
    "order": 3.0,
    "appearance": 1.6,
    "multiple": 0.9,
    "no_target": 0.7,
}
"""How eagerly a category is taken where a clip offers it: chosen so that all come out alike."""


_TURNS = {"occlusion": 2}
"""Candidates taken of a category each time round, where it is not one: few clips offer it."""

_REUSE = 1e-6
"""Weight of a clause that another expression of the clip has already used."""


def _one_of(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _generic(rng: np.random.Generator) -> str:
    return "object" if rng.random() < 0.3 else "shape"


def _number(candidate: Candidate, rng: np.random.Generator) -> str:
    """What stands before a plural noun: "all", "the two", "both"."""
    count = len(candidate.objects)
    words = {2: ("the two", "both", "all", "the"), 3: ("the three", "all", "all the", "the")}
    return _one_of(words.get(count, ("all", "all the", "the")), rng)


def _rank_words(candidate: Candidate, ranking: Ranking, rng: np.random.Generator) -> str:
    pair = ranking.pair if len(candidate.members) == 2 else ()
    generic = _generic(rng)
    words = _one_of(pair or ranking.wordings, rng)
    words = words.replace("NOUNS", candidate.noun.text(plural=True, generic=generic))
    return words.replace("NOUN", candidate.noun.text(generic=generic))


def word(candidate: Candidate, rng: np.random.Generator) -> str:
    """One wording of a candidate, such as "the red circle that moves left"."""
    if isinstance(candidate.says, Ranking):
        return _rank_words(candidate, candidate.says, rng)
    plural = len(candidate.objects) > 1
    article = _number(candidate, rng) if plural else "the"
    text = f"{article} {candidate.noun.text(plural, _generic(rng))}"
    if isinstance(candidate.says, Clause):
        text += _one_of(subject_clauses(_one_of(candidate.says.wordings, rng), plural), rng)
    return text


def _freshness(candidate: Candidate, taken: list[Candidate]) -> float:
    """1 for something new, less for targets already meant, 0 for what has been said.

    A clause already used comes again only with another noun, and only when nothing else is left.
    """
    used = [c for c in taken if candidate.says is c.says]
    if any(candidate.noun == c.noun for c in used):
        return 0.0
    same_targets = [c for c in taken if c.objects == candidate.objects]
    repeated = any(c.category == candidate.category for c in same_targets)
    reused = _REUSE if used and candidate.says is not None else 1.0
    return float(reused * 0.35 ** len(same_targets) * (0.02 if repeated else 1.0))


def _pick(
    pool: list[Candidate], taken: list[Candidate], rng: np.random.Generator
) -> Candidate | None:
    """A weighted draw that prefers what is new; None from an empty or exhausted pool."""
    weights = np.array([c.weight * _freshness(c, taken) for c in pool])
    total = weights.sum()
    return pool[int(rng.choice(len(pool), p=weights / total))] if total > 0 else None


def choose(pool: list[Candidate], count: int, rng: np.random.Generator) -> list[Candidate]:
    """Up to `count` candidates, spread over the categories that the scene offers.

    Goes round the categories, one candidate of each, until there are enough or all are used up.
    """
    keys = {name: rng.random() ** (1 / _EAGERNESS.get(name, 1.0)) for name in CATEGORIES}
    order = sorted(CATEGORIES, key=lambda name: keys[name], reverse=True)
    taken: list[Candidate] = []
    turns = [name for name in order for _ in range(_TURNS.get(name, 1))]
    while turns and len(taken) < count:
        for category in tuple(turns):
            if len(taken) == count:
                break
            pick = _pick([c for c in pool if c.category == category], taken, rng)
            if pick is None:
                turns.remove(category)
            else:
                taken.append(pick)
    return taken
