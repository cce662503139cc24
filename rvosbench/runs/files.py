"""Predictions in files as what is evaluated: a method whose mapping is read lazily."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rvosbench.contracts import Answer, Method, MethodIdentity, TruthMethod
from rvosbench.errors import PredictionError
from rvosbench.predictions import (
    MissingPolicy,
    PredictionSource,
    open_labels,
    open_predictions,
)
from rvosbench.records import Json, MethodCard, Prediction, Sample
from rvosbench.runs.pixels import ReadOnce

NAME = "predictions"
"""What a signature calls predictions in files, whoever made them."""


@dataclass(frozen=True)
class PredictionsInFiles:
    """Predictions that somebody made before; satisfies `rvosbench.runs.methods.Candidate`.

    Attributes:
        source: reads them.
        missing: what is done about missing ones; it is in the signature.
    """

    source: PredictionSource
    missing: MissingPolicy

    @property
    def needs_truth(self) -> bool:
        """Files see nothing."""
        return False

    @property
    def keeps(self) -> bool:
        """They lie in files already: a run keeps a hash of their pixels."""
        return False

    def facts(self) -> dict[str, Json]:
        """The same whoever made them."""
        return {"method": NAME, "preset": None, "config": {}}

    def details(self) -> dict[str, Json]:
        """The policy; they are told apart by their pixels, which are hashed when scored."""
        return {"missing": self.missing}

    def identify(self, videos: Sequence[str]) -> MethodIdentity:
        """Nothing but a name."""
        return MethodIdentity({}, MethodCard(NAME))

    def build(self) -> Method | TruthMethod:
        """The files."""
        return _Lazy(self.source)

    def identity_of(self, method: Method | TruthMethod, videos: Sequence[str]) -> MethodIdentity:
        """Nothing but a name."""
        return self.identify(videos)

    def checked(self, answers: Mapping[str, Answer], sample: Sample) -> Mapping[str, Prediction]:
        """Read one by one when they are scored, and hashed."""
        return ReadOnce(answers)

    def read_of(self, sample: Sample) -> str:
        """Changes when a file of the video's predictions changes."""
        return self.source.digest(sample)

    def check_resumable(self) -> None:
        """Their files tell everything."""


def open_files(
    path: Path,
    missing: MissingPolicy,
    answers: Literal["expressions", "labels"],
    samples: Sequence[Sample],
    split: Sequence[str],
) -> tuple[PredictionsInFiles, Sequence[Sample]]:
    """Open predictions in files.

    Args:
        path: see `open_predictions`, for labels `open_labels`.
        missing: what to do about what is missing.
        answers: what the files hold.
        samples: the videos to be scored.
        split: ids of all videos of the split.

    Returns:
        The predictions, and the videos that can be scored: label images are often made for a part
        of a split.

    Raises:
        PredictionError: nothing there, or entries that the split does not ask for.
    """
    opening = open_labels if answers == "labels" else open_predictions
    source: PredictionSource = opening(path, missing, samples)
    if missing != "error":
        return PredictionsInFiles(source, missing), samples
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
    return PredictionsInFiles(source, missing), samples


def _belongs(name: str, videos: Sequence[str]) -> bool:
    """Whether an entry is of one of the videos, in one folder around or none, or above them."""
    inner = name.partition("/")[2]
    return any(
        f"{entry}/".startswith(f"{video}/") or video.startswith(f"{entry}/")
        for entry in (name, inner)
        if entry
        for video in videos
    )


@dataclass(frozen=True)
class _Lazy:
    """A source as a method: its mapping reads a prediction when it is asked for."""

    source: PredictionSource

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        """Expression id (or label) -> prediction; raises as the source when one is read."""
        return _Read(self.source, sample)


class _Read(Mapping[str, Prediction]):
    def __init__(self, source: PredictionSource, sample: Sample) -> None:
        self._source, self._sample = source, sample
        self._keys = source.answers(sample)

    def __getitem__(self, key: str) -> Prediction:
        if key not in self._keys:
            raise KeyError(key)
        return self._source.answer(self._sample, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
