"""A linear classifier on object tokens: what do frozen tokens say of their objects?

Source: SOLA paper, section 4.5: "we added a linear classification head on top of the object tokens
and trained it to predict object categories". The paper trains by an unnamed recipe and reports the
maximum; here the classifier is logistic regression on layer-normalised tokens, fitted to its
optimum (`sola.analysis.linear_probe`), and nothing is chosen on the split that is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from rvosbench.errors import DatasetError, UsageError
from rvosbench.records import Json
from sola.analysis.probe_data import Labels, ObjectSource, ObjectTokens


@dataclass(frozen=True)
class ClassScore:
    """One class: objects to learn from, objects asked about, and the share of those found.

    `accuracy` is None if no object of the class was asked about.
    """

    name: str
    known: int
    asked: int
    accuracy: float | None


@dataclass(frozen=True)
class Answer:
    """How well a question is answered.

    Attributes:
        accuracy: share of right answers over all objects.
        class_mean: mean of the accuracies of the classes that were asked about.
        majority: accuracy of always saying the commonest class of those learnt from.
        classes: in the source's order.
    """

    accuracy: float
    class_mean: float
    majority: float
    classes: tuple[ClassScore, ...]


@dataclass(frozen=True)
class ProbeReport:
    """A source's questions answered.

    Attributes:
        known, asked: tokens to learn from and to ask about.
        answers: question -> answer.
        explained: number's name -> R2; at most 1.
    """

    known: int
    asked: int
    answers: Mapping[str, Answer]
    explained: Mapping[str, float]

    def to_json(self) -> Json:
        """JSON-safe."""
        return asdict(self)


def probe(
    source: ObjectSource, known: ObjectTokens, asked: ObjectTokens, decay: float = 1e-3
) -> ProbeReport:
    """Learn from one split, ask about the other.

    Args:
        source: names classes and numbers.
        known: at least one token.
        asked: at least one token.
        decay: of the classifier's weights, >= 0.

    Raises:
        DatasetError: a split without objects.
        UsageError: a negative decay.
    """
    from torch import from_numpy

    from sola.analysis.linear_probe import explained, normalised, predict_classes, predict_values

    if decay < 0:
        raise UsageError(f"decay: got {decay}, wanted 0 or more")
    for split, part in zip(source.splits, (known, asked), strict=True):
        if not len(part.tokens):
            raise DatasetError(f"{source.name}: no object in the {split} split: raise --limit")
    learnt, new = normalised(from_numpy(known.tokens)), normalised(from_numpy(asked.tokens))
    answers = {}
    for question, names in source.classes.items():
        labels = from_numpy(known.labels[question])
        guesses = predict_classes(learnt, labels, new, len(names), decay=decay).numpy()
        answers[question] = _answer(names, known.labels[question], asked.labels[question], guesses)
    r2 = {}
    if source.values:
        values = predict_values(learnt, from_numpy(known.values), new)
        r2 = dict(
            zip(source.values, explained(values, from_numpy(asked.values)).tolist(), strict=True)
        )
    return ProbeReport(len(known.tokens), len(asked.tokens), answers, r2)


def _answer(names: tuple[str, ...], known: Labels, asked: Labels, guesses: Labels) -> Answer:
    right, learnt = guesses == asked, np.bincount(known, minlength=len(names))
    counts = np.bincount(asked, minlength=len(names))
    found = np.bincount(asked, right, minlength=len(names))
    classes = tuple(
        ClassScore(
            name, int(learnt[i]), int(counts[i]), found[i] / counts[i] if counts[i] else None
        )
        for i, name in enumerate(names)
    )
    shares = [c.accuracy for c in classes if c.accuracy is not None]
    majority = float((asked == int(learnt.argmax())).mean())
    return Answer(float(right.mean()), float(np.mean(shares)), majority, classes)
