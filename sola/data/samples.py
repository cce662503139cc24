"""Training samples: what the selector learns from, a video at a time.

A sample knows how well every track covers every annotated object and what every expression means.
Object tokens stay in the track cache and are read when a batch needs them; text tokens belong to a
text encoder and are looked up by text. Pseudo-labels say which tracks the selector should choose;
source: SOLA paper, section 3.6; released code: best single object, IoU above 0.7.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvosbench.contracts import Dataset
from rvosbench.errors import DatasetError
from rvosbench.tracks.cache_file import read_tokens
from sola.config import LabelTarget

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Tokens = NDArray[np.floating[Any]]
"""Object tokens (N, T, D), float32 or float16."""
TextTable = Mapping[str, Floats]
"""The text of an expression -> its text tokens (W, E)."""

TOKEN_BUDGET = 2 << 30
"""Bytes of object tokens that stay in memory: all of the demo, a third of MeViS."""
MATCH = 0.5
"""IoU above which a selected track counts as one of the targets in `selection_score`."""


class TokenStore:
    """Tokens of track files; what was read last stays in memory, up to a budget in bytes."""

    def __init__(self, budget: int = TOKEN_BUDGET) -> None:
        self._budget, self._size = budget, 0
        self._kept: OrderedDict[Path, Tokens] = OrderedDict()

    def read(self, path: Path) -> Tokens:
        """(N, T, D) of all tracks of a file."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        tokens = read_tokens(path)
        self._kept[path] = tokens
        self._size += tokens.nbytes
        while self._size > self._budget and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1].nbytes
        return tokens


@dataclass(frozen=True, eq=False)
class LazyTokens:
    """Object tokens of some tracks, read when they are asked for.

    Attributes:
        load: gives those of all tracks of a video; not to be written to.
        rows: the tracks.
        shape: (N, T, D), known without reading.
    """

    load: Callable[[], Tokens]
    rows: slice | NDArray[np.intp]
    shape: tuple[int, int, int]

    def read(self) -> Tokens:
        """(N, T, D); a view if the tracks lie side by side."""
        return self.load()[self.rows]

    def only(self, tracks: NDArray[np.intp]) -> LazyTokens:
        """Of some of the tracks, by index."""
        rows: NDArray[np.intp] = np.r_[self.rows][tracks]
        adjacent = len(rows) > 0 and bool((np.diff(rows) == 1).all())
        kept = slice(int(rows[0]), int(rows[-1]) + 1) if adjacent else rows
        return LazyTokens(self.load, kept, (len(rows), *self.shape[1:]))


@dataclass(frozen=True, eq=False)
class TrackSet:
    """A track cache and the dataset split that its tracks are of.

    Attributes:
        cache: folder of `rvosbench tracks build --truth`.
        dataset: the split, opened.
    """

    cache: Path
    dataset: Dataset


@dataclass(frozen=True, eq=False)
class VideoSample:
    """One video of the training data: N tracks, M annotated objects, K expressions.

    Attributes:
        video: id.
        stored: object tokens (N, T, D).
        overlap: (N, M) float32, mean over frames of the IoU of track and object, in [0, 1].
        expressions: K ids.
        texts: of the K expressions.
        targets: (K, M) bool, objects that an expression means; a row without any: no target.
        union_overlap: (K, N) IoU of tracks with all targets together; None if not known.
        candidates: (K, N) bool, tracks that may serve an expression; None: all.
        sources: N times "grid", "box" or "truth"; empty: all of the grid.
        origin: the cache and dataset it is from, for whoever wants masks; None if there is none.
    """

    video: str
    stored: LazyTokens
    overlap: Floats
    expressions: tuple[str, ...]
    texts: tuple[str, ...]
    targets: Flags
    union_overlap: Floats | None = None
    candidates: Flags | None = None
    sources: tuple[str, ...] = ()
    origin: TrackSet | None = None

    def __post_init__(self) -> None:
        """Refuses arrays that contradict each other: DatasetError says what, where and wanted."""
        n_tracks, n_objects, n_texts = len(self), self.targets.shape[1], len(self.texts)
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

    def __len__(self) -> int:
        """Number of tracks."""
        return self.stored.shape[0]

    @property
    def tokens(self) -> Tokens:
        """(N, T, D), read now."""
        return self.stored.read()

    def candidates_of(self, expression: int) -> Flags:
        """(N,) bool: the tracks that may serve an expression."""
        if self.candidates is None:
            return np.ones(len(self), bool)
        return np.asarray(self.candidates[expression], bool)

    def only(self, sources: Collection[str]) -> VideoSample:
        """The sample with the tracks of some sources only."""
        kinds = self.sources or ("grid",) * len(self)
        rows = np.array([i for i, kind in enumerate(kinds) if kind in sources], np.intp)
        if len(rows) == len(self):
            return self
        candidates = None if self.candidates is None else self.candidates[:, rows]
        return replace(
            self,
            stored=self.stored.only(rows),
            overlap=self.overlap[rows],
            union_overlap=None if self.union_overlap is None else self.union_overlap[:, rows],
            candidates=None if candidates is None or candidates.all() else candidates,
            sources=tuple(kinds[i] for i in rows),
        )


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
