"""Teaches the image encoder of the small SAM2 what shapes look like, on single frames.

    python -m recipes.tracker.looks --init DIR --out DIR --minutes 12

A transformer from scratch learns outlines slowly, and slower still while segmentation and tracking
pull at the same weights: after an hour of joint training the encoder told five shapes apart in
half of the cases. Here only looks count, on cells of two feature maps and on the mean over each
object's cells. `recipes.tracker --init` continues from the result with everything.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from recipes.appearance import N_LOOKS, PARTS, look_losses
from recipes.checkpoint import Training
from recipes.clock import Budget
from recipes.command import command_parser, execute, recipe_from, write_recipe
from recipes.export import write_network
from recipes.loop import EXPORT, Loss, Plan, Report, fit
from recipes.schedule import Schedule
from recipes.tracker.batches import BatchSpec, ClipBatch, sample_batch
from rvosbench.models.sam2.checkpoint import load_network
from rvosbench.models.sam2.decoding import FrameFeatures, encode_frames

SHARES = (0.3, 1.0, 0.3)
"""Weights of colour, shape and texture: shape is what is hard."""


@dataclass(frozen=True)
class LooksRecipe:
    """How the encoder is taught looks.

    Attributes:
        budget: how long.
        seed: of the heads and the frames.
        rate: peak learning rate, for AdamW.
    """

    budget: Budget = field(default=Budget(12.0))
    seed: int = 0
    rate: float = 1e-3


class EncoderHeads(nn.Module):
    """Linear heads on cells, and on the mean over an object, of the two upper feature maps."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        widths = (dim // 4, dim)
        self.cells = nn.ModuleList(nn.Conv2d(w, N_LOOKS, 1) for w in widths)
        self.objects = nn.ModuleList(nn.Linear(w, N_LOOKS) for w in widths)


def encoder_loss(heads: EncoderHeads, features: FrameFeatures, batch: ClipBatch) -> Loss:
    """Summed cross-entropies of looks, and accuracies of shape by head."""
    total = features.maps[2].new_zeros(())
    right: dict[str, float] = {}
    wanted = torch.stack([batch.colours, batch.shapes, batch.textures], dim=1)
    for index, level in enumerate(features.maps[1:]):
        name = ("fine", "coarse")[index]
        looks = batch.looks[index].flatten(0, 1)
        cells = heads.cells[index](level)
        pooled = heads.objects[index](pooled_features(level, batch))
        losses = zip(look_losses(cells, looks), look_losses(pooled, wanted), strict=True)
        for share, (of_cells, of_objects) in zip(SHARES, losses, strict=True):
            total = total + 0.5 * share * of_cells
            total = total + share * of_objects
        seen = looks[:, 1] >= 0
        guessed = _shapes(cells)[seen] == looks[:, 1][seen]
        right[f"{name}_cell"] = float(guessed.float().mean())
        right[f"{name}_object"] = float((_shapes(pooled) == batch.shapes).float().mean())
    return Loss({"looks": total}, right)


def _shapes(logits: Tensor) -> Tensor:
    return torch.split(logits, list(PARTS), 1)[1].argmax(1)


def pooled_features(level: Tensor, batch: ClipBatch) -> Tensor:
    """Mean of a map (C, D, h, w) over the cells of each object, (N, D)."""
    masks = F.adaptive_avg_pool2d(batch.masks[:, :1].float(), (level.shape[-2], level.shape[-1]))
    weights = masks / masks.sum((2, 3), keepdim=True).clamp(min=1e-6)
    return (level[batch.owner] * weights).sum((2, 3))


def train(recipe: LooksRecipe, init: Path, out: Path, *, resume: bool = False) -> None:
    """Trains the encoder; writes its log, checkpoint and export under `out`.

    Args:
        recipe: how.
        init: folder of weights to start from.
        out: folder to write to; made if missing.
        resume: go on from the checkpoint in `out`.

    Raises:
        WeightsError: the weights to start from, or the checkpoint, cannot be read.
    """
    torch.manual_seed(recipe.seed)
    model = load_network(init)
    write_recipe(recipe, out)
    heads = EncoderHeads(model.config.mask_decoder_config.hidden_size)
    decoder = model.mask_decoder
    modules = (model.vision_encoder, decoder.conv_s0, decoder.conv_s1, heads)
    parameters = [p for module in modules for p in module.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.02)
    training = Training(model, heads, optimizer, np.random.default_rng((recipe.seed, 3)))

    def loss_of(_: float) -> Loss:
        batch = sample_batch(BatchSpec(20, 1, 5, model.config.image_size), training.rng)
        return encoder_loss(heads, encode_frames(model, batch.pixels.flatten(0, 1)), batch)

    def evaluate(_: Report) -> dict[str, float]:
        write_network(out / EXPORT, model)
        return {}

    plan = Plan(recipe.budget, Schedule(recipe.rate), log_steps=100)
    fit(training, plan, loss_of, evaluate, out, resume=resume)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = command_parser(__doc__, LooksRecipe())
    parser.add_argument("--init", type=Path, required=True, help="folder of weights to start from")

    def act(given: Namespace) -> None:
        train(recipe_from(given, LooksRecipe()), given.init, given.out, resume=given.resume)

    execute(parser, arguments, act)


if __name__ == "__main__":
    main()
