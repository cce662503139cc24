"""Training samples: what the selector learns from, one `.npz` file a video.

A file holds the frozen tracker's object tokens and how well every track covers every annotated
object, but no masks and no text tokens: those belong to a text encoder, see `encode_texts`.

    video         ()         text
    tokens        (N, T, D)  float16 or float32
    overlap       (N, M)     float32, IoU of track and object, in [0, 1]
    expression    (K,)       text, ids
    text          (K,)       text
    targets       (K, M)     bool, objects that the expression means; a row without any: no target
    union_overlap (K, N)     float32, IoU of track and union of the targets; may be absent
    candidates    (K, N)     bool, tracks that may serve the expression; absent means all
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvosbench.errors import DatasetError

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
TextTable = Mapping[str, Floats]
"""A sentence -> its text tokens (W, E)."""


@dataclass(frozen=True, eq=False)
class VideoSample:
    """One video of the training data; the module's docstring has the meaning of each array."""

    video: str
    tokens: Floats
    overlap: Floats
    expressions: tuple[str, ...]
    texts: tuple[str, ...]
    targets: Flags
    union_overlap: Floats | None = None
    candidates: Flags | None = None

    def __post_init__(self) -> None:
        """Refuses arrays that contradict each other.

        Raises:
            DatasetError: naming the video, the array, its shape and the wanted one.
        """
        n_tracks, n_objects, n_texts = len(self.tokens), self.targets.shape[1], len(self.texts)
        wanted: dict[str, tuple[int, ...]] = {
            "overlap": (n_tracks, n_objects),
            "targets": (len(self.expressions), n_objects),
            "union_overlap": (n_texts, n_tracks),
            "candidates": (n_texts, n_tracks),
        }
        for name, shape in wanted.items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise DatasetError(
                    f"training sample of video {self.video!r}: {name} has shape {array.shape}, "
                    f"wanted {shape}: {n_tracks} tracks, {n_objects} objects, {n_texts} texts."
                )

    def candidates_of(self, expression: int) -> Flags:
        """(N,) bool: the tracks that may serve an expression."""
        if self.candidates is None:
            return np.ones(len(self.tokens), bool)
        return np.asarray(self.candidates[expression], bool)


def save_sample(path: Path, sample: VideoSample) -> None:
    """Writes one file (through a partial one, so that it is whole or absent); tokens as float16."""
    arrays = {
        "video": np.array(sample.video),
        "tokens": sample.tokens.astype(np.float16),
        "overlap": sample.overlap.astype(np.float32),
        "expression": np.array(sample.expressions, dtype=str),
        "text": np.array(sample.texts, dtype=str),
        "targets": sample.targets,
        "union_overlap": sample.union_overlap,
        "candidates": sample.candidates,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as stream:
        present: dict[str, Any] = {k: v for k, v in arrays.items() if v is not None}
        np.savez_compressed(stream, **present)
    partial.replace(path)


def load_sample(path: Path) -> VideoSample:
    """Reads one file of `save_sample`; tokens become float32.

    Raises:
        DatasetError: not such a file, or arrays that contradict each other.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return VideoSample(
                video=str(arrays["video"]),
                tokens=arrays["tokens"].astype(np.float32),
                overlap=arrays["overlap"],
                expressions=tuple(map(str, arrays["expression"])),
                texts=tuple(map(str, arrays["text"])),
                targets=arrays["targets"],
                union_overlap=arrays.get("union_overlap"),
                candidates=arrays.get("candidates"),
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: not a training sample: {error}. Build it again.") from error


def load_samples(folder: Path) -> list[VideoSample]:
    """All samples of a folder, in order of file names.

    Raises:
        DatasetError: a folder that is missing or holds none.
    """
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise DatasetError(f"{folder}: no training samples (*.npz) here. Build the tracks first.")
    return [load_sample(path) for path in paths]


def encode_texts(
    samples: Sequence[VideoSample], encode: Callable[[Sequence[str]], Sequence[Floats]]
) -> TextTable:
    """Every distinct sentence once: sentence -> (W, E).

    Args:
        samples: videos whose sentences are wanted.
        encode: such as `rvosbench.adapters.text.TextEncoder.encode`.
    """
    texts = sorted({text for sample in samples for text in sample.texts})
    return dict(zip(texts, encode(texts), strict=True))
