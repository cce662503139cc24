"""Trains the small SAM2 of the demo preset on MotionShapes, on one CPU core in about an hour.

    python -m rvosbench.recipes.tracker --out runs/tracker --minutes 60 --seed 0

The first tenth of the time goes to single frames (points, boxes, masks); then most steps propagate
through clips of four frames, late also of 8 and 16. The learning rate follows a cosine of the wall
clock; the exported weights are an exponential average. `--resume` continues from the last
checkpoint.
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
from torch import Tensor, nn

from rvosbench.models.sam2.checkpoint import load_network
from rvosbench.models.sam2.model import build_sam2, tiny_config
from rvosbench.recipes.stepping import (
    load_checkpoint,
    log,
    optimise,
    save_checkpoint,
    schedule,
    set_rate,
)
from rvosbench.recipes.tracker_batches import BatchSpec, sample_batch
from rvosbench.recipes.tracker_eval import evaluate_tracker, probe_pointers
from rvosbench.recipes.tracker_losses import AuxiliaryHeads, LossWeights
from rvosbench.recipes.tracker_steps import image_losses, video_losses

if TYPE_CHECKING:
    from transformers import Sam2VideoModel

HEADS_FILE = "heads.pt"
LENGTHS = ((4, 4), (2, 8), (1, 16))  # (clips, frames) of batches that cost the same


@dataclass(frozen=True)
class TrackerRecipe:
    """How the tracker is trained.

    Attributes:
        minutes: wall time, without evaluations.
        seed: of the weights and the clips.
        image_size: side of the frames, pixels.
        dim: hidden size of the network.
        learning_rate: its peak, for AdamW.
        warm_up: steps of linear warm-up.
        image_share: share of the time, at the start, that trains on single frames.
        image_mix: share of such steps later: more different looks a minute than clips have.
        long_share: share of the time, at the end, that mixes in clips of 8 and 16 frames.
        average: decay of the exponential average of the weights.
        checkpoint_minutes: between checkpoints.
        evaluation_minutes: between evaluations; probes run every third time and at the end.
        init: folder of an earlier export to start from; empty: random weights. Auxiliary heads that
            lie beside it are taken too.
        frozen_encoder: leave the image encoder as it is: steps take half the time.
    """

    minutes: float = 60.0
    seed: int = 0
    image_size: int = 128
    dim: int = 128
    learning_rate: float = 1e-3
    warm_up: int = 100
    image_share: float = 0.1
    image_mix: float = 0.3
    long_share: float = 0.4
    average: float = 0.998
    checkpoint_minutes: float = 3.0
    evaluation_minutes: float = 6.0
    init: str = ""
    frozen_encoder: bool = False
    weights: LossWeights = field(default_factory=LossWeights)


@dataclass
class TrainingState:
    """All that changes while training, and all that a checkpoint holds."""

    model: Sam2VideoModel
    heads: AuxiliaryHeads
    average: Sam2VideoModel
    optimiser: torch.optim.Optimizer
    rng: np.random.Generator
    step: int = 0
    seconds: float = 0.0


def new_state(recipe: TrackerRecipe) -> TrainingState:
    """Networks with fresh weights, their optimiser and generator."""
    torch.manual_seed(recipe.seed)
    config = tiny_config(recipe.image_size, recipe.dim)
    model, average = build_sam2(config), build_sam2(config)
    if recipe.init:
        model.load_state_dict(load_network(recipe.init).model.state_dict())
    else:
        initialise(model)
    average.load_state_dict(model.state_dict())
    heads = AuxiliaryHeads(recipe.dim)
    if recipe.init and (beside := Path(recipe.init).parent / HEADS_FILE).exists():
        heads.load_state_dict(torch.load(beside, weights_only=True))
    if recipe.frozen_encoder:
        freeze_encoder(model)
    parameters = [p for p in (*model.parameters(), *heads.parameters()) if p.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.02
    )
    return TrainingState(model, heads, average, optimiser, np.random.default_rng(recipe.seed))


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


def train(recipe: TrackerRecipe, out: Path, *, resume: bool = False) -> TrainingState:
    """Runs the recipe; writes `log.jsonl`, `checkpoint.pt` and the export under `out`."""
    out.mkdir(parents=True, exist_ok=True)
    state = new_state(recipe)
    if resume and (out / "checkpoint.pt").exists():
        load_checkpoint(state, out / "checkpoint.pt")
    clock = _Clock(state.seconds, time.monotonic())
    saved = evaluated = state.seconds
    rounds = int(state.seconds / 60 // recipe.evaluation_minutes)
    while (seconds := clock.seconds()) < recipe.minutes * 60:
        state.seconds = seconds
        losses = training_step(state, recipe)
        if state.step % 25 == 0:
            log(out, state, "train", losses)
        if clock.seconds() - saved > recipe.checkpoint_minutes * 60:
            saved = state.seconds
            save_checkpoint(state, out / "checkpoint.pt")
        if clock.seconds() - evaluated > recipe.evaluation_minutes * 60:
            evaluated, rounds = clock.seconds(), rounds + 1
            clock.pause()
            report(state, recipe, out, probe=rounds % 3 == 0)
            clock.go_on()
    state.seconds = clock.seconds()
    save_checkpoint(state, out / "checkpoint.pt")
    report(state, recipe, out, probe=True)
    return state


@dataclass
class _Clock:
    """Seconds of training; evaluations do not count."""

    before: float
    started: float

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started

    def pause(self) -> None:
        self.before = self.seconds()

    def go_on(self) -> None:
        self.started = time.monotonic()


def training_step(state: TrainingState, recipe: TrackerRecipe) -> dict[str, float]:
    """One optimiser step on fresh clips; returns the weighted losses by name."""
    progress = min(1.0, state.seconds / (recipe.minutes * 60))
    set_rate(state, recipe.learning_rate * schedule(progress, state.step, recipe.warm_up))
    losses = _losses(state, recipe, progress)
    return optimise(state, losses, recipe.average)


def _losses(state: TrainingState, recipe: TrackerRecipe, progress: float) -> dict[str, Tensor]:
    rng, size = state.rng, recipe.image_size
    if progress < recipe.image_share or rng.random() < recipe.image_mix:
        batch = sample_batch(BatchSpec(12, 1, 3, size), rng)
        return image_losses(state.model, state.heads, batch, recipe.weights, rng)
    late = progress > 1 - recipe.long_share
    clips, frames = LENGTHS[int(rng.integers(len(LENGTHS))) if late else 0]
    spec = BatchSpec(clips, frames, 3, size)
    start = 0 if rng.random() < 0.75 else int(rng.integers(spec.frames))
    batch = sample_batch(spec, rng, start)
    return video_losses(state.model, state.heads, batch, recipe.weights, rng)


def report(state: TrainingState, recipe: TrackerRecipe, out: Path, *, probe: bool) -> None:
    """Evaluates the averaged weights, logs the scores and exports the weights."""
    scores = evaluate_tracker(state.average, recipe.image_size)
    if probe:
        scores |= probe_pointers(state.average, recipe.image_size)
    log(out, state, "eval", scores)
    export(state.average, out / "export")
    torch.save(state.heads.state_dict(), out / HEADS_FILE)


def export(model: Sam2VideoModel, folder: Path) -> None:
    """Writes config.json and model.safetensors (float16) that `load_sam2` reads."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config.to_dict() | {"architectures": ["Sam2VideoModel"]}
    (folder / "model.safetensors").chmod(0o644)  # the library writes it for its owner only
    text = json.dumps(config, indent=1, sort_keys=True, default=str)
    (folder / "config.json").write_text(text + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--init", default="", help="folder of an export to start from")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--image-share", type=float, default=0.1)
    parser.add_argument("--image-mix", type=float, default=0.3)
    parser.add_argument("--long-share", type=float, default=0.4)
    parser.add_argument("--frozen-encoder", action="store_true")
    parser.add_argument("--place", type=float, default=LossWeights.place, help="weight of places")
    given = parser.parse_args(arguments)
    if given.frozen_encoder and not given.init:
        parser.error("--frozen-encoder would keep random weights: give --init")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(given.threads)
    recipe = TrackerRecipe(
        minutes=given.minutes,
        seed=given.seed,
        learning_rate=given.rate,
        image_share=given.image_share,
        image_mix=given.image_mix,
        long_share=given.long_share,
        init=given.init,
        frozen_encoder=given.frozen_encoder,
        weights=LossWeights(
            place=given.place, dense=0.0 if given.frozen_encoder else LossWeights.dense
        ),
    )
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n")
    train(recipe, given.out, resume=given.resume)


if __name__ == "__main__":
    main()
