"""Averages the weights of selectors that began alike, and says which threshold suits the result.

    python -m recipes.selector.average --out DIR --tracks CACHE SELECTOR SELECTOR ...

Trainings that go on from the same weights with other random numbers end in the same valley: their
mean is better than each of them. The threshold is judged by the selection score on every tenth
video of the training cache, which `rvosbench sola train` does not learn from.
"""

from __future__ import annotations

import json
import logging
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from recipes.command import command_parser, execute
from rvosbench.datasets import load_dataset
from rvosbench.errors import WeightsError
from sola.analysis.thresholds import THRESHOLDS
from sola.config import DEMO_TRAINING
from sola.data.samples import TrackSet
from sola.data.track_data import TrainingData, open_training_data, prepared
from sola.model import TrackSelector
from sola.network.weights import (
    checkpoint_hash,
    load_selector,
    read_training,
    save_selector,
    write_training,
)
from sola.training.validation import validate

logger = logging.getLogger(__name__)


def average(sources: Sequence[Path]) -> TrackSelector:
    """The mean of selectors of one shape, in evaluation mode.

    Raises:
        WeightsError: they differ in shape, or one is missing.
    """
    models = [load_selector(source) for source in sources]
    if len({replace(model.config, dropout=0, attention_dropout=0) for model in models}) > 1:
        raise WeightsError(f"{', '.join(map(str, sources))}: selectors of different shapes")
    states = [model.state_dict() for model in models]
    mean = {name: torch.stack([s[name] for s in states]).mean(0) for name in states[0]}
    models[0].load_state_dict(mean)
    return models[0]


def scores_by_threshold(model: TrackSelector, data: TrainingData) -> dict[float, float]:
    """Selection score on the validation videos at every threshold, see `validation.validate`."""
    config = DEMO_TRAINING
    valid = prepared(data, config.train_sources, config.valid_sources).valid

    def score(threshold: float) -> float:
        asked = replace(config, select_threshold=threshold)
        return validate(model, valid, data.texts, asked)["selection"]

    return {threshold: score(threshold) for threshold in THRESHOLDS}


def run_recipe(sources: Sequence[Path], cache: Path, out: Path) -> dict[float, float]:
    """Writes the average as float16, with where it is from; returns the scores by threshold."""
    trainings = [read_training(source) for source in sources]
    known = [t for t in trainings if t is not None]
    if len(known) < len(sources):
        raise WeightsError(f"{', '.join(map(str, sources))}: not all have a training.json")
    mean = average(sources)
    data = open_training_data([TrackSet(cache, load_dataset("demo", None, "train"))])
    scores = scores_by_threshold(mean, data)
    save_selector(out, mean, torch.float16)
    members = [
        {"weights": checkpoint_hash(source), "identity": training["identity"]}
        for source, training in zip(sources, known, strict=True)
    ]
    best = max(scores, key=lambda t: scores[t])
    best_values = {"threshold": best, "selection": round(scores[best], 4)}
    identity = {"average": members, "data": known[0]["identity"]["data"]}
    write_training(out, identity, best_values, finished=True)
    return scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = command_parser(__doc__)
    parser.add_argument("selectors", type=Path, nargs="+", help="folders of selectors")
    parser.add_argument("--tracks", type=Path, required=True, help="cache of the training split")

    def act(given: Namespace) -> None:
        scores = run_recipe(given.selectors, given.tracks, given.out)
        logger.info("selection score by threshold: %s", json.dumps(scores))

    execute(parser, arguments, act)


if __name__ == "__main__":
    main()
