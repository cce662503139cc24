"""What is missing from predictions: one policy, which counts what it fills with empty masks."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from rvosbench.errors import IncompletePredictionError, UsageError, did_you_mean


class Missing(NamedTuple):
    """How much of some predictions was not there.

    Attributes:
        masks: single masks, those of missing expressions among them.
        expressions: expressions without any mask.
    """

    masks: int = 0
    expressions: int = 0

    @staticmethod
    def total(parts: Iterable[Missing]) -> Missing:
        """The sum; nothing for no parts."""
        listed = list(parts)
        return Missing(sum(m.masks for m in listed), sum(m.expressions for m in listed))


class MissingPolicy(StrEnum):
    """What to do about predictions that are not there: stop, or count them as empty masks.

    Members are texts, and `MissingPolicy(text)` raises UsageError for another one.
    """

    ERROR = "error"
    ZERO = "zero"

    @classmethod
    def _missing_(cls, value: object) -> None:
        known = [str(policy) for policy in cls]
        raise UsageError(
            f"unknown policy for missing predictions {value!r}{did_you_mean(str(value), known)}: "
            f"wanted {' or '.join(known)}"
        )

    def fill(self, missing: Missing, told: str) -> Missing:
        """What counts as empty from now on; who reads predictions adds it up.

        Args:
            missing: how much is not there.
            told: what is not there and where, for the message.

        Raises:
            IncompletePredictionError: something is missing, and it must not be.
        """
        if self is MissingPolicy.ERROR and any(missing):
            raise IncompletePredictionError(
                f"{told}. Write one for every frame; `score --missing zero` counts what is missing "
                "as empty"
            )
        return missing
