"""The recipe of the embedded motion encoder: its labels are those of the expressions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.clock import Budget
from recipes.selector.motion import (
    UNCLEAR,
    LabelledTracks,
    MotionRecipe,
    ProbedEncoder,
    evaluate,
    main,
    motion_loss,
    train,
    train_encoder,
)
from recipes.selector.shape_labels import MOMENTS, STRETCHES, labels, values
from rvosbench.demo.check.judge import does
from rvosbench.demo.dataset import MotionShapes
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES
from rvosbench.errors import DatasetError
from rvosbench.masks import MaskSequence
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import read_header, read_tracks, write_tracks
from sola.config import DEMO_SELECTOR
from sola.model import TrackSelector
from sola.network.motion import MotionEncoder
from sola.network.weights import EMBEDDED, initial_hash, load_initial

from .caches import make_cache

SCENES = [MotionShapes("valid").scene(f"valid-{number:04d}") for number in range(8)]
DEEDS = ("left", "up", "circle", "stop", "speed up", "grow", "left then up", "right then stop")


@pytest.mark.parametrize("deed", DEEDS)
def test_clear_labels_are_those_of_the_independent_judge(deed: str) -> None:
    for shape in (shape for scene in SCENES for shape in scene):
        label = labels(shape)[deed]
        if label is not None:
            assert label == does(deed, shape), (deed, shape.motion)


def test_a_shape_has_one_look_and_the_same_questions_are_asked_of_all() -> None:
    shapes = [shape for scene in SCENES for shape in scene]
    first = labels(shapes[0])
    for shape in shapes:
        said = labels(shape)
        assert list(said) == list(first)
        for names in (COLOURS, SHAPES, TEXTURES):
            assert sum(bool(said[f"is {name}"]) for name in names) == 1


def test_measures_are_places_sizes_and_ways() -> None:
    shape = SCENES[0][0]
    found = values(shape)
    assert found.shape == (3 * MOMENTS + STRETCHES + 1,)
    np.testing.assert_allclose(found[[0, MOMENTS - 1]], shape.x[[0, -1]], rtol=1e-6)
    whole = np.hypot(np.diff(shape.x), np.diff(shape.y)).sum()
    np.testing.assert_allclose(found[3 * MOMENTS : -1].sum(), whole, rtol=1e-5)


def made_up(count: int, seed: int) -> LabelledTracks:
    """Tracks that move along a channel, to the left or to the right; one label is never clear."""
    rng = np.random.default_rng(seed)
    right = rng.random(count) < 0.5
    path = np.linspace(-1, 1, 20) * np.where(right, 1, -1)[:, None]
    tokens = rng.normal(0, 0.1, (count, 20, DEMO_SELECTOR.object_token_dim))
    tokens[:, :, :16] += 2 * path[:, :, None]
    said = np.stack([right, ~right, np.full(count, UNCLEAR)], axis=1).astype(np.int64)
    ends = path[:, [0, -1]].astype(np.float32)
    return LabelledTracks(*map(torch.from_numpy, (tokens.astype(np.float32), said, ends)))


def test_it_learns_what_is_clear_and_repeats_itself(tmp_path: Path) -> None:
    recipe = MotionRecipe(Budget(steps=60), batch_size=16, dropout=0.0)
    models = [
        train_encoder(recipe, made_up(64, 0), tmp_path / name, lambda _: {})
        for name in ("one", "two")
    ]
    marks = evaluate(models[0], made_up(32, 1))
    assert marks["f1"] > 0.95
    assert marks["r2"] > 0.8
    for one, other in zip(*(p.encoder.state_dict().values() for p in models), strict=True):
        assert torch.equal(one, other)


def test_nothing_is_learnt_from_unclear_labels() -> None:
    tracks = made_up(16, 0)
    model = ProbedEncoder(MotionEncoder(DEMO_SELECTOR), DEMO_SELECTOR.lang_token_dim, 3, 2)
    motion_loss(model, tracks, 0.5).backward()  # type: ignore[no-untyped-call]
    gradient = model.head.weight.grad
    assert gradient is not None
    assert (gradient[2] == 0).all()
    assert (gradient[[0, 1, 3, 4]] != 0).any(1).all()


def test_a_cache_becomes_weights_that_a_selector_begins_with(tmp_path: Path) -> None:
    cache, out = make_cache(tmp_path / "cache", 11), tmp_path / "out"
    main(["--tracks", str(cache), "--out", str(out), "--steps", "3"])
    report = json.loads((out / "export" / "recipe.json").read_text())
    scenes = [MotionShapes("train").scene(f"train-{n:04d}") for n in (0, 10)]
    assert report["held_out"]["tracks"] == sum(map(len, scenes))  # every tenth, from the first
    assert report["recipe"]["budget"]["steps"] == 3
    assert report["weights"] == initial_hash(str(out / "export"))
    model = TrackSelector(DEMO_SELECTOR)
    load_initial(model, str(out / "export"))
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())


def test_caches_without_right_tracks_or_with_other_tokens_are_refused(tmp_path: Path) -> None:
    recipe = MotionRecipe(Budget(steps=1))
    with pytest.raises(DatasetError, match="8 channels, wanted 128: make it with the demo"):
        train(recipe, make_cache(tmp_path / "narrow", 2, dim=8), tmp_path / "out")
    data = MotionShapes("train")
    folder = make_cache(tmp_path / "wrong", 2)
    for video in data.video_ids()[:2]:
        path = TrackCache(folder).path(video)
        header, tracks = read_header(path), read_tracks(path)
        nothing = MaskSequence.from_arrays(np.zeros((20, 128, 128), bool))
        write_tracks(path, header, [replace(track, masks=nothing) for track in tracks])
    with pytest.raises(DatasetError, match="0 tracks cover an object of 1 videos"):
        train(recipe, folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_is_wrong_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--tracks", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert stop.value.code == 1
    assert "none" in capsys.readouterr().err.splitlines()[-1]


def test_the_embedded_encoder_is_that_of_its_recipe_file() -> None:
    report = json.loads((EMBEDDED / "recipe.json").read_text())
    assert report["weights"] == initial_hash("demo")
    model = TrackSelector(DEMO_SELECTOR)
    load_initial(model, "demo")
    size = sum(p.numel() for p in model.motion_encoder.parameters())
    assert size < 700_000
