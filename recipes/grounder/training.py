"""Trains the small GroundingDINO of the demo preset on MotionShapes, on one CPU core.

    python -m recipes.grounder --out runs/grounder --minutes 24 --seed 0

The first part of the time trains cells without encoder and decoder (`cheap_losses`): backbone,
words and boxes are learnt there, with several times as many captions a second. Then the whole
network is trained. The learning rate follows a cosine of the processor time, so that a busy machine
changes nothing but the wait; the exported weights are an exponential average. `--resume` continues
from the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recipes.grounder.batches import GroundingBatch, Pool, captions_of, collate
from recipes.grounder.captions import Wordings, build_tokenizer, collect_wordings, vocabulary
from recipes.grounder.evaluation import answers, held_out, measures
from recipes.grounder.losses import GroundingWeights, LookHeads
from recipes.grounder.network import build_grounder, cheap_losses, full_losses, small_config
from recipes.loop import load_checkpoint, log, optimise, save_checkpoint, schedule, set_rate

if TYPE_CHECKING:
    from transformers import GroundingDinoForObjectDetection


@dataclass(frozen=True)
class GrounderRecipe:
    """How the grounder is trained.

    Attributes:
        minutes: processor time, without evaluations; the wall clock would punish a busy machine.
        seed: of the weights, frames and captions.
        image_size: side of the frames, pixels.
        learning_rate: its peak, for AdamW.
        warm_up: steps of linear warm-up.
        cheap_share: share of the time, at the start, without encoder and decoder.
        cheap_mix: share of such steps later: they see most frames, and shapes are learnt last.
        cheap_batch, full_batch: frames and captions a frame.
        first_frames: frames drawn before the first step.
        average: decay of the exponential average of the weights.
        checkpoint_minutes: between checkpoints.
        evaluation_minutes: between evaluations.
        evaluation_frames: frames of an evaluation.
    """

    minutes: float = 24.0
    seed: int = 0
    image_size: int = 128
    learning_rate: float = 1e-3
    warm_up: int = 100
    cheap_share: float = 0.35
    cheap_mix: float = 0.4
    cheap_batch: tuple[int, int] = (12, 6)
    full_batch: tuple[int, int] = (6, 3)
    first_frames: int = 300
    average: float = 0.998
    checkpoint_minutes: float = 2.0
    evaluation_minutes: float = 3.4
    evaluation_frames: int = 150
    weights: GroundingWeights = field(default_factory=GroundingWeights)


@dataclass
class TrainingState:
    """All that changes while training, and all that a checkpoint holds (beside the frames)."""

    model: GroundingDinoForObjectDetection
    heads: LookHeads
    average: GroundingDinoForObjectDetection
    optimiser: torch.optim.Optimizer
    rng: np.random.Generator
    pool: Pool
    step: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Words:
    """What captions are made of."""

    wordings: Wordings
    ids: dict[str, int]


def collect_words() -> Words:
    """All words of MotionShapes."""
    wordings = collect_wordings()
    return Words(wordings, vocabulary(wordings))


def new_state(recipe: GrounderRecipe) -> TrainingState:
    """Networks with first weights, their optimiser and generator, and some frames."""
    torch.manual_seed(recipe.seed)
    config = small_config(recipe.image_size)
    model, average = build_grounder(config), build_grounder(config)
    average.load_state_dict(model.state_dict())
    heads = LookHeads(tuple(model.model.backbone.inner.conv_encoder.intermediate_channel_sizes))
    parameters = [*model.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.02
    )
    rng = np.random.default_rng(recipe.seed)
    pool = Pool(recipe.image_size)
    while len(pool.stills) < recipe.first_frames:
        pool.draw(rng)
    return TrainingState(model.train(), heads, average.eval(), optimiser, rng, pool)


def train(recipe: GrounderRecipe, out: Path, *, resume: bool = False) -> TrainingState:
    """Runs the recipe; writes `log.jsonl`, `checkpoint.pt` and the export under `out`."""
    out.mkdir(parents=True, exist_ok=True)
    words, state = collect_words(), new_state(recipe)
    if resume and (out / "checkpoint.pt").exists():
        load_checkpoint(state, out / "checkpoint.pt")
    saved = evaluated = state.seconds
    last = time.process_time()
    while state.seconds < recipe.minutes * 60:
        losses = training_step(state, recipe, words)
        now = time.process_time()
        state.seconds, last = state.seconds + now - last, now
        if state.step % 50 == 0:
            log(out, state, "train", losses)
        if state.seconds - saved > recipe.checkpoint_minutes * 60:
            saved = state.seconds
            save_checkpoint(state, out / "checkpoint.pt")
        if state.seconds - evaluated > recipe.evaluation_minutes * 60:
            evaluated = state.seconds
            report(state, recipe, words, out)
            last = time.process_time()
    save_checkpoint(state, out / "checkpoint.pt")
    report(state, recipe, words, out)
    return state


def training_step(state: TrainingState, recipe: GrounderRecipe, words: Words) -> dict[str, float]:
    """One optimiser step; returns the weighted losses by name."""
    progress = min(1.0, state.seconds / (recipe.minutes * 60))
    set_rate(state, recipe.learning_rate * schedule(progress, state.step, recipe.warm_up))
    cheap = progress < recipe.cheap_share or state.rng.random() < recipe.cheap_mix
    batch = next_batch(state, recipe.cheap_batch if cheap else recipe.full_batch, words)
    losses_of = cheap_losses if cheap else full_losses
    losses = losses_of(state.model, state.heads, batch, recipe.weights)
    return optimise(state, losses, recipe.average)


def next_batch(state: TrainingState, size: tuple[int, int], words: Words) -> GroundingBatch:
    """Frames from the pool, after adding those of one fresh clip, with fresh captions."""
    frames, captions = size
    state.pool.draw(state.rng)
    stills = state.pool.sample(frames, state.rng)
    texts = [captions_of(s, captions, words.wordings, state.rng) for s in stills]
    return collate(stills, texts, words.ids)


def report(state: TrainingState, recipe: GrounderRecipe, words: Words, out: Path) -> None:
    """Evaluates the averaged weights, logs the scores and exports the weights."""
    stills = held_out(recipe.evaluation_frames, recipe.image_size)
    found = answers(state.average, stills, words.wordings, words.ids)
    log(out, state, "eval", measures(found))
    export(state.average, words, out / "export")


def export(model: GroundingDinoForObjectDetection, words: Words, folder: Path) -> None:
    """Writes weights (float16), config, frame size and tokenizer for `load_grounding_dino`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Tensor] = {}
    known: set[int] = set()
    for name, value in model.state_dict().items():
        if value.data_ptr() not in known:  # shared heads are written once
            known.add(value.data_ptr())
            weights[name.replace("backbone.inner.", "backbone.")] = value.half().contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # the library writes it for its owner only
    config = model.config.to_dict() | {"architectures": ["GroundingDinoForObjectDetection"]}
    text = json.dumps(config, indent=1, sort_keys=True, default=str)
    (folder / "config.json").write_text(text + "\n")
    size = model.config.backbone_config.image_size
    frame = {"size": {"shortest_edge": size, "longest_edge": 2 * size}}
    (folder / "preprocessor_config.json").write_text(json.dumps(frame) + "\n")
    build_tokenizer(words.ids).save_pretrained(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=GrounderRecipe.minutes)
    parser.add_argument("--seed", type=int, default=GrounderRecipe.seed)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--rate", type=float, default=GrounderRecipe.learning_rate)
    parser.add_argument("--cheap-share", type=float, default=GrounderRecipe.cheap_share)
    parser.add_argument("--evaluation-minutes", type=float, default=3.4)
    parser.add_argument("--frames", type=int, default=GrounderRecipe.evaluation_frames)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(given.threads)
    recipe = GrounderRecipe(
        minutes=given.minutes,
        seed=given.seed,
        learning_rate=given.rate,
        cheap_share=given.cheap_share,
        evaluation_minutes=given.evaluation_minutes,
        evaluation_frames=given.frames,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n")
    train(recipe, given.out, resume=given.resume)


if __name__ == "__main__":
    main()
