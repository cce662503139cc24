"""A linear classifier on object tokens: what do frozen tokens say of their objects?

Source: SOLA paper, section 4.5: "we added a linear classification head on top of the object tokens
and trained it to predict object categories". The paper trains by an unnamed recipe and reports the
maximum; here the classifier is logistic regression on layer-normalised tokens, fitted to its
optimum (`sola.analysis.linear_probe`), and nothing is chosen on the split that is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import from_numpy

from rvosbench.errors import DatasetError, UnknownNameError, UsageError
from sola.analysis.linear_probe import explained, normalised, predict_classes, predict_values
from sola.analysis.motion_shapes import ShapeObjects
from sola.analysis.probe_data import Labels, ObjectSource, ObjectTokens
from sola.analysis.voc import open_voc


@dataclass(frozen=True)
class ClassScore:
    """One class: objects to train on, objects to test on, and the share of those found.

    `accuracy` is None if the class has no object to test on.
    """

    name: str
    train: int
    test: int
    accuracy: float | None


@dataclass(frozen=True)
class Answer:
    """How well a question is answered.

    Attributes:
        accuracy: share of right answers over all objects.
        class_mean: mean of the accuracies of the classes that have objects to test on.
        majority: accuracy of always saying the commonest class of those trained on.
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
        train, test: numbers of tokens.
        answers: question -> answer.
        explained: number's name -> R2; at most 1.
    """

    train: int
    test: int
    answers: Mapping[str, Answer]
    explained: Mapping[str, float]


def open_source(name: str, root: Path | None) -> ObjectSource:
    """Open "demo" or "voc".

    Raises:
        UnknownNameError: another name.
        UsageError: a folder for the demo, or none for VOC.
        DatasetError: no VOC in the folder.
    """
    if name == "voc":
        return open_voc(root)
    if name != "demo":
        raise UnknownNameError("dataset to probe", name, ("demo", "voc"))
    if root is not None:
        raise UsageError("--data: the demo has no folder; PASCAL VOC is --dataset voc")
    return ShapeObjects()


def probe(
    source: ObjectSource, train: ObjectTokens, test: ObjectTokens, decay: float = 1e-3
) -> ProbeReport:
    """Train on one split, test on the other.

    Args:
        source: names classes and numbers.
        train: at least one token.
        test: at least one token.
        decay: of the classifier's weights, >= 0.

    Raises:
        DatasetError: a split without objects.
        UsageError: a negative decay.
    """
    if decay < 0:
        raise UsageError(f"decay: got {decay}, wanted 0 or more")
    facts = source.facts
    for split, part in zip(facts.splits, (train, test), strict=True):
        if not len(part.tokens):
            raise DatasetError(f"{facts.name}: no object in the {split} split: raise --limit")
    known, new = normalised(from_numpy(train.tokens)), normalised(from_numpy(test.tokens))
    answers = {}
    for question, names in facts.classes.items():
        labels = from_numpy(train.labels[question])
        guesses = predict_classes(known, labels, new, len(names), decay=decay).numpy()
        answers[question] = _answer(names, train.labels[question], test.labels[question], guesses)
    r2: dict[str, float] = {}
    if facts.values:
        values = predict_values(known, from_numpy(train.values), new)
        shares = explained(values, from_numpy(test.values)).tolist()
        r2 = dict(zip(facts.values, shares, strict=True))
    return ProbeReport(len(train.tokens), len(test.tokens), answers, r2)


def _answer(names: tuple[str, ...], train: Labels, test: Labels, guesses: Labels) -> Answer:
    right, trained = guesses == test, np.bincount(train, minlength=len(names))
    tested = np.bincount(test, minlength=len(names))
    found = np.bincount(test, right, minlength=len(names))
    classes = tuple(
        ClassScore(name, int(a), int(b), float(c / b) if b else None)
        for name, a, b, c in zip(names, trained, tested, found, strict=True)
    )
    shares = [c.accuracy for c in classes if c.accuracy is not None]
    majority = float((test == int(trained.argmax())).mean())
    return Answer(float(right.mean()), float(np.mean(shares)), majority, classes)
