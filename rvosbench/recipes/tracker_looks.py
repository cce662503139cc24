"""Teaches the image encoder of the small SAM2 what shapes look like, on single frames.

    python -m rvosbench.recipes.tracker_looks --init DIR --out DIR --minutes 12

A transformer from scratch learns outlines slowly, and slower still while segmentation and tracking
pull at the same weights: after an hour of joint training the encoder told five shapes apart in
half of the cases. Here only looks count, on cells of two feature maps and on the mean over each
object's cells. `rvosbench.recipes.tracker --init` continues from the result with everything.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from rvosbench.models.sam2.checkpoint import load_network
from rvosbench.models.sam2.decoding import encode_frames
from rvosbench.models.sam2.outputs import FrameFeatures
from rvosbench.recipes.stepping import schedule
from rvosbench.recipes.tracker import export
from rvosbench.recipes.tracker_batches import BatchSpec, ClipBatch, sample_batch
from rvosbench.recipes.tracker_losses import N_COLOURS, N_SHAPES, N_TEXTURES

logger = logging.getLogger(__name__)
PARTS = (N_COLOURS, N_SHAPES, N_TEXTURES)
SHARES = (0.3, 1.0, 0.3)
"""Weights of colour, shape and texture: shape is what is hard."""


class LookHeads(nn.Module):
    """Linear heads on cells, and on the mean over an object, of the two upper feature maps."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        widths = (dim // 4, dim)
        self.cells = nn.ModuleList(nn.Conv2d(w, sum(PARTS), 1) for w in widths)
        self.objects = nn.ModuleList(nn.Linear(w, sum(PARTS)) for w in widths)


def look_losses(
    heads: LookHeads, features: FrameFeatures, batch: ClipBatch
) -> tuple[Tensor, dict[str, float]]:
    """Summed cross-entropies of looks, and accuracies of shape by head."""
    total = features.maps[2].new_zeros(())
    right: dict[str, float] = {}
    truth = torch.stack([batch.colours, batch.shapes, batch.textures], dim=1)
    for index, level in enumerate(features.maps[1:]):
        name = ("fine", "coarse")[index]
        looks = batch.looks[index].flatten(0, 1)
        cells = heads.cells[index](level).split(PARTS, 1)
        pooled = heads.objects[index](pooled_features(level, batch)).split(PARTS, 1)
        for part, share in enumerate(SHARES):
            total = total + 0.5 * share * F.cross_entropy(cells[part], looks[:, part])
            total = total + share * F.cross_entropy(pooled[part], truth[:, part])
        seen = looks[:, 1] >= 0
        right[f"{name}_cell"] = float((cells[1].argmax(1) == looks[:, 1])[seen].float().mean())
        right[f"{name}_object"] = float((pooled[1].argmax(1) == batch.shapes).float().mean())
    return total, right


def pooled_features(level: Tensor, batch: ClipBatch) -> Tensor:
    """Mean of a map (C, D, h, w) over the cells of each object, (N, D)."""
    masks = F.adaptive_avg_pool2d(batch.masks[:, :1].float(), (level.shape[-2], level.shape[-1]))
    weights = masks / masks.sum((2, 3), keepdim=True).clamp(min=1e-6)
    return (level[batch.owner] * weights).sum((2, 3))


def train(init: Path, out: Path, minutes: float, seed: int, rate: float = 1e-3) -> None:
    """Trains the encoder; writes `looks.jsonl` and an export under `out`.

    Args:
        init: folder of weights to start from.
        out: folder to write to; made if missing.
        minutes: wall time.
        seed: of the heads and the frames.
        rate: peak learning rate.
    """
    torch.manual_seed(seed)
    model = load_network(init).model
    heads = LookHeads(model.config.mask_decoder_config.hidden_size)
    decoder = model.mask_decoder
    modules = (model.vision_encoder, decoder.conv_s0, decoder.conv_s1, heads)
    parameters = [p for module in modules for p in module.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.02)
    out.mkdir(parents=True, exist_ok=True)
    rng, begin, step, recent = np.random.default_rng((seed, 3)), time.monotonic(), 0, _Recent()
    while (progress := (time.monotonic() - begin) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = rate * schedule(progress, step, 100)
        batch = sample_batch(BatchSpec(20, 1, 5, model.config.image_size), rng)
        loss, right = look_losses(heads, encode_frames(model, batch.pixels.flatten(0, 1)), batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        step += 1
        recent.add({"loss": float(loss.detach()), **right})
        if step % 100 == 0:
            recent.write(out / "looks.jsonl", round(progress * minutes, 2), step)
        if step % 1000 == 0:
            export(model, out / "export")
    export(model, out / "export")


class _Recent:
    """Running means of what a step measures."""

    def __init__(self) -> None:
        self.means: dict[str, float] = {}

    def add(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.means[name] = 0.98 * self.means.get(name, value) + 0.02 * value

    def write(self, path: Path, minutes: float, step: int) -> None:
        means = {name: round(value, 4) for name, value in self.means.items()}
        line = json.dumps({"minutes": minutes, "step": step, **means})
        logger.info("%s", line)
        with path.open("a") as file:
            file.write(line + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(given.threads)
    train(given.init, given.out, given.minutes, given.seed, given.rate)


if __name__ == "__main__":
    main()
