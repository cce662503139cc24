"""From defaults and what is asked for to complete settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rvosbench.datasets.capabilities import corruption_of
from rvosbench.errors import ConfigurationError, UnknownNameError
from rvosbench.recipe import digest
from sola.config import TrainConfig, training_preset
from sola.reproduce.caches import needed_caches
from sola.reproduce.experiments import chosen_tables, needed_experiments
from sola.reproduce.run import describe
from sola.reproduce.settings import (
    Settings,
    SplitFrames,
    budgeted,
    changed,
    chosen_method,
    default_settings,
    possible,
    why_not,
)


def made(name: str = "demo", *changes: str) -> Settings:
    return changed(default_settings(name), changes)


def test_the_demo_trains_as_its_preset() -> None:
    settings = made()
    assert settings.splits == ("test", "valid")
    assert (settings.main_split, settings.validation) == ("test", SplitFrames("valid"))
    preset = training_preset("demo", "demo").training
    assert budgeted(settings.selector("full", 2).training, settings.expressions, 30_000) == replace(
        preset, seed=2
    )


def test_real_data_take_the_released_code_as_it_is() -> None:
    settings = made("mevis")
    assert (settings.preset, settings.splits, settings.validation) == (
        "released",
        ("valid_u",),
        None,
    )
    assert (settings.train_videos, settings.limit, settings.expressions) == (0, 0, 0)
    assert budgeted(settings.selector("full", 0).training, 0, 23_000) == TrainConfig()
    assert settings.selector("no-motion", 1).selector.motion_attention is False


def test_a_budget_of_expressions_is_the_same_on_every_machine() -> None:
    few = budgeted(TrainConfig(epochs=10), 600, 100)
    assert (few.epochs, few.epoch_size) == (10, 60)
    small = budgeted(TrainConfig(epochs=3), 600, 100)
    assert (small.epochs, small.epoch_size) == (6, 0)  # each pass over all 100


def test_settings_reach_tracks_methods_and_trainings() -> None:
    settings = made("demo", "prompts.points_per_side=5", "threshold=0.4", "train.batch_size=8")
    assert settings.sola.candidates.prompts.points_per_side == 5
    assert settings.sola.threshold == 0.4
    assert settings.selector("full", 0).training.batch_size == 8
    assert chosen_method("oracle", settings).settings == {"prompts.points_per_side": "5"}
    assert chosen_method("empty", settings).settings == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("treshold=1", "did you mean 'threshold'"),
        ("train.epoch=1", "did you mean 'epochs'"),
        ("threshold", "wanted key=value"),
    ],
)
def test_a_wrong_setting_is_told_before_any_work(change: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        made("demo", change)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="demo"):
        default_settings("demo", "dmeo")
    with pytest.raises(UnknownNameError, match="mevis"):
        default_settings("mevsi")


def test_what_cannot_be_made_says_why() -> None:
    demo, mevis = made("demo", "grounder="), made("mevis")
    assert "name a grounder" in why_not("no-background", demo)
    assert "name a grounder" in why_not("grounder-blur", demo)
    assert "single frame" in why_not("truth-grounder", mevis)
    assert "comes with the package" in why_not("shipped", mevis)
    assert {"sola", "grounder", "no-background"} <= set(
        possible(needed_experiments(chosen_tables([])), mevis)[0]
    )


def test_corrupted_frames_have_caches_of_their_own() -> None:
    settings = made().at(None, Path("cache"))
    caches = needed_caches(needed_experiments(chosen_tables(["A.1"])), settings)
    assert [str(settings.cache(p)) for p in caches] == [
        "cache/train",
        "cache/test",
        "cache/valid",
        "cache/test-motion_blur-5",
        "cache/test-gaussian_noise-5",
    ]
    one = settings.choice(caches[3])
    assert (corruption_of(one.dataset) or "").startswith("motion_blur:5")
    assert one.video_ids == settings.choice(caches[1]).video_ids
    same = replace(settings, splits=("train",))
    assert same.cache(same.train) != same.cache(SplitFrames("train"))


def test_a_plan_opens_nothing() -> None:
    found = describe(chosen_tables([]), made("mevis").at(None, None))
    assert len(found["trainings"]) == 7
    assert "one layer x 3 seeds: all expressions x 15 epochs" in found["trainings"][5]
    assert "valid_u: no-motion (sola) x 3 seeds" in found["evaluations"]
    assert len(found["left out"]) == 2


def test_where_it_runs_changes_no_number() -> None:
    settings = made()
    moved = replace(settings.at(Path("a"), Path("b")), device="cpu", workers=4, root=Path("c"))
    assert digest(settings.facts()) == digest(moved.facts())
