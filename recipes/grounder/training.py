"""Trains the small GroundingDINO of the demo preset on MotionShapes, on one CPU core.

    python -m recipes.grounder --out runs/grounder --minutes 24 --seed 0

The first part of the training goes to cells without encoder and decoder (`cheap_losses`): backbone,
words and boxes are learned there, with several times as many captions a second. Then the whole
network is trained. The learning rate follows a cosine; the exported weights are an exponential
average. `--resume` continues from the last checkpoint, with fresh frames.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recipes.checkpoint import Training
from recipes.clock import Budget
from recipes.command import command_parser, execute, recipe_from, write_recipe
from recipes.export import write_network
from recipes.grounder.batches import GroundingBatch, Pool, captions_of, collate
from recipes.grounder.captions import (
    MAX_TOKENS,
    SPECIAL_TOKENS,
    Wordings,
    collect_wordings,
    vocabulary,
)
from recipes.grounder.evaluation import held_out, measures, predictions
from recipes.grounder.losses import GroundingWeights, LookHeads
from recipes.grounder.network import build_grounder, cheap_losses, full_losses, small_config
from recipes.loop import EXPORT, Loss, Plan, Report, fit
from recipes.schedule import Schedule
from recipes.tokenizer import word_tokenizer

if TYPE_CHECKING:
    from transformers import GroundingDinoForObjectDetection


@dataclass(frozen=True)
class GrounderRecipe:
    """How the grounder is trained.

    Attributes:
        budget: how long, without evaluations.
        seed: of the weights, frames and captions.
        image_size: side of the frames, pixels.
        rate: peak learning rate, for AdamW.
        cheap_share: share of the training, at the start, without encoder and decoder.
        cheap_mix: share of such steps later: they see most frames, and shapes are learned last.
        cheap_batch, full_batch: frames and captions a frame.
        first_frames: frames drawn before the first step.
        evaluation_minutes: between evaluations.
        evaluation_frames: frames of an evaluation.
        weights: of the losses.
    """

    budget: Budget = field(default=Budget(24.0))
    seed: int = 0
    image_size: int = 128
    rate: float = 1e-3
    cheap_share: float = 0.35
    cheap_mix: float = 0.4
    cheap_batch: tuple[int, int] = (12, 6)
    full_batch: tuple[int, int] = (6, 3)
    first_frames: int = 300
    evaluation_minutes: float = 3.4
    evaluation_frames: int = 150
    weights: GroundingWeights = field(default_factory=GroundingWeights)


GrounderTraining = Training["GroundingDinoForObjectDetection", LookHeads]


@dataclass(frozen=True)
class Words:
    """What captions are made of."""

    wordings: Wordings
    ids: dict[str, int]


def collect_words() -> Words:
    """All words of MotionShapes."""
    wordings = collect_wordings()
    return Words(wordings, vocabulary(wordings))


def new_training(recipe: GrounderRecipe) -> GrounderTraining:
    """Networks with first weights, their optimizer and generator."""
    torch.manual_seed(recipe.seed)
    config = small_config(recipe.image_size)
    model, average = build_grounder(config), build_grounder(config)
    average.load_state_dict(model.state_dict())
    heads = LookHeads(tuple(model.model.backbone.inner.conv_encoder.intermediate_channel_sizes))
    parameters = [*model.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.02)
    rng = np.random.default_rng(recipe.seed)
    return Training(model.train(), heads, optimizer, rng, average.eval())


def first_pool(recipe: GrounderRecipe, rng: np.random.Generator) -> Pool:
    """The frames that a training begins with."""
    pool = Pool(recipe.image_size)
    while len(pool.stills) < recipe.first_frames:
        pool.draw(rng)
    return pool


def train(recipe: GrounderRecipe, out: Path, *, resume: bool = False) -> GrounderTraining:
    """Runs the recipe; writes its log, checkpoint and export under `out`.

    Raises:
        WeightsError: the checkpoint cannot be read.
    """
    write_recipe(recipe, out)
    words, training = collect_words(), new_training(recipe)
    pool = first_pool(recipe, training.rng)

    def evaluate(_: Report) -> dict[str, float]:
        export(training.result, words, out / EXPORT)
        stills = held_out(recipe.evaluation_frames, recipe.image_size)
        return measures(predictions(training.result, stills, words.wordings, words.ids))

    plan = Plan(
        recipe.budget,
        Schedule(recipe.rate),
        checkpoint_minutes=2.0,
        evaluation_minutes=recipe.evaluation_minutes,
    )
    loss = partial(loss_of, training, recipe, words, pool)
    fit(training, plan, loss, evaluate, out, resume=resume)
    return training


def loss_of(
    training: GrounderTraining, recipe: GrounderRecipe, words: Words, pool: Pool, progress: float
) -> Loss:
    """Losses of a fresh batch, weighted and by name."""
    cheap = progress < recipe.cheap_share or training.rng.random() < recipe.cheap_mix
    size = recipe.cheap_batch if cheap else recipe.full_batch
    batch = next_batch(pool, size, words, training.rng)
    losses_of = cheap_losses if cheap else full_losses
    return Loss(losses_of(training.model, training.heads, batch, recipe.weights))


def next_batch(
    pool: Pool, size: tuple[int, int], words: Words, rng: np.random.Generator
) -> GroundingBatch:
    """Frames from the pool, after adding those of one fresh clip, with fresh captions."""
    frames, captions = size
    pool.draw(rng)
    stills = pool.sample(frames, rng)
    texts = [captions_of(s, captions, words.wordings, rng) for s in stills]
    return collate(stills, texts, words.ids)


def export(model: GroundingDinoForObjectDetection, words: Words, folder: Path) -> None:
    """Writes weights (float16), config, frame size and tokenizer for `load_grounding_dino`."""
    state: dict[str, Tensor] = {}
    known: set[int] = set()
    for name, value in model.state_dict().items():
        if value.data_ptr() not in known:  # shared heads are written once
            known.add(value.data_ptr())
            state[name.replace("backbone.inner.", "backbone.")] = value
    write_network(folder, model, state)
    size = model.config.backbone_config.image_size
    frame = {"size": {"shortest_edge": size, "longest_edge": 2 * size}}
    (folder / "preprocessor_config.json").write_text(json.dumps(frame) + "\n")
    word_tokenizer(words.ids, MAX_TOKENS, SPECIAL_TOKENS).save_pretrained(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""

    def act(given: Namespace) -> None:
        train(recipe_from(given, GrounderRecipe()), given.out, resume=given.resume)

    execute(command_parser(__doc__, GrounderRecipe()), arguments, act)
