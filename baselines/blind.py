"""The blind guesser: true masks, chosen without a look at the expression. The floor of a benchmark.

What it reaches can be computed from areas alone (`rvosbench data stats` on MotionShapes prints it):
a benchmark on which it does well asks nothing of a method.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rvosbench.contracts import MethodSpec, MethodTruth
from rvosbench.masks import MaskSequence, union
from rvosbench.records import Expression, MethodCard, Sample


@dataclass(frozen=True)
class BlindConfig:
    """What it predicts for every expression.

    Attributes:
        answer: "one" object drawn at random, "all" objects, or "none".
        seed: of the draw.
    """

    answer: Literal["one", "all", "none"] = "one"
    seed: int = 0


@dataclass(frozen=True)
class Blind:
    """Answers every expression with annotated objects of the video, whatever it says."""

    config: BlindConfig

    def predict_with_truth(self, sample: Sample, truth: MethodTruth) -> Mapping[str, MaskSequence]:
        """Expression id -> masks; empty ones where the video has no object.

        Raises:
            MaskError: the dataset has ground truth on some frames only.
        """
        masks = list(truth.objects().values())
        length, size = len(sample.video), sample.video.size
        return {
            e.id: union(self._chosen(masks, sample, e), length, size) for e in sample.expressions
        }

    def _chosen(
        self, masks: list[MaskSequence], sample: Sample, expression: Expression
    ) -> list[MaskSequence]:
        if self.config.answer == "none" or not masks:
            return []
        if self.config.answer == "all":
            return masks
        key = zlib.crc32(f"{sample.video.id}/{expression.id}".encode())
        draw = np.random.default_rng((self.config.seed, key)).integers(len(masks))
        return [masks[int(draw)]]


SPEC = MethodSpec(
    config_type=BlindConfig,
    build=lambda config, device: Blind(config),
    card=MethodCard("Blind guess among the true masks", trainable_parameters=0),
    needs_truth=True,
)
