"""Sentences of MotionShapes with what they mean, for training the small text encoder."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rvosbench.demo.clauses import Clause, Scene
from rvosbench.demo.clips import ClipConfig, word
from rvosbench.demo.comparisons import Ranking
from rvosbench.demo.expressions import CATEGORIES, Candidate, candidates, see
from rvosbench.demo.render import occlusion, render
from rvosbench.demo.scenes import sample_scene

SIDE = 48
"""Pixels of the frames that decide who is visible; nothing is learned from them."""


@dataclass(frozen=True)
class Sentence:
    """One wording, its category, and its meaning in words of our own.

    The meaning is the same for all wordings of one content: features such as "who:red",
    "says:left", "says:left and" (two words in a row, so that order is in it) and "plural".
    """

    text: str
    category: str
    meaning: frozenset[str]


def sample_sentences(seed: tuple[int, ...], per_category: int) -> list[Sentence]:
    """Sentences about one random scene, up to `per_category` of every category it admits."""
    rng = np.random.default_rng(seed)
    config = ClipConfig(size=SIDE)
    instants = np.linspace(0, 1, config.n_frames)
    objects = sample_scene(instants, rng, config.n_objects, config.object_size, config.look_alike)
    _, masks = render(objects, config.size, rng)
    sight = see(Scene(objects, occlusion(objects, masks)), masks.mean(axis=(2, 3)))
    pool = list(candidates(sight))
    chosen: list[Candidate] = []
    for category in CATEGORIES:
        of_category = [c for c in pool if c.category == category]
        count = min(per_category, len(of_category))
        chosen += [of_category[i] for i in rng.permutation(len(of_category))[:count]]
    return [Sentence(word(c, rng), c.category, meaning(c)) for c in chosen]


def meaning(candidate: Candidate) -> frozenset[str]:
    """What a candidate says, whatever its wording."""
    noun = candidate.noun
    features = {f"who:{part}" for part in (noun.colour, noun.shape, noun.texture) if part}
    if isinstance(candidate.says, Clause | Ranking):
        words = re.findall("[a-z]+", candidate.says.wordings[0])
        features |= {f"says:{w}" for w in words}
        features |= {f"says:{a} {b}" for a, b in itertools.pairwise(words)}
    return frozenset(features | ({"plural"} if len(candidate.objects) > 1 else set()))


def frequent_features(sentences: Iterable[Sentence], at_least: int) -> list[str]:
    """Features of meaning that occur in `at_least` sentences, sorted."""
    counts = Counter(feature for sentence in sentences for feature in sentence.meaning)
    return sorted(feature for feature, count in counts.items() if count >= at_least)


def meaning_matrix(
    sentences: Sequence[Sentence], features: Sequence[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(sentences, features) bool: which features each sentence has."""
    return np.array([[feature in s.meaning for feature in features] for s in sentences], bool)
