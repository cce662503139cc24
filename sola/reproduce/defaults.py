"""From what somebody asks for to complete settings: the demo's budget, the dataset's splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rvosbench.config import parse_assignments
from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.plugins import dataset_spec
from sola.method import SPEC
from sola.reproduce.settings import Settings

SENTENCES_A_MINUTE = 20_000
"""What one core trains of the demo's selector: turns minutes into sentences, on every machine."""

DEMO_SENTENCES = 60_000
"""Of one training on the demo, as its preset: three to four minutes on one core."""

DEMO_TRAIN_VIDEOS = 2000
DEMO_SPLITS = ("test", "valid")
TRAINING = "train."
"""Keys of `--set` that begin so change the training, all others SOLA."""


@dataclass(frozen=True)
class Budget:
    """How much is done; None takes the default.

    Attributes:
        sentences: of a training.
        minutes: another way to say it.
        epochs: parts of a training.
        train_videos: that are learnt from; 0: all.
        limit: videos of an evaluated split; 0: all.
        seeds: of every network.
    """

    sentences: int | None = None
    minutes: float | None = None
    epochs: int | None = None
    train_videos: int | None = None
    limit: int = 0
    seeds: int = 3


def make_settings(
    data: tuple[str, Path | None, Sequence[str], str],
    preset: str | None,
    assignments: Sequence[str],
    budget: Budget,
) -> Settings:
    """Complete settings.

    Args:
        data: name, root folder, evaluated splits (none: the default) and split that is learnt from.
        preset: None: "demo" on the demo, "released" elsewhere.
        assignments: `key=value`.
        budget: how much.

    Raises:
        UsageError: an unknown name or key, or two ways to say how long.
    """
    name, root, splits, train_split = data
    demo = name == "demo"
    preset = preset or ("demo" if demo else "released")
    if preset not in SPEC.presets:
        raise UnknownNameError("preset", preset, SPEC.presets)
    changes = parse_assignments(assignments)
    training = [f"{k.removeprefix(TRAINING)}={v}" for k, v in changes.items() if _trains(k)]
    default = DEMO_SPLITS if demo else dataset_spec(name).splits[:1]
    made = Settings(
        dataset=name,
        preset=preset,
        splits=tuple(dict.fromkeys(splits or default)),
        root=root,
        train_split=train_split,
        train_videos=_first(budget.train_videos, DEMO_TRAIN_VIDEOS if demo else 0),
        limit=budget.limit,
        seeds=budget.seeds,
        sentences=_sentences(budget, demo),
        epochs=budget.epochs or 0,
        training=tuple(training),
        method={k: v for k, v in changes.items() if not _trains(k)},
    )
    _ = made.sola, made.selector("full", 0)  # a wrong setting is told now, not after the tracks
    return made


def _sentences(budget: Budget, demo: bool) -> int:
    if budget.sentences is not None and budget.minutes is not None:
        raise UsageError("--sentences and --minutes say the same thing: give one of them")
    if budget.minutes is not None:
        return max(1, round(budget.minutes * SENTENCES_A_MINUTE))
    return _first(budget.sentences, DEMO_SENTENCES if demo else 0)


def _trains(key: str) -> bool:
    return key.startswith(TRAINING)


def _first(value: int | None, default: int) -> int:
    return default if value is None else value
