"""Generators keyed by what they are for, so that no order of work changes a byte."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from rvosbench.corruptions.frame import Random
from rvosbench.corruptions.table import Mode


def generator(mode: Mode, seed: int, name: str, severity: int, *place: str) -> Random:
    """The generator of one place in a dataset.

    Args:
        mode: decides the kind of generator.
        seed: of the whole run.
        name: of the corruption.
        severity: of the corruption.
        place: video id, then "frame" and the frame's name, or what else a video draws for. Names
            rather than positions: a subset of a video's frames gets the same bytes.
    """
    text = json.dumps([seed, name, severity, *place], ensure_ascii=True)
    key = hashlib.blake2b(text.encode("ascii"), digest_size=32, person=b"rvosbench").digest()
    if mode == "exact":
        return np.random.RandomState(np.frombuffer(key, dtype="<u4").astype(np.uint32))
    return np.random.Generator(np.random.SFC64(int.from_bytes(key, "little")))
