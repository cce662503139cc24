"""Who takes part in an evaluation: a method, or predictions in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from rvosbench.contracts import Method, MethodIdentity, Traceable, TraceableByVideo, TruthMethod
from rvosbench.errors import PredictionError, UsageError
from rvosbench.missing import MissingPolicy
from rvosbench.records import Json, MethodCard, Sample
from rvosbench.runs.code_hash import object_facts, source_hash
from rvosbench.runs.methods import MethodChoice, load_method
from rvosbench.runs.predictions import open_predictions

Built = Method | TruthMethod


@dataclass(frozen=True)
class Participant:
    """Whoever is evaluated, before it is built.

    Attributes:
        facts: what decides its numbers and is known before it is built.
        build: makes it; sent to worker processes by pickle.
        card: what the tables print, unless the built method has a card of its own.
        identify: ids of a run's videos -> what it would say of itself once built, or None.
        needs_truth: it is handed the ground truth.
        files: hash of the files of a video's predictions, where they were made before: they are
            scored without frames, and not kept again.
        unsure: why two of its runs could not be told apart; empty if they can.
    """

    facts: Mapping[str, Json]
    build: Callable[[], Built]
    card: MethodCard
    identify: Callable[[Sequence[str]], MethodIdentity | None] | None = None
    needs_truth: bool = False
    files: Callable[[Sample], str] | None = None
    unsure: str = ""

    @property
    def name(self) -> str:
        """Of the method."""
        return str(self.facts["method"])

    def identity_of(self, method: Built, videos: Sequence[str]) -> MethodIdentity:
        """What the built method says of itself for a run of `videos`."""
        provenance: Mapping[str, Json] = {}
        if isinstance(method, TraceableByVideo):
            provenance = method.provenance_of(videos)
        elif isinstance(method, Traceable):
            provenance = method.provenance()
        return MethodIdentity(dict(provenance), getattr(method, "card", self.card))


def _given(method: Built) -> Built:  # worker processes get it, with the method, by pickle
    return method


def from_method(method: str | MethodChoice | Built, dataset: str) -> Participant:
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
        facts = {**method.facts(), **method.details()}
        spec = method.spec
        return Participant(facts, method.build, spec.card, method.identify, spec.needs_truth)
    if not isinstance(method, Method | TruthMethod):
        raise UsageError(f"{type(method).__name__} has no predict(sample): not a method")
    name = str(getattr(method, "name", type(method).__name__))
    code, (attributes, unknown) = source_hash(type(method).__module__), object_facts(method)
    unsure = ""
    if code is None:
        unsure = "whether its code changed, as it was defined without a source file: put it in one"
    elif unknown:
        unsure = f"whether its attribute {', '.join(unknown)} changed: keep plain values, arrays, "
        unsure += "dataclasses or networks there"
    return Participant(
        {**_named(name), "code": code, "object": attributes},
        partial(_given, method),
        MethodCard(name),
        needs_truth=isinstance(method, TruthMethod),
        unsure=unsure,
    )


def from_files(
    path: Path,
    missing: str,
    answers: Literal["expressions", "labels"],
    samples: Sequence[Sample],
    split: Sequence[str],
) -> tuple[Participant, Sequence[Sample]]:
    """Predictions in files, and which of `samples` they can be scored on.

    They are told apart by their pixels, which are hashed when they are scored. Label images are
    often made for a part of a split. Arguments as for `open_predictions`; `split` are the ids of
    all videos of the split.

    Raises:
        PredictionError: nothing there, or entries that the split does not ask for.
    """
    source = open_predictions(path, missing, samples, answers)
    if source.missing is MissingPolicy.ERROR:
        scored = {sample.video.id for sample in samples}
        others = [video for video in split if video not in scored]
        extra = [name for name in source.extra(samples) if not _belongs(name, others)]
        if extra:
            raise PredictionError(
                f"{path}: {len(extra)} entries that no video of the split asks for, such as "
                f"{extra[0]!r}: is it the right split? `--missing zero` leaves them out"
            )
        if answers == "labels":
            samples = [sample for sample in samples if source.holds(sample.video.id)]
    facts = {**_named("predictions"), "missing": source.missing.value}
    card = MethodCard("predictions")
    return Participant(facts, partial(_given, source), card, files=source.digest), samples


def _named(method: str) -> dict[str, Json]:
    return {"method": method, "preset": None, "config": {}}


def _belongs(name: str, videos: Sequence[str]) -> bool:
    """Whether an entry is of one of the videos, in one folder around or none, or above them."""
    inner = name.partition("/")[2]
    return any(
        f"{entry}/".startswith(f"{video}/") or video.startswith(f"{entry}/")
        for entry in (name, inner)
        if entry
        for video in videos
    )
