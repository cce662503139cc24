"""Captions for single frames: what MotionShapes' sentences call a shape, and which words do so.

A frame shows how shapes look and not what they do, so a caption's boxes are all shapes that its
noun phrase covers: "the red circle that moves left" has the boxes of "the red circle".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rvosbench.demo.clauses import Scene, describe, relate
from rvosbench.demo.clips import ClipConfig, make_clip
from rvosbench.demo.comparisons import rankings
from rvosbench.demo.grammar import Noun, subject_clauses
from rvosbench.demo.scenes import ShapeObject
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES

Rng = np.random.Generator
SPECIALS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
"""Ids that the network has built in (those of BERT)."""

SPECIAL_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
}
"""Their tasks, as transformers calls them."""

VOCABULARY_SIZE = 1030
FIRST_WORD = 103
MAX_TOKENS = 48
SOURCE_SCENES = 40
"""Scenes looked through for wordings of clauses; some depend on what shapes do."""

_ARTICLES = ("the", "the", "the", "the", "a", "")
_PLURALS = ("the", "all", "all the", "both", "the two", "the three", "")


@dataclass(frozen=True)
class Caption:
    """Lower-case words and the span of them that names the shapes.

    Attributes:
        words: without the final stop.
        begin, end: the noun phrase without its article, words[begin:end].
        noun: which shapes it covers.
    """

    words: tuple[str, ...]
    begin: int
    end: int
    noun: Noun

    @property
    def text(self) -> str:
        """As a sentence without a stop."""
        return " ".join(self.words)


@dataclass(frozen=True)
class Wordings:
    """What can be said about a noun.

    Attributes:
        clauses: verb phrases, see `rvosbench.demo.grammar`; `{}` is another shape.
        ranked: phrases with NOUN or NOUNS.
    """

    clauses: tuple[str, ...]
    ranked: tuple[str, ...]


def collect_wordings() -> Wordings:
    """All wordings of MotionShapes' clauses and superlatives."""
    clauses: dict[str, None] = {}
    ranked: dict[str, None] = {}
    for number in range(SOURCE_SCENES):
        clip = make_clip((8600, number), ClipConfig(size=32), with_expressions=False)
        scene = Scene(clip.objects, np.zeros((len(clip.objects), len(clip.objects), 20)))
        found = [*describe(scene)]
        for anchor in range(len(clip.objects)):
            found += relate(scene, anchor, "{}")
        clauses |= {w: None for clause in found for w in clause.wordings}
        for ranking in rankings(clip.objects):
            ranked |= {w: None for w in (*ranking.wordings, *ranking.pair)}
    return Wordings(tuple(clauses), tuple(ranked))


def noun_caption(noun: Noun, plural: bool, rng: Rng) -> Caption:
    """Only the noun phrase, with or without an article."""
    article = _one_of(_PLURALS if plural else _ARTICLES, rng)
    return _caption(article, noun, plural, "", rng)


def sentence_caption(
    noun: Noun, plural: bool, others: Sequence[Noun], wordings: Wordings, rng: Rng
) -> Caption:
    """A whole sentence about the noun; `others` are nouns it may be related to."""
    if rng.random() < 0.25:
        before, _, after = _one_of(wordings.ranked, rng).partition("NOUN")
        many = after.startswith("S")
        return _caption(before, noun, many, after[many:], rng)
    clause = _one_of(wordings.clauses, rng)
    if "{}" in clause:
        other = others[int(rng.integers(len(others)))] if others else Noun()
        clause = clause.replace("{}", f"the {other.text()}")
    tail = _one_of(subject_clauses(clause, plural), rng)
    article = _one_of(_PLURALS[:-1], rng) if plural else "the"
    return _caption(article, noun, plural, tail, rng)


def _caption(before: str, noun: Noun, plural: bool, after: str, rng: Rng) -> Caption:
    first = before.split()
    named = noun.text(plural, "object" if rng.random() < 0.3 else "shape").split()
    words = (*first, *named, *split_words(after))
    return Caption(words, len(first), len(first) + len(named), noun)


def split_words(text: str) -> list[str]:
    """Words and punctuation marks, as the tokenizer splits them."""
    for mark in (",", ".", "-"):
        text = text.replace(mark, f" {mark} ")
    return text.split()


def random_noun(shape: ShapeObject, rng: Rng) -> Noun:
    """Some of a shape's attributes; colour with shape is the most frequent."""
    named = ("cs", "cs", "cs", "cs", "tcs", "tcs", "c", "c", "s", "s", "t", "tc", "ts", "")
    parts = _one_of(named, rng)
    return Noun(
        shape.colour if "c" in parts else None,
        shape.shape if "s" in parts else None,
        shape.texture if "t" in parts else None,
    )


def absent_noun(shapes: Sequence[ShapeObject], rng: Rng) -> Noun | None:
    """A noun one attribute off a shape that covers none of the shapes; None if none is found."""
    for _ in range(20):
        noun = random_noun(shapes[int(rng.integers(len(shapes)))], rng)
        if not noun.words:
            continue
        named = [k for k in ("colour", "shape", "texture") if getattr(noun, k) is not None]
        part = _one_of(named, rng)
        other = _one_of(tuple({"colour": COLOURS, "shape": SHAPES, "texture": TEXTURES}[part]), rng)
        noun = replace(noun, **{part: other})
        if not any(noun.covers(s) for s in shapes):
            return noun
    return None


def vocabulary(wordings: Wordings) -> dict[str, int]:
    """Every word that captions may have -> its id."""
    words = {w for text in _all_texts(wordings) for w in split_words(text)}
    words -= {"NOUN", "NOUNS", "{}", *SPECIALS}
    return SPECIALS | {word: FIRST_WORD + i for i, word in enumerate(sorted(words))}


def _all_texts(wordings: Wordings) -> Iterator[str]:
    yield from ("shape object shapes objects", *_ARTICLES, *_PLURALS)
    for shape in SHAPES:
        yield from (Noun(shape=shape).text(plural) for plural in (False, True))
    yield from (*COLOURS, *TEXTURES, *wordings.ranked)
    for clause in wordings.clauses:
        for plural in (False, True):
            yield from subject_clauses(clause, plural)


def _one_of(options: Sequence[str], rng: Rng) -> str:
    return options[int(rng.integers(len(options)))]
