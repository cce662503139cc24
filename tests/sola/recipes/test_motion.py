"""The recipe of the embedded motion encoder: its answers are those of the sentences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.demo.dataset import MotionShapes
from rvosbench.demo.judging import does
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES
from sola.beginning import EMBEDDED, begin
from sola.config import DEMO_SELECTOR
from sola.model import TrackSelector
from sola.motion import MotionEncoder
from sola.recipes.deeds import MOMENTS, STRETCHES, answers, measures
from sola.recipes.motion import UNCLEAR, Lesson, MotionRecipe, Pupil, examine, learn

SCENES = [MotionShapes("valid").scene(f"valid-{number:04d}") for number in range(8)]
DEEDS = ("left", "up", "circle", "stop", "speed up", "grow", "left then up", "right then stop")


@pytest.mark.parametrize("deed", DEEDS)
def test_clear_answers_are_those_of_the_independent_judge(deed: str) -> None:
    for shape in (shape for scene in SCENES for shape in scene):
        answer = answers(shape)[deed]
        if answer is not None:
            assert answer == does(deed, shape), (deed, shape.motion)


def test_a_shape_has_one_look_and_the_same_questions_are_asked_of_all() -> None:
    shapes = [shape for scene in SCENES for shape in scene]
    first = answers(shapes[0])
    for shape in shapes:
        said = answers(shape)
        assert list(said) == list(first)
        for names in (COLOURS, SHAPES, TEXTURES):
            assert sum(bool(said[f"is {name}"]) for name in names) == 1


def test_measures_are_places_sizes_and_ways() -> None:
    shape = SCENES[0][0]
    values = measures(shape)
    assert values.shape == (3 * MOMENTS + STRETCHES + 1,)
    np.testing.assert_allclose(values[[0, MOMENTS - 1]], shape.x[[0, -1]], rtol=1e-6)
    whole = np.hypot(np.diff(shape.x), np.diff(shape.y)).sum()
    np.testing.assert_allclose(values[3 * MOMENTS : -1].sum(), whole, rtol=1e-5)


def made_up(count: int, seed: int) -> Lesson:
    """Tracks that move along a channel, to the left or to the right; one answer is never clear."""
    rng = np.random.default_rng(seed)
    right = rng.random(count) < 0.5
    path = np.linspace(-1, 1, 20) * np.where(right, 1, -1)[:, None]
    tokens = rng.normal(0, 0.1, (count, 20, DEMO_SELECTOR.object_token_dim))
    tokens[:, :, :16] += 2 * path[:, :, None]
    said = np.stack([right, ~right, np.full(count, UNCLEAR)], axis=1).astype(np.int64)
    values = path[:, [0, -1]].astype(np.float32)
    return Lesson(*map(torch.from_numpy, (tokens.astype(np.float32), said, values)))


def test_it_learns_what_is_clear_and_repeats_itself() -> None:
    recipe = MotionRecipe(steps=60, batch_size=16, dropout=0.0)
    pupils = [learn(recipe, made_up(64, 0)) for _ in range(2)]
    marks = examine(pupils[0], made_up(32, 1))
    assert marks["f1"] > 0.95
    assert marks["r2"] > 0.8
    for one, other in zip(*(p.encoder.state_dict().values() for p in pupils), strict=True):
        assert torch.equal(one, other)


def test_nothing_is_learnt_from_unclear_answers() -> None:
    lesson = made_up(16, 0)
    pupil = Pupil(MotionEncoder(DEMO_SELECTOR), DEMO_SELECTOR.lang_token_dim, 3, 2)
    before = pupil.head.weight[2].detach().clone()
    recipe = MotionRecipe(steps=3, weight_decay=0.0)
    learn(recipe, lesson, pupil)
    assert torch.equal(pupil.head.weight[2], before)


def test_the_embedded_encoder_is_that_of_its_recipe_file() -> None:
    report = json.loads((Path(EMBEDDED) / "recipe.json").read_text())
    assert report["held_out"]["f1"] > 0.8
    model = TrackSelector(DEMO_SELECTOR)
    begin(model, "demo")
    size = sum(p.numel() for p in model.motion_encoder.parameters())
    assert size < 700_000
