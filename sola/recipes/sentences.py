"""More sentences for collected MotionShapes samples, at no tracking cost.

    python -m sola.recipes.sentences --tokens DIR --out DIR --per-category 8

Tracks are the expensive part of a training sample, and the benchmark words only six sentences a
clip. The generator knows hundreds about the same scene, so a few hundred tracked clips can teach as
much as thousands. For training samples only: valid and test keep their own sentences.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rvosbench.demo.candidates import CATEGORIES, Candidate, candidates, see
from rvosbench.demo.clauses import Scene
from rvosbench.demo.clips import Clip, make_clip
from rvosbench.demo.dataset import CONFIGS
from rvosbench.demo.render import occlusion
from rvosbench.demo.sentences import word
from rvosbench.errors import DatasetError

from ..samples import VideoSample, load_sample, save_sample

logger = logging.getLogger(__name__)
TRAIN_SEED = 9001
"""First part of the seeds of the demo's train split; checked against every sample's sentences."""


def with_more_sentences(sample: VideoSample, per_category: int) -> VideoSample:
    """The sample with further sentences of every category that its scene admits.

    Args:
        sample: of the demo's train split, such as "train-0003".
        per_category: most new sentences of each category; weighty candidates come more often.

    Returns:
        A sample with the old expressions first. Overlaps with unions of targets are dropped: they
        are unknown for the new ones.

    Raises:
        DatasetError: the sample is not of this version of the demo's train split.
    """
    number = _number(sample)
    clip = make_clip((TRAIN_SEED, number), CONFIGS["train"])
    if tuple(e.text for e in clip.expressions) != sample.texts:
        raise DatasetError(
            f"video {sample.video!r}: its sentences are not those of this version of MotionShapes. "
            "Collect the samples again."
        )
    rng = np.random.default_rng((77, number))
    chosen = _choose(clip, per_category, rng)
    means = [[i in c.objects for i in range(len(clip.objects))] for c in chosen]
    targets = np.array(means, bool).reshape(len(chosen), len(clip.objects))
    return dataclasses.replace(
        sample,
        expressions=(*sample.expressions, *(f"more-{i}" for i in range(len(chosen)))),
        texts=(*sample.texts, *(word(c, rng) for c in chosen)),
        targets=np.concatenate([sample.targets, targets]),
        union_overlap=None,
        candidates=None,
    )


def _number(sample: VideoSample) -> int:
    split, _, number = sample.video.partition("-")
    if split != "train" or not number.isdigit():
        raise DatasetError(f"video {sample.video!r} is not of the demo's train split.")
    return int(number)


def _choose(clip: Clip, per_category: int, rng: np.random.Generator) -> list[Candidate]:
    scene = Scene(clip.objects, occlusion(clip.objects, clip.masks))
    pool = list(candidates(see(scene, clip.masks.mean(axis=(2, 3)))))
    chosen: list[Candidate] = []
    for category in CATEGORIES:
        of_category = [c for c in pool if c.category == category and c.weight > 0]
        if not of_category:
            continue
        weights = np.array([c.weight for c in of_category], float)
        count = min(per_category, len(of_category))
        picks = rng.choice(len(of_category), count, replace=False, p=weights / weights.sum())
        chosen += [of_category[i] for i in picks]
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m sola.recipes.sentences", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--tokens", type=Path, required=True, help="folder of collected samples")
    parser.add_argument("--out", type=Path, required=True, help="folder of the enriched samples")
    parser.add_argument("--per-category", type=int, default=8)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for path in sorted(given.tokens.glob("*.npz")):
        sample = with_more_sentences(load_sample(path), given.per_category)
        save_sample(given.out / path.name, sample)
        logger.info("%s: %d sentences", sample.video, len(sample.texts))


if __name__ == "__main__":
    main()
