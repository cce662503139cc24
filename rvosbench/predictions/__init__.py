"""Predictions: made by a method or read from files, complete and of the right size or refused.

Files lie as `<video>/<expression>/<frame>.png`, one mask a frame, in a folder or in a zip that is
read without unpacking; one folder around (such as `Annotations/`) is accepted. JSON files of run
lengths, folders of label images and runs of `rvosbench eval` are read as well.
"""

from __future__ import annotations

from rvosbench.masks.png import decode_mask, encode_mask
from rvosbench.runs.complete import as_prediction, complete
from rvosbench.predictions.checking import CheckReport, check_predictions
from rvosbench.runs.source import PredictionFiles
from rvosbench.masks.label_images import LabelFiles
from rvosbench.runs.predictions import open_labels, open_predictions, read_predictions
from rvosbench.predictions.packing import pack_predictions, submission_name, write_archive
from rvosbench.predictions.source import MissingPolicy, PredictionSource, missing_policy
from rvosbench.predictions.writing import write_predictions

__all__ = [
    "CheckReport",
    "LabelFiles",
    "MissingPolicy",
    "PredictionFiles",
    "PredictionSource",
    "as_prediction",
    "check_predictions",
    "complete",
    "decode_mask",
    "encode_mask",
    "missing_policy",
    "open_labels",
    "open_predictions",
    "pack_predictions",
    "read_predictions",
    "submission_name",
    "write_archive",
    "write_predictions",
]
