"""The stage that teaches the image encoder looks: what it measures, and that it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.appearance import PARTS
from recipes.export import write_network
from recipes.tracker.batches import BatchSpec, ClipBatch, sample_batch
from recipes.tracker.looks import SHARES, EncoderHeads, encoder_loss, main, pooled_features
from recipes.tracker.network import tiny_config
from rvosbench.models.sam2.checkpoint import build_sam2, load_network
from rvosbench.models.sam2.decoding import FrameFeatures, encode_frames

SIDE = 128


@pytest.fixture(scope="module")
def batch() -> ClipBatch:
    return sample_batch(BatchSpec(3, 1, 4, SIDE), np.random.default_rng(0))


def test_an_object_is_the_mean_of_its_cells(batch: ClipBatch) -> None:
    """A map that holds the column of every cell gives the centre of mass of each mask."""
    columns = torch.arange(16.0).expand(3, 1, 16, 16)
    found = pooled_features(columns, batch)[:, 0]
    masks = batch.masks[:, 0].float()
    cells = torch.arange(SIDE) // 8
    wanted = (masks.sum(1) * cells).sum(-1) / masks.sum((1, 2))
    torch.testing.assert_close(found, wanted)


def test_losses_fall_when_the_heads_are_right(batch: ClipBatch) -> None:
    """Maps that spell out shape and nothing else: a head that reads them names every shape."""
    level = torch.zeros(3, 128, 8, 8)
    looks = batch.looks[1][:, 0, 1]
    for shape in range(5):
        level[:, shape] = (looks == shape).float()
    fine = torch.zeros(3, 32, 16, 16)
    features = FrameFeatures((torch.zeros(3, 32, 32, 32), fine, level))
    heads = EncoderHeads(128)
    for parameter in heads.parameters():
        torch.nn.init.zeros_(parameter)
    blind = encoder_loss(heads, features, batch).parts["looks"]
    for head in (heads.cells[1], heads.objects[1]):
        weight = head.get_parameter("weight").data
        for shape in range(5):
            weight[9 + shape, shape] = 20.0
    seeing, right = encoder_loss(heads, features, batch)
    assert right["coarse_cell"] == 1.0
    assert seeing["looks"].item() < blind.item()


def test_the_command_goes_on_from_weights_and_changes_the_encoder_only(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = build_sam2(tiny_config(64))
    write_network(tmp_path / "init", before)
    run = ["--init", str(tmp_path / "init"), "--out", str(tmp_path / "out"), "--steps", "2"]
    main(run)
    old = load_network(tmp_path / "init").state_dict()
    new = load_network(tmp_path / "out" / "export").state_dict()
    changed = {name.split(".")[0] for name in old if not torch.equal(old[name], new[name])}
    assert "vision_encoder" in changed
    assert changed <= {"vision_encoder", "mask_decoder"}
    others = [n for n in old if n.startswith("mask_decoder") and "conv_s" not in n]
    assert all(torch.equal(old[name], new[name]) for name in others)


def test_features_of_the_network_fit_the_heads(batch: ClipBatch) -> None:
    model = build_sam2(tiny_config(SIDE))
    features = encode_frames(model, batch.pixels.flatten(0, 1))
    loss, right = encoder_loss(EncoderHeads(128), features, batch)
    chance = 2 * 1.5 * sum(share * np.log(n) for share, n in zip(SHARES, PARTS, strict=True))
    assert loss["looks"].item() == pytest.approx(chance, rel=0.3)  # nothing is known yet
    assert set(right) == {"fine_cell", "fine_object", "coarse_cell", "coarse_object"}
