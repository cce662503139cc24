"""Predictions written as folders of PNGs, the form that every official tool takes."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from rvosbench.errors import PredictionError
from rvosbench.files.atomic import discard
from rvosbench.masks import MaskSequence
from rvosbench.masks.png import encode_mask
from rvosbench.records import Video


def write_predictions(root: Path, video: Video, expression_id: str, masks: MaskSequence) -> Path:
    """Write `<root>/<video>/<expression>/<frame>.png`, gray with 0 and 255.

    The folder of the expression appears complete or not at all; an older one is replaced.

    Returns:
        The folder of the expression.

    Raises:
        PredictionError: not one mask for every frame, or an id that would leave `root`.
    """
    if len(masks) != len(video):
        raise PredictionError(
            f"video {video.id!r}, expression {expression_id!r}: got {len(masks)} masks to write, "
            f"wanted {len(video)}, one for every frame"
        )
    place = root / relative_name(video.id, expression_id)
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    discard(beside)
    beside.mkdir(parents=True)
    for name, mask in zip(video.frame_names, masks, strict=True):
        (beside / f"{name}.png").write_bytes(encode_mask(mask))
    discard(place)
    beside.replace(place)
    return place


def relative_name(*parts: str) -> PurePosixPath:
    """Ids as a relative path; an id may contain "/".

    Raises:
        PredictionError: an id is empty, absolute, or has a part that is hidden or "..".
    """
    for part in parts:
        if not part or any(not piece or piece.startswith(".") for piece in part.split("/")):
            raise PredictionError(
                f"{part!r} cannot name a folder of predictions: its parts must not be empty "
                "nor begin with a dot"
            )
    return PurePosixPath(*parts)
