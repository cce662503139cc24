"""Collecting training samples: candidate tracks of a split, once, as `.npz` files.

    python -m sola.collect --dataset demo --split train --preset demo --out DIR [--limit N]

Training sees the tracks that inference sees (grid prompts) and, as in the released code, tracks
prompted with the truth of every annotated object, so that every expression has a right answer.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np

from rvosbench.configuration import configure, differences, parse_assignments
from rvosbench.datasets import load_dataset
from rvosbench.masks import MaskSequence, popcount, union
from rvosbench.protocols import Dataset
from rvosbench.records import Target, Track, Video
from rvosbench.tracks.maker import GRID_TRACKS, CandidateConfig, TrackMaker
from rvosbench.work import Store, Unit, digest, local, run_units

from .samples import Floats, VideoSample, save_sample

log = logging.getLogger(__name__)


def collect(
    dataset: Dataset,
    config: CandidateConfig,
    out: Path,
    videos: Sequence[str] | None = None,
    workers: int = 0,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> None:
    """Write one sample a video into `out`; a killed run goes on where it stopped.

    Args:
        dataset: a split with truth.
        config: tracker and prompts.
        out: folder of `.npz` files.
        videos: ids to restrict to; None takes all.
        workers: processes; 0 works in this one.
        on_done: called with each video and whether its file was there already.
    """
    job = _Collect(dataset, config)
    ids = [s.video.id for s in dataset] if videos is None else list(videos)
    facts = [dataset.fingerprint, differences(config), job.maker.provenance()]
    units = [Unit(video, digest([facts, video])) for video in ids]
    run_units(units, job, Store(out, ".npz"), local(workers), on_done)


def mean_overlap(a: MaskSequence, b: MaskSequence) -> float:
    """Mean over frames of the IoU of two mask sequences; a frame that is empty in both counts 1."""
    total = 0.0
    for index in range(len(b)):
        one, two = a.words(index), b.words(index)
        joined = popcount(one | two)
        total += popcount(one & two) / joined if joined else 1.0
    return total / max(len(b), 1)


@dataclass(frozen=True)
class _Collect:
    dataset: Dataset
    config: CandidateConfig

    @cached_property
    def maker(self) -> TrackMaker:
        """The tracker, opened on first use in every process."""
        return TrackMaker(self.config)

    def __getstate__(self) -> dict[str, object]:
        return {"dataset": self.dataset, "config": self.config}

    def __call__(self, key: str, output: Path) -> None:
        """Write the sample of one video."""
        sample, objects = self.dataset.sample(key), self.dataset.objects(key)
        targets = {e.id: self.dataset.target(key, e.id) for e in sample.expressions}
        annotated = next(iter(targets.values())).annotated
        tracks = [*self.maker.tracks(sample), *self._truth(sample.video, objects, annotated)]
        shown = [t.masks.at(annotated).packed() for t in tracks]
        known = {name: masks.packed() for name, masks in objects.items()}
        video = VideoSample(
            video=key,
            tokens=_tokens(tracks, sample.video, self.maker.sam2.token_dim),
            overlap=_overlaps(shown, list(known.values())),
            expressions=tuple(targets),
            texts=tuple(e.text for e in sample.expressions),
            targets=np.array(
                [[o in t.objects for o in known] for t in targets.values()], bool
            ).reshape(len(targets), len(known)),
            union_overlap=_unions(shown, known, targets),
        )
        save_sample(output, video)

    def _truth(
        self, video: Video, objects: Mapping[str, MaskSequence], annotated: Sequence[int]
    ) -> list[Track]:
        """A track of every object, prompted where it is largest."""
        from rvosbench.tracks.building import object_tracks
        from rvosbench.tracks.follow import Follower

        follower = Follower.of(self.maker.sam2, video, self.config.compute)
        return object_tracks(follower, objects, annotated)


def _tokens(tracks: Sequence[Track], video: Video, dim: int) -> Floats:
    tokens = np.zeros((len(tracks), len(video), dim), np.float32)
    for row, track in enumerate(tracks):
        tokens[row] = track.tokens
    return tokens


def _overlaps(tracks: Sequence[MaskSequence], objects: Sequence[MaskSequence]) -> Floats:
    table = [[mean_overlap(t, o) for o in objects] for t in tracks]
    return np.array(table, np.float32).reshape(len(tracks), len(objects))


def _unions(
    tracks: Sequence[MaskSequence],
    objects: Mapping[str, MaskSequence],
    targets: Mapping[str, Target],
) -> Floats:
    """(K, N): IoU of every track with all targets of an expression together."""
    rows = []
    for target in targets.values():
        parts = [objects[name] for name in target.objects]
        joined = union(parts, len(target.annotated), target.size)
        rows.append([mean_overlap(t, joined) if parts else 0.0 for t in tracks])
    return np.array(rows, np.float32).reshape(len(targets), len(tracks))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m sola.collect", description=__doc__)
    parser.add_argument("--dataset", default="demo")
    parser.add_argument("--split", default="train")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--preset", choices=("demo", "released"), default="released")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    dataset = load_dataset(given.dataset, given.data, given.split)
    changes = {
        **(GRID_TRACKS if given.preset == "demo" else {}),
        **parse_assignments(given.settings),
    }
    ids = [s.video.id for s in islice(dataset, given.limit)]
    collect(
        dataset,
        configure(CandidateConfig(), changes),
        given.out,
        ids,
        given.workers,
        lambda unit, reused: log.info("%s%s", unit.key, " (there)" if reused else ""),
    )


if __name__ == "__main__":
    main()
