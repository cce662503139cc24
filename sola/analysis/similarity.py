"""Do tracks that lie on each other have tokens that look alike? Figure 4 of the paper.

Over pairs of tracks of the same video:

    mIoU(a, b)       mean over frames of |a_t & b_t| / |a_t | b_t|
    similarity(a, b) mean over the same frames of cos(token a_t, token b_t)

Source: SOLA paper, section 4.5 and Figure 4. The paper does not say how frames are joined into one
number, nor what empty frames do; here
- both means run over the frames in which at least one of the two masks has a pixel. Where both are
  empty SAM2 gives both tracks the same "no object" token: such frames would score 1 in both means
  and make the curve rise by themselves;
- a frame in which one mask is empty has an IoU of 0 and the cosine that it has;
- a pair without such a frame is left out, and counted;
- a token of length zero has a cosine of 0 with every other.
The figure shows mean and variance of the similarity over mIoU.
"""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from rvosbench.datasets import load_dataset
from rvosbench.errors import UsageError
from rvosbench.records import Track
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import TrackCacheError, read_tracks
from rvosbench.tracks.prompts import overlaps

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Correlation = Callable[[Floats, Floats], Sequence[float]]
"""Gives the coefficient first."""
SOURCES = ("grid", "box", "truth")


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of tracks.

    Attributes:
        miou: (P,) in [0, 1].
        similarity: (P,) in [-1, 1].
        left_out: pairs without any visible frame, which are not among the P.
    """

    miou: Floats
    similarity: Floats
    left_out: int = 0

    @staticmethod
    def joined(parts: Iterable[Pairs]) -> Pairs:
        """The pairs of many videos as one; of none it is empty."""
        known = [Pairs(np.zeros(0), np.zeros(0)), *parts]
        return Pairs(
            np.concatenate([p.miou for p in known]),
            np.concatenate([p.similarity for p in known]),
            sum(p.left_out for p in known),
        )


@dataclass(frozen=True)
class Sampling:
    """Which pairs are compared.

    Attributes:
        sources: prompts whose tracks are compared, of `SOURCES`.
        pairs_per_video: a video with more pairs gives this many, drawn without replacement.
        seed: of the draw; a video's pairs depend on it and on the video's name only.
    """

    sources: tuple[str, ...] = SOURCES
    pairs_per_video: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [name for name in self.sources if name not in SOURCES]
        if unknown or not self.sources:
            raise UsageError(
                f"unknown source of tracks {', '.join(unknown) or '(none)'}: wanted some of "
                f"{', '.join(SOURCES)}"
            )
        if self.pairs_per_video < 1:
            raise UsageError(f"pairs per video: got {self.pairs_per_video}, wanted 1 or more")


def cache_files(
    cache: Path, dataset: str | None, split: str | None, data: Path | None
) -> tuple[list[Path], str]:
    """Files of a track cache and a title; with a dataset, those of its split only.

    Raises:
        TrackCacheError: no cache, no video of the split in it, or tracks of other frames.
    """
    tracks = TrackCache(cache)
    if dataset is None:
        return tracks.files(), f"Object tokens of {cache.name}"
    opened = load_dataset(dataset, data, split)
    videos = tracks.videos_of(opened)
    for video in videos:
        tracks.check(tracks.header(video), opened.sample(video), boxes=False)
    return sorted(map(tracks.path, videos)), f"Object tokens on {opened.name}/{opened.split}"


def compare_cache(
    files: Sequence[Path], sampling: Sampling, on_done: Callable[[str], None] = lambda video: None
) -> Pairs:
    """Pairs of all videos of a track cache, one file in memory at a time.

    Args:
        files: of the cache, one a video; see `rvosbench.tracks.cache.TrackCache`.
        sampling: which pairs.
        on_done: called with the name of every file that was read.

    Raises:
        TrackCacheError: a file is broken.
    """
    parts = []
    for path in files:
        tracks = [track for track in read_tracks(path) if track.source in sampling.sources]
        _check_lengths(path, tracks)
        parts.append(compare(tracks, choose_pairs(len(tracks), path.stem, sampling)))
        on_done(path.stem)
    return Pairs.joined(parts)


def choose_pairs(count: int, video: str, sampling: Sampling) -> Indices:
    """Pairs (P, 2) of different tracks among `count`, in ascending order; P = 0 below 2 tracks."""
    pairs = np.stack(np.triu_indices(count, 1), axis=1)
    if len(pairs) <= sampling.pairs_per_video:
        return pairs
    key = hashlib.sha256(f"{sampling.seed}/{video}".encode()).digest()
    rng = np.random.default_rng(np.frombuffer(key, np.uint32))
    return pairs[np.sort(rng.choice(len(pairs), sampling.pairs_per_video, replace=False))]


def compare(tracks: Sequence[Track], pairs: Indices) -> Pairs:
    """Mean IoU and token similarity of pairs of tracks of one video, as the module says.

    Args:
        tracks: with T masks of one size and (T, D) tokens each.
        pairs: (P, 2) indices of tracks.
    """
    if not len(pairs):
        return Pairs(np.zeros(0), np.zeros(0))
    left, right = pairs[:, 0], pairs[:, 1]
    units = [_unit(track.tokens) for track in tracks]
    there = np.stack([track.masks.areas() > 0 for track in tracks])  # (N, T)
    seen = there[left] | there[right]
    iou = np.zeros(seen.shape)
    for frame in np.flatnonzero(seen.any(axis=0)):
        iou[:, frame] = _frame_overlaps(tracks, pairs, int(frame))
    cosine = np.stack([(units[a] * units[b]).sum(axis=1) for a, b in pairs])
    frames = seen.sum(axis=1)
    kept = frames > 0
    return Pairs(
        (iou * seen).sum(axis=1)[kept] / frames[kept],
        np.clip((cosine * seen).sum(axis=1)[kept] / frames[kept], -1, 1),
        int((~kept).sum()),
    )


@dataclass(frozen=True)
class Bin:
    """The pairs whose mIoU lies in [low, high), in the last bin [low, 1].

    Attributes:
        low, high: in [0, 1].
        pairs: how many.
        miou: their mean mIoU; None without pairs, as the following two.
        mean, variance: of their similarity; the variance is that of the population.
    """

    low: float
    high: float
    pairs: int
    miou: float | None = None
    mean: float | None = None
    variance: float | None = None


@dataclass(frozen=True)
class Curve:
    """Figure 4 as numbers.

    Attributes:
        bins: equally wide, from 0 to 1.
        pairs: pairs in all bins.
        left_out: pairs that are never visible.
        pearson, spearman: correlation of similarity and mIoU over all pairs, not over bins; None
            where it does not exist (below 2 pairs, or all alike).
    """

    bins: tuple[Bin, ...]
    pairs: int
    left_out: int
    pearson: float | None
    spearman: float | None


def curve_of(pairs: Pairs, bins: int = 20) -> Curve:
    """Bin pairs by their mIoU.

    Args:
        pairs: may be none: all bins are empty then.
        bins: how many, 1 to 1000.

    Raises:
        UsageError: another number of bins.
    """
    if not 1 <= bins <= 1000:
        raise UsageError(f"number of bins: got {bins}, wanted 1 to 1000")
    edges = np.linspace(0, 1, bins + 1)
    index = np.clip(np.searchsorted(edges, pairs.miou, side="right") - 1, 0, bins - 1)
    ends = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    found = tuple(_bin(*pair, pairs, np.asarray(index == i)) for i, pair in enumerate(ends))
    correlations = (_correlation(pairs, measure) for measure in (pearsonr, spearmanr))
    return Curve(found, len(pairs.miou), pairs.left_out, *correlations)


def to_csv(curve: Curve) -> str:
    """One row a bin: low, high, pairs, miou, mean, variance, std; empty cells without pairs."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["low", "high", "pairs", "miou", "mean", "variance", "std"])
    for b in curve.bins:
        numbers = (b.miou, b.mean, b.variance, None if b.variance is None else b.variance**0.5)
        shown = ["" if v is None else f"{v:.6f}" for v in numbers]
        rows.writerow([f"{b.low:g}", f"{b.high:g}", b.pairs, *shown])
    return out.getvalue()


def _frame_overlaps(tracks: Sequence[Track], pairs: Indices, frame: int) -> Floats:
    """IoU of every pair in one frame, (P,): compared as run lengths, never unpacked."""
    used = np.unique(pairs)
    counts = {int(i): str(tracks[i].masks.rle(frame)["counts"]).encode("ascii") for i in used}
    found = np.zeros(len(pairs))
    for first in np.unique(pairs[:, 0]):
        rows = np.flatnonzero(pairs[:, 0] == first)
        others = [counts[int(i)] for i in pairs[rows, 1]]
        found[rows] = overlaps(counts[int(first)], others, tracks[first].masks.size)
    return found


def _unit(tokens: NDArray[np.float32]) -> Floats:
    """Tokens (T, D) of length 1; those of length 0 stay 0."""
    wide = tokens.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.where(length > 0, length, 1.0)


def _check_lengths(path: Path, tracks: Sequence[Track]) -> None:
    shapes = {(len(t.masks), t.masks.size, t.tokens.shape) for t in tracks}
    if len(shapes) > 1 or any(length != tokens[0] for length, _, tokens in shapes):
        raise TrackCacheError(
            f"{path}: tracks of different lengths or sizes in one video. Check the cache with "
            f"`rvosbench tracks verify {path.parent}` and build it again"
        )


def _bin(low: float, high: float, pairs: Pairs, inside: np.ndarray) -> Bin:
    count = int(inside.sum())
    if not count:
        return Bin(low, high, 0)
    values = pairs.similarity[inside]
    miou = float(pairs.miou[inside].mean())
    return Bin(low, high, count, miou, float(values.mean()), float(values.var()))


def _correlation(pairs: Pairs, measure: Correlation) -> float | None:
    a, b = pairs.miou, pairs.similarity
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that are alike to the last bits
        found = float(measure(a, b)[0])
    return found if np.isfinite(found) else None
