"""The pixels of predictions as a hash: two files of the same masks are the same predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from rvosbench.contracts import Answer
from rvosbench.errors import MaskError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.predictions.answers import as_prediction
from rvosbench.recipe import digest
from rvosbench.records import Prediction


def pixel_hash(masks: MaskSequence) -> str:
    """sha256 over the pixels of T masks, whatever their storage or file format."""
    content = hashlib.sha256(f"{len(masks)}x{masks.height}x{masks.width};".encode())
    for index in range(len(masks)):
        words = masks.words(index)
        rows = np.flatnonzero(words.any(axis=1))
        # Rows without foreground tell nothing: most of a mask need not be hashed.
        first, end = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)
        content.update(f"{first}-{end}:".encode())
        content.update(words[first:end].astype("<u8", copy=False).tobytes())
    return content.hexdigest()


class ReadOnce(Mapping[str, Prediction]):
    """Predictions of one video that are hashed when they are read, and not kept.

    So every file is read once, and the memory is that of one prediction.

    Args:
        predictions: expression (or label) -> prediction, read when it is asked for; one that
            cannot be read raises then.
    """

    def __init__(self, predictions: Mapping[str, Answer]) -> None:
        self._predictions = predictions
        self._hashes: dict[str, str] = {}

    def __getitem__(self, key: str) -> Prediction:
        prediction = as_prediction(self._predictions[key])
        try:
            packed = replace(prediction, masks=prediction.masks.packed())
        except MaskError as error:
            raise PredictionError(f"the prediction {key!r} cannot be decoded: {error}") from error
        self._hashes.setdefault(key, pixel_hash(packed.masks))
        return packed

    def __contains__(self, key: object) -> bool:
        return key in self._predictions

    def __iter__(self) -> Iterator[str]:
        return iter(self._predictions)

    def __len__(self) -> int:
        return len(self._predictions)

    def digest(self, unreadable: bool = False) -> str:
        """One sha256 over the pixels of all predictions; those not asked for are read now.

        With `unreadable`, predictions that cannot be read count as such instead of raising.
        """
        for key in self:
            if key not in self._hashes:
                try:
                    _ = self[key]
                except PredictionError:
                    if not unreadable:
                        raise
                    self._hashes[key] = "unreadable"
        return digest(self._hashes)
