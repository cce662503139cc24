"""What every place of predictions can do: files of masks, label images, run lengths, runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, TypeAlias, get_args

from rvosbench.errors import UsageError, did_you_mean
from rvosbench.records import Prediction, Sample

MissingPolicy: TypeAlias = Literal["error", "zero"]
"""What to do about a missing expression or frame: stop, or count it as an empty mask."""

_POLICIES: tuple[MissingPolicy, ...] = get_args(MissingPolicy)


def missing_policy(text: str) -> MissingPolicy:
    """The policy called `text`; raises UsageError for another word."""
    for policy in _POLICIES:
        if text == policy:
            return policy
    raise UsageError(
        f"unknown policy for missing predictions {text!r}{did_you_mean(text, _POLICIES)}: "
        f"wanted {' or '.join(_POLICIES)}"
    )


class PredictionSource(Protocol):
    """Predictions that somebody made before; can be sent to another process."""

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        """All answers to a video, as if a method had given them."""

    def answers(self, sample: Sample) -> tuple[str, ...]:
        """What `answer` can be asked for: expression ids, or the labels of label images."""

    def answer(self, sample: Sample, key: str) -> Prediction:
        """One answer; raises IncompletePredictionError if it is missing and must not be."""

    def digest(self, sample: Sample) -> str:
        """Changes when something of the sample's predictions changes."""

    def holds(self, video_id: str) -> bool:
        """Whether there is anything for a video."""

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """Names of entries that none of the samples asks for."""
