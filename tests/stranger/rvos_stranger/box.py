"""A method: always the same box, whose width is configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rvosbench.masks import MaskSequence
from rvosbench.protocols import MethodSpec
from rvosbench.records import MethodCard, Sample


@dataclass(frozen=True)
class BoxConfig:
    """Width of the box in pixels, from column 5."""

    width: int = 10


@dataclass(frozen=True)
class Box:
    """Answers every expression with the box."""

    config: BoxConfig

    def predict(self, sample: Sample) -> Mapping[str, MaskSequence]:
        box = np.zeros((len(sample.video), *sample.video.size), bool)
        box[:, 5:15, 5 : 5 + self.config.width] = True
        return {e.id: MaskSequence.from_arrays(box) for e in sample.expressions}


SPEC = MethodSpec(
    config_type=BoxConfig, build=lambda config, device: Box(config), card=MethodCard("A box")
)
