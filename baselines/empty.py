"""The empty prediction: no pixel, in no frame. It scores where there is no target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rvosbench.contracts import MethodSpec
from rvosbench.masks import MaskSequence
from rvosbench.records import MethodCard, Sample


@dataclass(frozen=True)
class EmptyConfig:
    """Nothing to configure."""


@dataclass(frozen=True)
class Empty:
    """Answers every expression with empty masks."""

    def predict(self, sample: Sample) -> Mapping[str, MaskSequence]:
        """Expression id -> T empty masks of the video's size."""
        nothing = MaskSequence.empty(len(sample.video), sample.video.size)
        return {expression.id: nothing for expression in sample.expressions}


SPEC = MethodSpec(
    config_type=EmptyConfig,
    build=lambda config, device: Empty(),
    card=MethodCard("Empty prediction", trainable_parameters=0),
)
