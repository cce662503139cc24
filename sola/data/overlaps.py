"""How well cached tracks cover annotated objects: computed once, kept beside the cache.

    CACHE/overlaps/<dataset>-<split>-<fingerprint>/<video>.json

    tracks       [[source, ids of expressions or null]]   N, in the order of the cache's rows
    frames, dim  T and D of the tokens
    objects      [text]                    M ids
    overlap      [[number]]                N x M, mean IoU over the annotated frames
    expressions  [[id, text, [objects it means]]]         K
    unions       [[objects, [number]]]     N overlaps with every set of several targets

A file is made again when its tracks or the dataset change. Masks are not looked at in training.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import write_json
from rvosbench.masks import MaskSequence, union
from rvosbench.metrics import region_similarity
from rvosbench.recipe import digest
from rvosbench.records import Json, Sample, Target, Track
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import TrackCacheError
from rvosbench.tracks.header import Header

FOLDER, FORMAT = "overlaps", 1
logger = logging.getLogger(__name__)


def build_overlaps(
    cache: Path,
    dataset: Dataset,
    workers: int = 0,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> list[tuple[Header, Path]]:
    """Bring the overlaps of all videos of a cache up to date.

    Args:
        cache: folder of `rvosbench tracks build`.
        dataset: the split that its tracks are of, with ground truth.
        workers: processes; 0 works in this one.
        on_done: called with each video and whether its overlaps were there.

    Returns:
        The cache's videos that the dataset knows, each with the file of its overlaps, in the order
        of the cache's files: a cache may hold several splits.

    Raises:
        TrackCacheError: no cache there, none of its videos is known, or its tracks are of other
            frames or expressions.
        NoGroundTruthError: the split has no public ground truth.
        DatasetError: the dataset is not what its layout promises.
    """
    name = f"{dataset.name}-{dataset.split}-{digest(dataset.fingerprint)[:12]}"
    store = Store(cache / FOLDER / name)
    tracks = TrackCache(cache)
    known = set(tracks.videos_of(dataset))
    headers = [h for h in tracks.headers() if h.video in known]
    units = [Unit(h.video, digest([FORMAT, dataset.fingerprint, h.content])) for h in headers]
    run_units(units, _Cover(cache, dataset), store, local(workers), on_done)
    return [(header, store.output(header.video)) for header in headers]


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
    shares = region_similarity(a, b)
    return float(shares.mean()) if len(shares) else 0.0


@dataclass(frozen=True)
class _Cover:
    """Computes the overlaps of one video."""

    cache: Path
    dataset: Dataset

    def __call__(self, key: str, output: Path) -> None:
        """Write the overlaps of a video."""
        cache, sample = TrackCache(self.cache), self.dataset.sample(key)
        header = cache.header(key)
        cache.check(header, sample, header.grounder is not None)
        targets = {e.id: self.dataset.target(key, e.id) for e in sample.expressions}
        objects = self.dataset.objects(key)
        write_json(output, _overlaps(cache.tracks(key), sample, objects, targets))


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
    shape = len(annotated), sample.video.size
    unions = [union([known[n] for n in names], *shape).packed() for names in several]
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
