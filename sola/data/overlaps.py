"""How well cached tracks cover annotated objects: computed once, kept beside the cache.

    CACHE/overlaps/<dataset>-<split>-<fingerprint>/<video>.json

    tracks       [[source, ids of expressions or null]]   N, in the order of the cache's rows
    frames, dim  T and D of the tokens
    objects      [text]                    M ids
    overlap      [[number]]                N x M, mean IoU over the annotated frames
    expressions  [[id, sentence, [objects it means]]]     K
    unions       [[objects, [number]]]     N overlaps with every set of several targets

A file is made again when its tracks or the dataset change. Masks are not looked at in training.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import video_ids
from rvosbench.errors import DatasetError, NoGroundTruthError
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import write_json
from rvosbench.masks import MaskSequence, union
from rvosbench.metrics.counts import count
from rvosbench.recipe import digest
from rvosbench.records import Json, Sample, Target, Track
from rvosbench.tracks.cache import TrackCacheError, read_header, read_tracks
from rvosbench.tracks.cached import check_sample, track_file, track_files

FOLDER, FORMAT = "overlaps", 1
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CoveredVideo:
    """A video of a cache and its overlaps.

    Attributes:
        video: id.
        tracks: file of the cache.
        content: hash of its rows.
        overlaps: the file that the module's docstring describes.
    """

    video: str
    tracks: Path
    content: str
    overlaps: Path


def build_overlaps(
    cache: Path,
    dataset: Dataset,
    workers: int = 0,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> list[CoveredVideo]:
    """Bring the overlaps of all videos of a cache up to date.

    Args:
        cache: folder of `rvosbench tracks build`.
        dataset: the split that its tracks are of, with truth.
        workers: processes; 0 works in this one.
        on_done: called with each video and whether its overlaps were there.

    Returns:
        The cache's videos that the dataset knows, sorted by file name: a cache may hold several
        splits.

    Raises:
        TrackCacheError: no cache there, none of its videos is known, or its tracks are of other
            frames or sentences.
        NoGroundTruthError: the split is hidden.
        DatasetError: the dataset is not what its layout promises.
    """
    name = f"{dataset.name}-{dataset.split}-{digest(dataset.fingerprint)[:12]}"
    store = Store(cache / FOLDER / name)
    headers = [read_header(path) for path in track_files(cache)]
    units = [Unit(h.video, digest([FORMAT, dataset.fingerprint, h.content])) for h in headers]
    try:
        run_units(units, _Cover(cache, dataset), store, local(workers), on_done)
    except NoGroundTruthError:
        raise
    except DatasetError:  # looked into only now: going over all of a split can take long
        known = set(video_ids(dataset))
        headers = [h for h in headers if h.video in known]
        if len(headers) == len(units):
            raise
        if not headers:
            raise TrackCacheError(
                f"{cache}: none of its {len(units)} videos, such as {units[0].key!r}, is in "
                f"{dataset.name}/{dataset.split}: name the dataset and split that it is of"
            ) from None
        logger.info("%s: %d videos of other splits left out", cache, len(units) - len(headers))
        units = [unit for unit in units if unit.key in known]
        run_units(units, _Cover(cache, dataset), store, local(workers), on_done)
    return [
        CoveredVideo(h.video, track_file(cache, h.video), h.content, store.output(h.video))
        for h in headers
    ]


def read_overlaps(path: Path) -> Json:
    """The content of one file; the module's docstring describes it.

    Raises:
        TrackCacheError: it is broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrackCacheError(f"{path}: cannot be read ({error}): delete it") from error


def mean_overlap(a: MaskSequence, b: MaskSequence) -> float:
    """Mean over frames of the IoU of two mask sequences; a frame that is empty in both counts 1."""
    counts = count(a, b)
    shares = np.where(counts.union > 0, counts.intersection / np.maximum(counts.union, 1), 1.0)
    return float(shares.mean()) if len(shares) else 0.0


@dataclass(frozen=True)
class _Cover:
    """Computes the overlaps of one video."""

    cache: Path
    dataset: Dataset

    def __call__(self, key: str, output: Path) -> None:
        """Write the overlaps of a video."""
        sample, path = self.dataset.sample(key), track_file(self.cache, key)
        header = read_header(path)
        check_sample(self.cache, header, sample, header.grounder is not None)
        targets = {e.id: self.dataset.target(key, e.id) for e in sample.expressions}
        objects = self.dataset.objects(key)
        write_json(output, _overlaps(read_tracks(path), sample, objects, targets))


def _overlaps(
    tracks: Sequence[Track],
    sample: Sample,
    objects: Mapping[str, MaskSequence],
    targets: Mapping[str, Target],
) -> Json:
    annotated = next(iter(targets.values())).annotated if targets else ()
    known = {name: masks.packed() for name, masks in objects.items()} if targets else {}
    meant = {e.id: sorted(targets[e.id].objects) for e in sample.expressions}
    several = sorted({tuple(names) for names in meant.values() if len(names) > 1})
    unions = [_union([known[n] for n in names]) for names in several]
    overlap, joint = [], []
    for track in tracks:  # one at a time: packed, a video's tracks can take gigabytes
        shown = track.masks.at(annotated).packed()
        overlap.append(_row(shown, known.values()))
        joint.append(_row(shown, unions))
    return {
        "format": FORMAT,
        "tracks": [
            [t.source, None if t.candidates is None else sorted(t.candidates)] for t in tracks
        ],
        "frames": tracks[0].tokens.shape[0] if tracks else 0,
        "dim": tracks[0].tokens.shape[1] if tracks else 0,
        "objects": list(known),
        "overlap": overlap,
        "expressions": [[e.id, e.text, meant[e.id]] for e in sample.expressions],
        "unions": [[list(names), [row[i] for row in joint]] for i, names in enumerate(several)],
    }


def _row(track: MaskSequence, objects: Iterable[MaskSequence]) -> list[float]:
    return [round(mean_overlap(track, masks), 7) for masks in objects]


def _union(parts: Sequence[MaskSequence]) -> MaskSequence:
    return union(parts, len(parts[0]), parts[0].size).packed()
