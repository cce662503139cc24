"""Noise from 16-bit random numbers, one for every value of a frame, in memory order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rvosbench.corruptions.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rvosbench.records import Frame


@compiled
def add(frame: Frame, numbers: NDArray[np.uint16], noise: NDArray[np.float32]) -> Frame:
    """The value plus `noise[number]`, (65536,) in grey levels; cut to [0, 255] and to integers."""
    out = np.empty_like(frame)
    source, target = frame.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        value = np.float32(source[i]) + noise[numbers[i]]
        target[i] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
    return out


@compiled
def add_in_proportion(
    frame: Frame, numbers: NDArray[np.uint16], noise: NDArray[np.float32]
) -> Frame:
    """The value plus the value times `noise[number]`; cut to [0, 255] and to integers."""
    out = np.empty_like(frame)
    source, target = frame.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        value = np.float32(source[i])
        value += value * noise[numbers[i]]
        target[i] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
    return out


@compiled
def replace(frame: Frame, numbers: NDArray[np.uint16], white: int, any_: int) -> Frame:
    """255 where the number is below `white`, 0 where it is below `any_`, else the value."""
    out = np.empty_like(frame)
    source, target = frame.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        number = numbers[i]
        value = np.uint8(0) if number < any_ else source[i]
        target[i] = np.uint8(255) if number < white else value
    return out


@compiled
def count(
    frame: Frame,
    numbers: NDArray[np.uint16],
    limits: NDArray[np.uint32],
    start: NDArray[np.uint8],
    brightness: NDArray[np.uint8],
) -> Frame:
    """`brightness[k]` of the first count k whose limit is above the number."""
    out = np.empty_like(frame)
    source, target = frame.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        value, number = source[i], np.uint32(numbers[i])
        k = np.int64(start[value, number >> np.uint32(8)])
        while limits[value, k] <= number:
            k += 1
        target[i] = brightness[k]
    return out
