"""Predictions in files as what is evaluated: a method whose mapping is read lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rvosbench.contracts import Answer, Method, MethodIdentity, TruthMethod
from rvosbench.errors import PredictionError
from rvosbench.records import Json, MethodCard, MissingPolicy, Prediction, Sample
from rvosbench.runs.predictions import Predictions, VideoPredictions, open_predictions

NAME = "predictions"
"""What a signature calls predictions in files, whoever made them."""


@dataclass(frozen=True)
class PredictionsInFiles:
    """Predictions that somebody made before; satisfies `rvosbench.runs.methods.Candidate`.

    Attributes:
        predictions: reads them; what is done about missing ones is in the signature.
    """

    predictions: Predictions

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
        return {"missing": self.predictions.missing.value}

    def identify(self, videos: Sequence[str]) -> MethodIdentity:
        """Nothing but a name."""
        return MethodIdentity({}, MethodCard(NAME))

    def build(self) -> Method | TruthMethod:
        """The files."""
        return self.predictions

    def identity_of(self, method: Method | TruthMethod, videos: Sequence[str]) -> MethodIdentity:
        """Nothing but a name."""
        return self.identify(videos)

    def checked(self, answers: Mapping[str, Answer], sample: Sample) -> Mapping[str, Prediction]:
        """Read one by one when they are scored, and hashed."""
        assert isinstance(answers, VideoPredictions)
        return answers

    def read_of(self, sample: Sample) -> str:
        """Changes when a file of the video's predictions changes."""
        return self.predictions.source.digest(sample)

    def check_resumable(self) -> None:
        """Their files tell everything."""


def open_files(
    path: Path,
    missing: str,
    answers: Literal["expressions", "labels"],
    samples: Sequence[Sample],
    split: Sequence[str],
) -> tuple[PredictionsInFiles, Sequence[Sample]]:
    """Open predictions in files.

    Args:
        path: see `open_predictions`.
        missing: a `MissingPolicy`, or its name.
        answers: what the files hold.
        samples: the videos to be scored.
        split: ids of all videos of the split.

    Returns:
        The predictions, and the videos that can be scored: label images are often made for a part
        of a split.

    Raises:
        PredictionError: nothing there, or entries that the split does not ask for.
    """
    opened = open_predictions(path, missing, samples, answers)
    source = opened.source
    if opened.missing is not MissingPolicy.ERROR:
        return PredictionsInFiles(opened), samples
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
    return PredictionsInFiles(opened), samples


def _belongs(name: str, videos: Sequence[str]) -> bool:
    """Whether an entry is of one of the videos, in one folder around or none, or above them."""
    inner = name.partition("/")[2]
    return any(
        f"{entry}/".startswith(f"{video}/") or video.startswith(f"{entry}/")
        for entry in (name, inner)
        if entry
        for video in videos
    )
