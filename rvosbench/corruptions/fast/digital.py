"""Contrast with whole sums; the rest of the family is the same in both modes."""

from __future__ import annotations

from rvosbench.corruptions.exact.digital import flattened
from rvosbench.corruptions.implementation import Draws
from rvosbench.corruptions.kernels.colour import channel_sums, look_up
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame


def contrast(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Less distance from the channel's mean, by a table of the 256 values."""
    means = channel_sums(frame) / (255 * frame.shape[0] * frame.shape[1])
    return look_up(frame, flattened(means, level["kept"]))
