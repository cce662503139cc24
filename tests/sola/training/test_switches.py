"""What can be switched: precision, background tracks, labels, parts of the network and loss."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.errors import ConfigurationError, DatasetError
from sola.config import SelectorConfig, TrainConfig
from sola.data.batches import collate, make_item
from sola.data.samples import TrackSet
from sola.data.track_data import OpenOptions, TrainingData, open_training_data, prepared
from sola.method import SPEC, SolaConfig, alignment_scores
from sola.network.losses import training_loss
from sola.network.weights import load_selector
from sola.training.loop import train
from sola.training.validation import measure_masks

from ...toys import ToyDataset
from ..caches import DIM, ENCODER, WIDTH, make_cache, toy_tracks
from ..cases import make_selector
from ..learnable import FAST, TINY, make_data

SHAPE = dataclasses.replace(TINY, object_token_dim=DIM, lang_token_dim=WIDTH)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    sets = [TrackSet(make_cache(tmp_path_factory.mktemp("cache"), boxes=True), ToyDataset())]
    return open_training_data(sets, sets, OpenOptions(ENCODER))


@pytest.mark.parametrize(
    ("config", "learnt", "chosen_from"),
    [
        (TrainConfig(), 6, 5),
        (TrainConfig(box_training=True), 7, 5),
        (TrainConfig(background_training=False), 2, 5),
        (TrainConfig(background_inference=False), 6, 1),
    ],
)
def test_which_tracks_are_seen(
    data: TrainingData, config: TrainConfig, learnt: int, chosen_from: int
) -> None:
    seen = prepared(data, config.train_sources, config.valid_sources)
    assert {len(s) for s in seen.train} == {learnt}
    assert {len(s) for s in seen.valid} == {chosen_from}


def test_a_selector_learns_the_toy_and_its_masks_are_scored(
    data: TrainingData, tmp_path: Path
) -> None:
    config = dataclasses.replace(FAST, epochs=60, batch_size=4, label_target="union", jf_every=20)
    best = train(data, SHAPE, config, tmp_path)
    assert best["jf"] > 0.95
    assert best["jf"] == pytest.approx((best["j"] + best["f"]) / 2)
    again = measure_masks(load_selector(tmp_path), data.valid, data.texts, config)
    assert again["jf"] == best["jf"]
    assert measure_masks(load_selector(tmp_path), make_data(2, 0).train, {}, config) == {}


def test_truth_tracks_are_needed_without_background(tmp_path: Path) -> None:
    sets = [TrackSet(make_cache(tmp_path / "cache", truth=False), ToyDataset())]
    plain = open_training_data(sets, (), OpenOptions(ENCODER))
    config = dataclasses.replace(FAST, background_training=False)
    with pytest.raises(DatasetError, match="tracks build --truth"):
        train(plain, SHAPE, config, tmp_path / "out")


def test_box_tracks_are_needed_to_validate_without_background(tmp_path: Path) -> None:
    sets = [TrackSet(make_cache(tmp_path / "cache"), ToyDataset())]
    plain = open_training_data(sets, sets, OpenOptions(ENCODER))
    config = dataclasses.replace(FAST, background_inference=False)
    with pytest.raises(ConfigurationError, match="no box tracks: background_inference=false"):
        train(plain, SHAPE, config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bfloat16_is_close_to_float32() -> None:
    data, model = make_data(4, 0), make_selector(TINY)
    items = [make_item(s, range(4), data.texts, 0.5) for s in data.train]
    batch = collate(items)
    full = float(training_loss(model, batch, FAST.loss).total.detach())
    half = training_loss(model, batch, FAST.loss, "bfloat16")
    assert half.total.dtype == torch.float32
    assert 0 < abs(float(half.total.detach()) - full) < 0.05 * full
    half.total.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in model.parameters())


@pytest.mark.parametrize(
    "change",
    [
        {"inter_object_attention": False},
        {"motion_attention": False},
        {"n_layers": 1},
        {"n_layers": 3},
        {"variant": "paper"},
    ],
)
def test_ablated_networks_train(change: dict[str, object], tmp_path: Path) -> None:
    shape = dataclasses.replace(TINY, **change)  # type: ignore[arg-type]
    train(make_data(6, 2), shape, dataclasses.replace(FAST, epochs=1), tmp_path)
    assert load_selector(tmp_path).config == shape


def test_without_the_alignment_loss_its_value_is_not_learnt_from() -> None:
    data, model = make_data(2, 0), make_selector(TINY)
    batch = collate([make_item(s, range(4), data.texts, 0.5) for s in data.train])
    loss = training_loss(model, batch, dataclasses.replace(FAST.loss, alignment_weight=0.0))
    total, bce, alignment = (float(part.detach()) for part in loss)
    assert total == pytest.approx(bce)
    assert alignment > 0


def test_inference_without_background_keeps_box_tracks() -> None:
    assert SolaConfig(grounder="g").sources == ("grid", "box")
    assert SolaConfig(background_inference=False).sources == ("box",)
    with pytest.raises(ConfigurationError, match="box tracks only, but there are none"):
        SPEC.build(SolaConfig(background_inference=False, grounder=""), "cpu")


def test_removing_background_changes_scores() -> None:
    tracks = toy_tracks(boxes=True, truth=False)
    model = make_selector(SelectorConfig(DIM, WIDTH, n_heads=2, n_groups=2, n_negative=2))
    words = np.random.default_rng(0).normal(size=(3, WIDTH)).astype(np.float32)
    together = alignment_scores(model, tracks, words)
    boxes = alignment_scores(model, [t for t in tracks if t.source == "box"], words)
    assert abs(together[4] - boxes[0]) > 1e-6
