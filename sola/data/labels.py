"""Pseudo-labels: which tracks should the selector choose? And how good is a choice?

Source: SOLA paper, section 3.6; released code: best single object, IoU above 0.7.
"""

from __future__ import annotations

import numpy as np

from sola.config import LabelTarget
from sola.data.samples import Flags, Floats, VideoSample

MATCH = 0.5
"""IoU above which a selected track counts as one of the targets in `selection_score`."""


def pseudo_labels(
    sample: VideoSample, expression: int, threshold: float, against: LabelTarget = "object"
) -> Flags:
    """Tracks that are right for an expression.

    Args:
        sample: the video.
        expression: index into its expressions.
        threshold: IoU that a positive track exceeds, in [0, 1] (released code: 0.7).
        against: "object" compares with the best single target object, as the released code does;
            "union" accepts tracks of all targets together as well, if the sample knows them.

    Returns:
        (N,), False for tracks that are no candidates; all False without a target.
    """
    overlap = target_overlap(sample, expression)
    if against == "union" and sample.union_overlap is not None:
        overlap = np.maximum(overlap, sample.union_overlap[expression])
    return (overlap > threshold) & sample.candidates_of(expression)


def target_overlap(sample: VideoSample, expression: int) -> Floats:
    """(N,) IoU of every track with the target object that it covers best; 0 without a target."""
    best = sample.overlap[:, sample.targets[expression]].max(axis=1, initial=0.0)
    return np.asarray(best, np.float32)


def selection_score(sample: VideoSample, expression: int, selected: Flags) -> float:
    """How good a selection is, without looking at masks: a Jaccard index over objects, in [0, 1].

    Every target counts with the IoU of the best selected track; every selected track that matches
    no target counts against it. Nothing selected where nothing is meant scores 1.

    Args:
        sample: the video.
        expression: index into its expressions.
        selected: (N,); tracks that are no candidates are ignored.
    """
    tracks = np.flatnonzero(sample.candidates_of(expression) & selected)
    targets = sample.targets[expression]
    if not len(tracks) or not targets.any():
        return float(not len(tracks) and not targets.any())
    overlap = sample.overlap[tracks][:, targets]
    wrong = int((overlap.max(axis=1) <= MATCH).sum())
    return float(overlap.max(axis=0).sum() / (targets.sum() + wrong))
