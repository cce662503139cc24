"""The truth-box grounder: a perfect detector and segmenter that looks at one frame at a time.

It is the ceiling of frame-level methods. In every frame by itself it knows the exact visible
pixels of every object, its look, and all that holds in that frame (`FrameEvidence`). What a single
frame cannot tell, that anything moves, it has to guess: all sets of objects that agree with the
noun, the number and the frame count as equally probable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rvosbench.contracts import MethodSpec, MethodTruth
from rvosbench.errors import DatasetError
from rvosbench.masks import MaskSequence, union
from rvosbench.records import FrameEvidence, MethodCard, Sample

EXHAUSTIVE = 10
"""Above so many candidates in a frame all of them are marked: their sets are too many to weigh."""

Bools = NDArray[np.bool_]
Rule = Literal["expected", "all", "largest"]


@dataclass(frozen=True)
class TruthBoxConfig:
    """How it guesses.

    Attributes:
        answer: "expected" marks the set with the greatest expected J, of several the one with the
            most pixels; "all" marks everything that may be meant; "largest" marks no more objects
            than need be, and the largest ones.
    """

    answer: Rule = "expected"


@dataclass(frozen=True)
class TruthBoxes:
    """Answers every frame by itself."""

    config: TruthBoxConfig

    def predict_with_truth(self, sample: Sample, truth: MethodTruth) -> Mapping[str, MaskSequence]:
        """Expression id -> T masks, each chosen from its own frame.

        Raises:
            DatasetError: the dataset does not say what a single frame tells, or has no truth on
                some frames.
        """
        evidence = {e.id: truth.frame_evidence(e.id) for e in sample.expressions}
        objects = truth.objects()
        for name, masks in objects.items():
            if len(masks) != len(sample.video):
                raise DatasetError(
                    f"video {sample.video.id!r}: object {name!r} has {len(masks)} masks for "
                    f"{len(sample.video)} frames; a frame-level ceiling needs one for every frame"
                )
        return {name: self._masks(e, objects, sample) for name, e in evidence.items()}

    def _masks(
        self, evidence: FrameEvidence, objects: Mapping[str, MaskSequence], sample: Sample
    ) -> MaskSequence:
        masks = [objects[name] for name in evidence.objects]
        areas = np.stack([m.areas() for m in masks], axis=1)
        frames = []
        for t in range(len(sample.video)):
            marks = mark(meanings(evidence, t), areas[t], self.config.answer)
            seen = [m.at([t]) for m, wanted in zip(masks, marks, strict=True) if wanted]
            frames.append(union(seen, 1, sample.video.size).words(0))
        return MaskSequence.from_words(frames, sample.video.size)


def meanings(evidence: FrameEvidence, frame: int) -> Bools:
    """All sets of objects that the expression may mean for what one frame tells, (K, N).

    They hold every certain object and as many as the grammar says. Where that is impossible (some
    of the objects are out of sight), any set may be what is in sight. At least one set is given:
    the empty one if nobody in sight fits.
    """
    certain, open_ = evidence.certain[frame], evidence.possible[frame] & ~evidence.certain[frame]
    sets = _with_some(certain, open_)
    counts = sets.sum(axis=1)
    fitting = sets[(counts >= evidence.least) & (counts <= evidence.most)]
    if len(fitting):
        return np.asarray(fitting)
    return np.asarray(sets[(counts > 0) | ~open_.any()])


def mark(sets: Bools, areas: NDArray[np.int64], rule: Rule) -> Bools:
    """Which objects to mark, (N,), when each of `sets` (K, N) is equally likely to be the truth.

    Args:
        sets: at least one.
        areas: visible pixels of each object, (N,); objects never overlap.
        rule: see `TruthBoxConfig`.
    """
    if rule == "all":
        return np.asarray(sets.any(axis=0))
    pixels = sets @ areas
    if rule == "largest":
        fewest = sets.sum(axis=1) == sets.sum(axis=1).min()
        return np.asarray(sets[np.argmax(np.where(fewest, pixels, -1))])
    answers = _with_some(np.zeros(sets.shape[1], bool), np.asarray(sets.any(axis=0)))
    value, size = expected_j(answers, sets, areas), answers @ areas
    best = np.flatnonzero(value >= value.max() - 1e-9)
    return np.asarray(answers[best[np.argmax(size[best])]])


def expected_j(answers: Bools, sets: Bools, areas: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean J of each answer (A, N) over the sets (K, N) that may be the truth, (A,).

    When one object of k is meant, every answer that marks something has the same: 1 / k.
    """
    common = (answers * areas) @ sets.T
    joined = (answers @ areas)[:, None] + (sets @ areas)[None] - common
    return np.asarray(np.where(joined > 0, common / np.maximum(joined, 1), 1.0).mean(axis=1))


def _with_some(certain: Bools, further: Bools) -> Bools:
    """Sets (K, N): `certain` with every choice of `further`; of too many only all together."""
    places = np.flatnonzero(further)
    if len(places) > EXHAUSTIVE:
        return np.asarray(certain | further)[None]
    sets = np.repeat(certain[None], 2 ** len(places), axis=0)
    sets[:, places] = np.array(list(product([False, True], repeat=len(places))), bool)
    return sets


SPEC = MethodSpec(
    config_type=TruthBoxConfig,
    build=lambda config, device: TruthBoxes(config),
    card=MethodCard("Truth boxes, one frame at a time", trainable_parameters=0),
    needs_truth=True,
)
