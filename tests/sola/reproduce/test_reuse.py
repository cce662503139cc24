"""What decides whether old results are taken: nothing stale may reach the paper's tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvosbench.recipe import Recipe
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import read_header, read_tracks, write_tracks
from rvosbench.tracks.candidates import wanted_header
from sola.config import DEMO_SELECTOR
from sola.network.weights import save_selector
from sola.reproduce.caches import is_finished, make_cache, remember
from sola.reproduce.evaluations import Evaluate, Evaluation
from sola.reproduce.settings import Settings, SplitFrames, changed
from sola.reproduce.trainings import Train, Trained, make_units, planned_training

from ...recipes.selector import caches
from ..cases import make_selector
from ..learnable import make_data
from .making import settings

FRAMES = SplitFrames("train")
RUN = Evaluation("sola", "train")
SHIPPED = Evaluation("shipped", "train")


def spoil(path: Path) -> None:
    """The tracks of one video are rebuilt: other tokens, the same video."""
    header, tracks = read_header(path), read_tracks(path)
    write_tracks(path, header, [replace(t, tokens=np.asarray(t.tokens) + 1) for t in tracks])


@pytest.fixture
def asked(tmp_path: Path) -> Settings:
    """Two videos of the demo's training split, with tracks and a stamp."""
    made = changed(settings(splits=("train",), limit=2), ["grounder="])
    made = replace(made, out=tmp_path, tracks=tmp_path / "tracks")
    cache = TrackCache(caches.make_cache(made.cache(FRAMES), 2, with_grid=True))
    wanted = wanted_header(made.sola.candidates)
    for header in cache.headers():  # as if the demo's tracker had made them
        as_wanted = replace(header, tracker=wanted.tracker, prompts=wanted.prompts)
        cache.write(as_wanted, cache.tracks(header.video))
    remember(FRAMES, made)
    return made


def first_file(asked: Settings) -> Path:
    return TrackCache(asked.cache(FRAMES)).path("train-0000")


def test_a_cache_that_is_as_it_was_is_not_opened(asked: Settings) -> None:
    seen: list[tuple[str, bool]] = []
    make_cache(FRAMES, asked, lambda unit, reused: seen.append((unit.key, reused)))
    assert seen == [("train-0000", True), ("train-0001", True)]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: spoil(first_file(s)),
        lambda s: first_file(s).unlink(),
        lambda s: (s.out / "caches" / "train.json").write_text("{"),
    ],
    ids=["other tracks", "a video less", "a broken stamp"],
)
def test_a_cache_that_changed_is_looked_into(
    asked: Settings, change: Callable[[Settings], object]
) -> None:
    assert is_finished(FRAMES, asked)
    change(asked)
    assert not is_finished(FRAMES, asked)


def test_a_cache_that_others_want_is_looked_into(asked: Settings) -> None:
    assert not is_finished(FRAMES, changed(asked, ["grounder=", "prompts.points_per_side=3"]))
    assert not is_finished(FRAMES, changed(asked, ["grounder=", "dtype=float16"]))
    assert not is_finished(FRAMES, replace(asked, limit=1))
    assert is_finished(FRAMES, changed(asked, ["grounder=", "threshold=0.9"]))


def evaluations(asked: Settings, weights: int = 0) -> Evaluate:
    """The job, with a selector of those weights."""
    folder = asked.out / f"selector-{weights}"
    save_selector(folder, make_selector(DEMO_SELECTOR, seed=weights))
    return Evaluate(asked, {("full", 0): Trained(folder, 1, {}, {}, 0.0)}, print)


def names(new: Recipe, old: Recipe) -> set[str]:
    """Of the facts that differ."""
    return {line.split()[0] for line in new.differences(old)}


def test_a_retrained_selector_is_evaluated_again(asked: Settings) -> None:
    before, after = (evaluations(asked, weights).recipe(RUN) for weights in (0, 1))
    assert before.digest != after.digest
    assert names(after, before) == {"identity.selector"}
    moved = asked.out / "moved"
    (asked.out / "selector-0").rename(moved)
    job = evaluations(asked)
    job = replace(job, selectors={("full", 0): Trained(moved, 1, {}, {}, 0.0)})
    assert job.recipe(RUN).digest == before.digest


def test_rebuilt_tracks_are_evaluated_again(asked: Settings) -> None:
    before = evaluations(asked).recipe(RUN), evaluations(asked).recipe(SHIPPED)
    spoil(first_file(asked))
    for old, evaluation in zip(before, (RUN, SHIPPED), strict=True):
        new = evaluations(asked).recipe(evaluation)
        assert names(new, old) == {"identity.tracks"}


def test_other_videos_and_settings_are_evaluated_again(asked: Settings) -> None:
    before = evaluations(asked).recipe(RUN)
    fewer = evaluations(replace(asked, limit=1)).recipe(RUN)
    assert names(fewer, before) == {"data", "identity.tracks"}
    other = evaluations(changed(asked, ["grounder=", "threshold=0.9"])).recipe(RUN)
    assert names(other, before) == {"method.configuration.threshold"}
    empty = Evaluation("empty", "train")
    kept = evaluations(asked).recipe(empty)
    spoil(first_file(asked))
    assert evaluations(asked).recipe(empty) == kept  # it sees no tracks


def boxes(asked: Settings, network: str, source: str) -> bool:
    """Whether the epoch is chosen among background tracks too, where validation has `source`."""
    data = make_data(2, 2)
    valid = [replace(s, sources=(source,) * len(s.overlap)) for s in data.valid]
    return planned_training(
        network, 0, asked, replace(data, valid=valid)
    ).training.background_inference


def test_without_background_the_epoch_is_chosen_among_box_tracks(asked: Settings) -> None:
    assert boxes(asked, "no-background", "box") is False
    assert boxes(asked, "no-background", "grid") is True  # there are no others
    assert boxes(asked, "full", "box") is True


def test_other_data_weights_or_settings_are_trained_again(asked: Settings) -> None:
    data = make_data(2, 2)

    def recipe(data_is: str, network: str = "full", seed: int = 0) -> Recipe:
        job = Train(asked, print)
        job.__dict__["data"] = replace(data, facts={"tracks": [data_is]})
        return job.recipe(network, seed)

    assert recipe("a") == recipe("a")
    assert recipe("b").differences(recipe("a")) == ["data.tracks is ['a'], wanted ['b']"]
    assert len({recipe("a", n, s).digest for n in ("full", "one-layer") for s in (0, 1)}) == 4


class Copy:
    """A job that writes its key."""

    def __call__(self, key: str, output: Path) -> None:
        output.write_text(json.dumps(key))


def test_a_stage_makes_what_is_missing_or_was_made_otherwise(tmp_path: Path) -> None:
    told: list[str] = []
    asked = replace(settings(), out=tmp_path)

    def stage(**facts: int) -> dict[str, Path]:
        recipes = {key: Recipe({"fact": fact}) for key, fact in facts.items()}
        return make_units("things", recipes, Copy(), asked, told.append)

    made = stage(a=1, b=1)
    assert [json.loads(path.read_text()) for path in made.values()] == ["a", "b"]
    stage(a=1, b=2)
    assert told == [
        *("1/2 things: a", "2/2 things: b"),
        *("1/2 things: a (was there)", "2/2 things: b"),
    ]
