"""Who is evaluated: a method or files, what a signature says of it, and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rvosbench.errors import PredictionError, UsageError
from rvosbench.methods import MethodChoice, load_method
from rvosbench.predictions import MissingPolicy, PredictionFiles, open_predictions
from rvosbench.protocols import Dataset, Method, TruthMethod
from rvosbench.records import Json, MethodCard


@dataclass(frozen=True)
class Contender:
    """Who is evaluated.

    Attributes:
        facts: what the signature says of it.
        card: what the tables print, unless the built method has a `card` of its own.
        build: gets it; sent to worker processes by pickle.
        files: set if predictions are read, not made.
        needs_truth: it is handed the truth.
    """

    facts: Mapping[str, Json]
    card: MethodCard
    build: Callable[[], Method | TruthMethod]
    files: PredictionFiles | None = None
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


def from_files(path: Path, dataset: Dataset, missing: MissingPolicy) -> Contender:
    """Predictions in a folder or zip.

    Raises:
        PredictionError: nothing there, or entries that no expression of the dataset asks for.
    """
    source = open_predictions(path, missing)
    extra = source.extra(dataset) if missing == "error" else ()
    if extra:
        raise PredictionError(
            f"{path}: {len(extra)} entries that no expression of {dataset.name}/{dataset.split} "
            f"asks for, such as {extra[0]!r}: is it the right split? `--missing zero` leaves them "
            "out"
        )
    facts = {"method": "predictions", "preset": None, "config": {}, "missing": missing}
    return Contender(facts, MethodCard("predictions"), _Given(source), source)
