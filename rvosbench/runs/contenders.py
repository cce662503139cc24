"""Who is evaluated: a method or files, what a signature says of it, and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rvosbench.contracts import Method, TruthMethod
from rvosbench.errors import PredictionError, UsageError
from rvosbench.predictions import (
    MissingPolicy,
    PredictionSource,
    open_labels,
    open_predictions,
)
from rvosbench.records import Json, MethodCard, Sample
from rvosbench.runs.methods import MethodChoice, load_method


@dataclass(frozen=True)
class Contender:
    """Who is evaluated.

    Attributes:
        facts: what the signature says of it.
        card: what the tables print, unless the built method has a `card` of its own.
        build: gets it; sent to worker processes by pickle.
        files: set if predictions are read, not made.
        videos: the videos that the files hold, where the rest is left out.
        needs_truth: it is handed the truth.
    """

    facts: Mapping[str, Json]
    card: MethodCard
    build: Callable[[], Method | TruthMethod]
    files: PredictionSource | None = None
    videos: tuple[str, ...] | None = None
    needs_truth: bool = False


@dataclass(frozen=True)
class _Given:
    """A method that is built already. A class, because worker processes get it by pickle."""

    method: Method | TruthMethod

    def __call__(self) -> Method | TruthMethod:
        """The method."""
        return self.method


def from_method(method: str | MethodChoice | Method | TruthMethod, dataset: str) -> Contender:
    """A method by name, by choice, or built already.

    Args:
        method: a name takes the preset that fits the dataset, see `load_method`.
        dataset: name of the dataset it will run on.

    Raises:
        UsageError: the object has no `predict`, or the name is unknown.
    """
    if isinstance(method, str):
        method = load_method(method, dataset=dataset)
    if isinstance(method, MethodChoice):
        return Contender(
            method.facts(), method.card, method.build, needs_truth=method.spec.needs_truth
        )
    if not isinstance(method, Method | TruthMethod):
        raise UsageError(f"{type(method).__name__} has no predict(sample): not a method")
    name = str(getattr(method, "name", type(method).__name__))
    return Contender(
        {"method": name, "preset": None, "config": {}},
        MethodCard(name),
        _Given(method),
        needs_truth=isinstance(method, TruthMethod),
    )


def from_files(
    path: Path,
    dataset: Iterable[Sample],
    samples: Sequence[Sample],
    missing: MissingPolicy,
    answers: Literal["expressions", "labels"] = "expressions",
) -> Contender:
    """Predictions in files.

    Args:
        path: see `open_predictions`, for labels `open_labels`.
        dataset: all videos of the split.
        samples: the videos to be scored.
        missing: what to do about what is missing.
        answers: what the files hold.

    Raises:
        PredictionError: nothing there, or entries that the split does not ask for.
    """
    source: PredictionSource
    if answers == "labels":
        source = open_labels(path, missing, samples)
    else:
        source = open_predictions(path, missing, samples)
    extra = source.extra(dataset) if missing == "error" else ()
    if extra:
        raise PredictionError(
            f"{path}: {len(extra)} entries that no video of the split asks for, such as "
            f"{extra[0]!r}: is it the right split? `--missing zero` leaves them out"
        )
    facts: dict[str, Json] = {
        "method": "predictions",
        "preset": None,
        "config": {},
        "missing": missing,
    }
    card, given = MethodCard("predictions"), _Given(source)
    return Contender(facts, card, given, source, videos=_there(source, samples, missing, answers))


def _there(
    source: PredictionSource, samples: Sequence[Sample], missing: MissingPolicy, answers: str
) -> tuple[str, ...] | None:
    """Label images are often made for a part of a split: then that part is scored, by name."""
    if answers != "labels" or missing != "error":
        return None
    held = tuple(s.video.id for s in samples if source.holds(s.video.id))
    return held if len(held) < len(samples) else None
