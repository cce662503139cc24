"""The tracker's recipe: batches, losses, steps, checkpoints, and the weights it shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.appearance import NO_LOOK, VISIBLE
from recipes.export import write_network
from recipes.loop import take_step
from recipes.schedule import Schedule
from recipes.tracker.batches import BatchSpec, ClipBatch, sample_batch
from recipes.tracker.evaluation import evaluate_tracker, probe_pointers
from recipes.tracker.losses import (
    LossWeights,
    mask_ious,
    mask_losses,
    places,
    presence_loss,
    prompt_loss,
)
from recipes.tracker.network import tiny_config
from recipes.tracker.steps import (
    background_points,
    image_losses,
    inner_points,
    jittered_boxes,
    video_losses,
)
from recipes.tracker.training import HEADS_FILE, TrackerRecipe, loss_of, main, new_training
from rvosbench.errors import ConfigurationError
from rvosbench.models.sam2.decoding import PromptOutput
from rvosbench.models.sam2.tracker import load_sam2
from rvosbench.models.weights import EMBEDDED

SIZE = 64


def batch(clips: int = 2, frames: int = 3, seed: int = 0, prompt_frame: int = 1) -> ClipBatch:
    spec = BatchSpec(clips, frames, 3, SIZE)
    return sample_batch(spec, np.random.default_rng(seed), prompt_frame)


def test_batches_hold_visible_objects_of_their_clips() -> None:
    made = batch()
    n = len(made.owner)
    assert made.pixels.shape == (2, 3, 3, SIZE, SIZE)
    assert made.masks.shape == (n, 3, SIZE, SIZE)
    assert made.colours.shape == made.shapes.shape == (n,)
    assert (made.areas[:, made.prompt_frame] >= VISIBLE).all()
    assert set(made.owner.tolist()) == {0, 1}
    assert (made.masks <= made.covered[made.owner]).all()


def test_batches_are_functions_of_their_generator() -> None:
    first, again, other = batch(seed=3), batch(seed=3), batch(seed=4)
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.masks, again.masks)
    assert not torch.equal(first.pixels, other.pixels)


def test_looks_name_the_object_in_the_cell() -> None:
    made = sample_batch(BatchSpec(4, 3, 3, 128), np.random.default_rng(0), 1)
    frame = made.prompt_frame
    row = int(made.areas[:, frame].argmax())
    for cell, looks in zip((8, 16), made.looks, strict=True):
        assert looks.shape == (4, 3, 3, 128 // cell, 128 // cell)
        share = made.masks[row, frame].float().unfold(0, cell, cell).unfold(1, cell, cell)
        y, x = np.argwhere((share.mean((2, 3)) > 0.5).numpy())[0]
        named = looks[made.owner[row], frame, :, y, x].tolist()
        assert named == [
            looks_of[row].item() for looks_of in (made.colours, made.shapes, made.textures)
        ]
        assert (looks == NO_LOOK).any()


def test_prompts_lie_where_they_should() -> None:
    made, rng = batch(), np.random.default_rng(0)
    masks = made.masks[:, made.prompt_frame]
    for mask, (x, y) in zip(masks, inner_points(masks, rng).long().tolist(), strict=True):
        assert mask[y, x]
    for clip, (x, y) in enumerate(background_points(made, rng).long().tolist()):
        assert not made.covered[clip, made.prompt_frame, y, x]
    square = torch.zeros(1, SIZE, SIZE, dtype=torch.bool)
    square[0, 10:20, 30:50] = True
    assert jittered_boxes(square, rng, 0.0).tolist() == [[30, 10, 50, 20]]
    assert (jittered_boxes(square, rng, 0.1) - torch.tensor([30, 10, 50, 20])).abs().max() <= 2


def test_mask_losses_and_ious() -> None:
    target = torch.zeros(1, 16, 16, dtype=torch.bool)
    target[0, :8] = True
    right = torch.where(target, 20.0, -20.0)
    assert mask_losses(right, target, 5.0).item() < 0.01
    assert mask_losses(-right, target, 5.0).item() > 50
    assert mask_ious(right, target).item() == 1.0
    assert mask_ious(-right, target).item() == 0.0
    half = right.clone()
    half[0, 4:] = -20.0
    assert mask_ious(half, target).item() == 0.5
    nothing = torch.zeros_like(target)
    assert mask_losses(torch.full_like(right, -20.0), nothing, 5.0).item() < 0.01
    assert mask_ious(right, nothing).item() == 0.0


def test_every_candidate_is_trained() -> None:
    logits = torch.zeros(2, 1, 3, 4, 4, requires_grad=True)
    output = PromptOutput(logits, torch.full((2, 1, 3), 0.5), torch.zeros(2, 1))
    target = torch.zeros(2, 16, 16, dtype=torch.bool)
    target[0, :8] = True
    prompt_loss(output, target, LossWeights()).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad.abs().amax((3, 4)) > 0).all()


def test_slivers_say_nothing_about_presence() -> None:
    logits, areas = torch.tensor([3.0, -3.0, -9.0]), torch.tensor([100, 0, 5])
    sure = presence_loss(logits, areas)
    assert sure == presence_loss(torch.tensor([3.0, -3.0, 9.0]), areas)
    assert sure < presence_loss(-logits, areas)
    assert presence_loss(torch.zeros(1), torch.tensor([5])) == 0


def test_places_are_centres_and_sizes_in_frame_sides() -> None:
    masks = torch.zeros(2, 20, 20, dtype=torch.bool)
    masks[0, 4:8, 10:14] = True
    expected = torch.tensor([[12 / 20, 6 / 20, 4 / 20], [0, 0, 0]])
    torch.testing.assert_close(places(masks), expected)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_few_steps_on_one_batch_lower_the_loss(kind: str) -> None:
    state, weights = new_training(TrackerRecipe(image_size=SIZE)), LossWeights()
    made = batch(frames=1, prompt_frame=0) if kind == "image" else batch()
    step = image_losses if kind == "image" else video_losses
    totals = []
    for _ in range(8):
        losses = step(state.model, state.heads, made, weights, np.random.default_rng(0))
        total = torch.stack(list(losses.values())).sum()
        state.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        totals.append(total.item())
    assert min(totals[-2:]) < 0.8 * totals[0]


TINY = ["--image-size", "64", "--evaluation-clips", "2", "--probe-clips", "4"]


@pytest.mark.slow
def test_the_command_trains_logs_resumes_and_exports(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path), *TINY, "--seed", "1"]
    main([*arguments, "--steps", "1"])
    main([*arguments, "--steps", "3", "--resume"])
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(row["kind"], row["step"]) for row in rows] == [("eval", 1), ("eval", 3)]
    exported = load_sam2(tmp_path / "export")
    assert exported.image_size == 64
    scores = evaluate_tracker(exported.model, 64, clips=2)
    again = {name: rows[-1][name] for name in scores}
    assert scores == pytest.approx(again, abs=0.02)  # halves round
    assert {f"probe_{name}" for name in ("colour", "shape", "texture", "pixels")} <= rows[-1].keys()
    recipe = json.loads((tmp_path / "recipe.json").read_text())
    assert recipe["seed"] == 1
    assert recipe["budget"] == {"minutes": 0.0, "steps": 3}


def test_a_frozen_encoder_stays_as_it_was() -> None:
    recipe = TrackerRecipe(
        image_size=SIZE, frozen_encoder=True, image_share=0.0, weights=LossWeights(dense=0.0)
    )
    state = new_training(recipe)
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    losses = take_step(state, loss_of(state, recipe, 0.5), Schedule(1e-3), 0.5)
    assert "dense" not in losses
    changed = {n for n, value in state.model.state_dict().items() if not before[n].equal(value)}
    parts = {name.split(".")[0] for name in changed}
    assert {"memory_attention", "object_pointer_proj"} <= parts
    assert "vision_encoder" not in parts
    assert not [name for name in changed if "conv_s" in name]


def test_a_frozen_encoder_of_random_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "out"), "--frozen-encoder"])
    assert not (tmp_path / "out").exists()


def test_a_later_stage_takes_the_heads_that_lie_beside_the_weights(tmp_path: Path) -> None:
    first = new_training(TrackerRecipe(image_size=SIZE, seed=1))
    write_network(tmp_path / "export", first.model)
    torch.save(first.heads.state_dict(), tmp_path / HEADS_FILE)
    later = new_training(TrackerRecipe(image_size=SIZE, seed=2, init=str(tmp_path / "export")))
    assert torch.equal(later.heads.pointer.weight, first.heads.pointer.weight)


def test_evaluation_repeats_itself() -> None:
    model = new_training(TrackerRecipe(image_size=SIZE)).model
    scores = evaluate_tracker(model, SIZE, clips=2, frames=3)
    assert scores == evaluate_tracker(model, SIZE, clips=2, frames=3)
    assert {"track", "copy", "box", "point", "present", "background"} <= scores.keys()
    other = evaluate_tracker(model, SIZE, clips=2, frames=3, seed=1)
    assert other["copy"] != scores["copy"]
    assert 0.1 < scores["copy"] < 1  # shapes move, and not far in three frames


def test_probes_read_what_a_pointer_tells_and_no_more() -> None:
    """Colours come through a random network; what it makes of places is worse than a guess."""
    model = new_training(TrackerRecipe(image_size=SIZE)).model
    scores = probe_pointers(model, SIZE, clips=(24, 24), frame=1)
    assert scores == probe_pointers(model, SIZE, clips=(24, 24), frame=1)
    shipped = probe_pointers(load_sam2(EMBEDDED / "sam2").model, 128, clips=(24, 24), frame=1)
    assert shipped["probe_colour"] > 0.8 > scores["probe_colour"]
    assert shipped["probe_pixels"] < 16
    assert shipped["probe_x"] > max(0.5, scores["probe_x"])


def test_the_shipped_weights_track_and_answer_prompts() -> None:
    model = load_sam2(EMBEDDED / "sam2").model
    scores = evaluate_tracker(model, 128, clips=4, frames=8)
    assert scores["track"] > 0.65 > scores["copy"]
    assert scores["box"] > 0.65
    assert scores["point"] > 0.55
    assert scores["background"] < 0.5


@pytest.mark.parametrize(("size", "dim"), [(100, 128), (0, 128), (128, 64), (128, 100)])
def test_impossible_sizes_are_refused(size: int, dim: int) -> None:
    with pytest.raises(ConfigurationError, match="multiple of"):
        tiny_config(size, dim)
