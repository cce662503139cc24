"""Trains the small SAM2 of the demo preset on MotionShapes, on one CPU core in about an hour.

    python -m recipes.tracker --out runs/tracker --minutes 60 --seed 0

The first tenth of the training goes to single frames (points, boxes, masks); then most steps
propagate through clips of four frames, late also of 8 and 16. The learning rate follows a cosine;
the exported weights are an exponential average. `--resume` continues from the last checkpoint.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from recipes.checkpoint import Training
from recipes.clock import Budget
from recipes.command import command_parser, execute, recipe_from, write_recipe
from recipes.export import write_network
from recipes.loop import EXPORT, Loss, Plan, Report, fit
from recipes.schedule import Schedule
from recipes.tracker.batches import BatchSpec, sample_batch
from recipes.tracker.evaluation import evaluate_tracker, probe_pointers
from recipes.tracker.losses import AuxiliaryHeads, LossWeights
from recipes.tracker.network import tiny_config
from recipes.tracker.steps import image_losses, video_losses
from rvosbench.models.sam2.checkpoint import build_sam2, load_network

if TYPE_CHECKING:
    from transformers import Sam2VideoModel

HEADS_FILE = "heads.pt"
LENGTHS = ((4, 4), (2, 8), (1, 16))  # (clips, frames) of batches that cost the same


@dataclass(frozen=True)
class TrackerRecipe:
    """How the tracker is trained.

    Attributes:
        budget: how long, without evaluations.
        seed: of the weights and the clips.
        image_size: side of the frames, pixels.
        dim: hidden size of the network.
        rate: peak learning rate, for AdamW.
        image_share: share of the training, at the start, on single frames.
        image_mix: share of such steps later: more different looks a minute than clips have.
        long_share: share of the training, at the end, that mixes in clips of 8 and 16 frames.
        evaluation_clips: clips of an evaluation, every six minutes.
        probe_clips: clips that linear probes are judged on, every third evaluation.
        init: folder of an earlier export to start from; empty: random weights. Auxiliary heads that
            lie beside it are taken too.
        frozen_encoder: leave the image encoder as it is: steps take half the time.
        weights: of the losses.
    """

    budget: Budget = field(default=Budget(60.0))
    seed: int = 0
    image_size: int = 128
    dim: int = 128
    rate: float = 1e-3
    image_share: float = 0.1
    image_mix: float = 0.3
    long_share: float = 0.4
    evaluation_clips: int = 24
    probe_clips: int = 60
    init: str = ""
    frozen_encoder: bool = False
    weights: LossWeights = field(default_factory=LossWeights)


TrackerTraining = Training["Sam2VideoModel", AuxiliaryHeads]


def new_training(recipe: TrackerRecipe) -> TrackerTraining:
    """Networks with fresh weights, their optimizer and generator."""
    torch.manual_seed(recipe.seed)
    config = tiny_config(recipe.image_size, recipe.dim)
    model, average = build_sam2(config), build_sam2(config)
    if recipe.init:
        model.load_state_dict(load_network(recipe.init).state_dict())
    else:
        initialise(model)
    average.load_state_dict(model.state_dict())
    heads = AuxiliaryHeads(recipe.dim)
    if recipe.init and (beside := Path(recipe.init).parent / HEADS_FILE).exists():
        heads.load_state_dict(torch.load(beside, weights_only=True))
    if recipe.frozen_encoder:
        freeze_encoder(model)
    parameters = [p for p in (*model.parameters(), *heads.parameters()) if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.02)
    return Training(model, heads, optimizer, np.random.default_rng(recipe.seed), average)


def freeze_encoder(model: Sam2VideoModel) -> None:
    """Takes all that `encode_frames` runs out of training, in place."""
    decoder = model.mask_decoder
    for module in (model.vision_encoder, decoder.conv_s0, decoder.conv_s1):
        module.requires_grad_(False)


def initialise(model: Sam2VideoModel) -> None:
    """Weights of scale 1/sqrt(fan-in): transformers' default (0.02) starts too quiet here."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            module.reset_parameters()
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.5)
    for name, parameter in model.named_parameters():
        if name.endswith(".scale"):  # layer scale of the memory fuser
            nn.init.constant_(parameter, 0.1)
        elif "memory" in name and parameter.dim() >= 3 and "." not in name:
            nn.init.normal_(parameter, std=0.02)
    # Points and the image share one code of places in the original; transformers keeps two copies.
    shared = model.shared_image_embedding.positional_embedding
    model.prompt_encoder.shared_embedding.positional_embedding.copy_(shared)
    # Objects count as present until training says otherwise, else absent frames teach nothing.
    nn.init.constant_(model.mask_decoder.pred_obj_score_head.proj_out.bias, 2.0)


def train(recipe: TrackerRecipe, out: Path, *, resume: bool = False) -> TrackerTraining:
    """Runs the recipe; writes its log, checkpoint, heads and export under `out`.

    Raises:
        WeightsError: the weights to start from, or the checkpoint, cannot be read.
    """
    write_recipe(recipe, out)
    training = new_training(recipe)
    plan = Plan(recipe.budget, Schedule(recipe.rate), 25, evaluation_minutes=6.0)

    def evaluate(report: Report) -> dict[str, float]:
        model = training.result
        write_network(out / EXPORT, model)
        torch.save(training.heads.state_dict(), out / HEADS_FILE)
        scores = evaluate_tracker(model, recipe.image_size, recipe.evaluation_clips)
        if report.last or report.number % 3 == 0:
            clips = (recipe.probe_clips * 8 // 3, recipe.probe_clips)
            scores |= probe_pointers(model, recipe.image_size, clips)
        return scores

    fit(training, plan, lambda at: loss_of(training, recipe, at), evaluate, out, resume=resume)
    return training


def loss_of(training: TrackerTraining, recipe: TrackerRecipe, progress: float) -> Loss:
    """Losses of fresh frames or clips, weighted and by name."""
    rng, size = training.rng, recipe.image_size
    if progress < recipe.image_share or rng.random() < recipe.image_mix:
        batch = sample_batch(BatchSpec(12, 1, 3, size), rng)
        return Loss(image_losses(training.model, training.heads, batch, recipe.weights, rng))
    late = progress > 1 - recipe.long_share
    clips, frames = LENGTHS[int(rng.integers(len(LENGTHS))) if late else 0]
    spec = BatchSpec(clips, frames, 3, size)
    start = 0 if rng.random() < 0.75 else int(rng.integers(spec.frames))
    batch = sample_batch(spec, rng, start)
    return Loss(video_losses(training.model, training.heads, batch, recipe.weights, rng))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = command_parser(__doc__, TrackerRecipe())

    def act(given: Namespace) -> None:
        recipe = recipe_from(given, TrackerRecipe())
        if recipe.frozen_encoder:
            if not recipe.init:
                parser.error("--frozen-encoder would keep random weights: give --init")
            recipe = replace(recipe, weights=replace(recipe.weights, dense=0.0))
        train(recipe, given.out, resume=given.resume)

    execute(parser, arguments, act)
