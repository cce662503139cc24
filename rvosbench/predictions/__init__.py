"""Predictions: made by a method or read from files, complete and of the right size or refused.

Files lie as `<video>/<expression>/<frame>.png`, one mask a frame, in a folder or in a zip that is
read without unpacking; one folder around (such as `Annotations/`) is accepted.
"""

from __future__ import annotations

from rvosbench.predictions.answers import as_prediction, complete
from rvosbench.predictions.checking import CheckReport, check_predictions
from rvosbench.predictions.files import (
    MissingPolicy,
    PredictionFiles,
    missing_policy,
    open_predictions,
    read_predictions,
)
from rvosbench.predictions.packing import pack_predictions, submission_name, write_archive
from rvosbench.predictions.png import decode_mask, encode_mask
from rvosbench.predictions.writing import write_predictions

__all__ = [
    "CheckReport",
    "MissingPolicy",
    "PredictionFiles",
    "as_prediction",
    "check_predictions",
    "complete",
    "decode_mask",
    "encode_mask",
    "missing_policy",
    "open_predictions",
    "pack_predictions",
    "read_predictions",
    "submission_name",
    "write_archive",
    "write_predictions",
]
