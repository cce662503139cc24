"""Teaches the selector's motion encoder what shapes do, from the true scenes of MotionShapes.

    python -m sola.recipes.motion --tracks CACHE --out sola/weights/motion --steps 8000

A sentence says one thing about one of forty that shapes do, so sentences alone teach motion
slowly (docs/training.md has the figures). Here every track of an object answers all of them at
once, through linear heads on each time step, which are dropped. `rvosbench sola train --set
init=DIR` begins with the encoder that comes out.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rvosbench.demo.dataset import MotionShapes
from sola.checkpoint import save_weights
from sola.config import DEMO_SELECTOR
from sola.data import OpenOptions, TrackSet, open_training_data
from sola.motion import MotionEncoder
from sola.samples import Floats, VideoSample
from sola.schedule import cosine

from .deeds import answers, measures

logger = logging.getLogger(__name__)
MATCH = 0.5
"""Mean IoU above which a track counts as that of an object."""
UNCLEAR = -1
WARM_UP = 100
Row = tuple[Floats, NDArray[np.int64], Floats]


@dataclass(frozen=True)
class MotionRecipe:
    """How the encoder is trained.

    Attributes:
        steps: of the optimiser; about 40 a second on one core.
        seed: of weights, order, dropout and noise.
        batch_size: tracks a step.
        learning_rate: of AdamW, at its peak.
        weight_decay: of AdamW.
        dropout: of the encoder, in this training only.
        noise: deviation of what is added to tokens, in deviations of their channels; half of it
            is the same on all frames.
        value_weight: of the absolute error of measures beside the cross-entropy of answers.
    """

    steps: int = 8000
    seed: int = 0
    batch_size: int = 48
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    dropout: float = 0.1
    noise: float = 0.1
    value_weight: float = 0.5


@dataclass(frozen=True)
class Lesson:
    """P tracks of objects: tokens (P, T, D), answers (P, K) in {0, 1, UNCLEAR}, measures (P, M)."""

    tokens: Tensor
    answers: Tensor
    measures: Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    def rows(self, index: Tensor) -> Lesson:
        """Some of the tracks."""
        return Lesson(self.tokens[index], self.answers[index], self.measures[index])


class Pupil(nn.Module):
    """The encoder, and heads on each of its layer-normalised time steps."""

    def __init__(self, encoder: MotionEncoder, width: int, n_answers: int, n_measures: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.head = nn.Linear(width, n_answers + n_measures)
        self.parts = (n_answers, n_measures)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(P, T, D) tokens to logits (P, T', K) and standardised measures (P, T', M)."""
        steps, _ = self.encoder(tokens[:, None])
        logits, values = self.head(self.norm(steps[:, 0])).split(self.parts, -1)
        return logits, values


def run_recipe(recipe: MotionRecipe, cache: Path, out: Path) -> dict[str, float]:
    """Trains an encoder on a cache of MotionShapes' training split; writes it and its log.

    Returns:
        Measures on every tenth video, which is not learnt from: see `examine`.
    """
    data = open_training_data([TrackSet(cache, MotionShapes("train"))], (), OpenOptions())
    learnt, held_out = _lesson(data.train), _lesson(data.valid)
    centre, spread = learnt.measures.mean(0), learnt.measures.std(0)
    learnt, held_out = (
        replace(part, measures=(part.measures - centre) / spread) for part in (learnt, held_out)
    )
    logger.info("%d tracks to learn from, %d to judge by", len(learnt), len(held_out))
    pupil = learn(recipe, learnt)
    marks = {"tracks": len(held_out), **examine(pupil, held_out)}
    state = {f"motion_encoder.{n}": value for n, value in pupil.encoder.state_dict().items()}
    save_weights(out, state, torch.float16)
    report = {"recipe": asdict(recipe), "data": dict(data.facts), "held_out": marks}
    (out / "recipe.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    logger.info("%s: %s", out, marks)
    return marks


def learn(recipe: MotionRecipe, lesson: Lesson, pupil: Pupil | None = None) -> Pupil:
    """Trains a new pupil, or the one given in place; the same recipe gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        if pupil is None:
            encoder = MotionEncoder(replace(DEMO_SELECTOR, dropout=recipe.dropout))
            shapes = (lesson.answers.shape[1], lesson.measures.shape[1])
            pupil = Pupil(encoder, DEMO_SELECTOR.lang_token_dim, *shapes)
        _train(pupil, lesson, recipe)
    return pupil


def examine(pupil: Pupil, lesson: Lesson) -> dict[str, float]:
    """Mean over answers of F1, and over measures of R2, from the mean over time steps."""
    pupil.eval()
    with torch.inference_mode():
        found = [pupil(part) for part in torch.split(lesson.tokens, 256)]
    said = torch.cat([logits.mean(1) for logits, _ in found]) > 0
    clear, true = lesson.answers != UNCLEAR, lesson.answers == 1
    both = (said & true).sum(0)
    f1 = 2 * both / ((said & clear).sum(0) + true.sum(0)).clamp(min=1)
    errors = torch.cat([values.mean(1) for _, values in found]) - lesson.measures
    r2 = 1 - errors.square().mean(0) / lesson.measures.var(0)
    asked = true.any(0)
    return {"f1": round(float(f1[asked].mean()), 4), "r2": round(float(r2.mean()), 4)}


def _lesson(samples: Sequence[VideoSample]) -> Lesson:
    """All tracks that cover an object, with what that object is and does."""
    rows = [row for sample in samples for row in _tracks(sample)]
    tokens, said, values = (np.stack(column) for column in zip(*rows, strict=True))
    return Lesson(torch.from_numpy(tokens), torch.from_numpy(said), torch.from_numpy(values))


def _tracks(sample: VideoSample) -> Iterator[Row]:
    scene = MotionShapes("train").scene(sample.video)
    known = [
        np.array([UNCLEAR if v is None else int(v) for v in answers(o).values()]) for o in scene
    ]
    tokens = np.asarray(sample.tokens, np.float32)
    for track, overlap in enumerate(sample.overlap):
        best = int(overlap.argmax())
        if overlap[best] > MATCH:
            yield tokens[track], known[best], measures(scene[best])


def _train(pupil: Pupil, lesson: Lesson, recipe: MotionRecipe) -> None:
    optimiser = torch.optim.AdamW(
        pupil.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    spread = lesson.tokens.std((0, 1))
    pupil.train()
    for step in range(recipe.steps):
        rate = recipe.learning_rate * min(1.0, (step + 1) / WARM_UP) * cosine(step / recipe.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = lesson.rows(torch.randint(len(lesson), (recipe.batch_size,)))
        batch = replace(batch, tokens=_blurred(batch.tokens, recipe.noise * spread))
        loss = _loss(pupil, batch, recipe.value_weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(pupil.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 1000 == 0:
            logger.info("step %d of %d: loss %.3f", step + 1, recipe.steps, loss.item())


def _blurred(tokens: Tensor, deviation: Tensor) -> Tensor:
    always = torch.randn_like(tokens[:, :1])
    return tokens + deviation * (torch.randn_like(tokens) + always) / 2**0.5


def _loss(pupil: Pupil, lesson: Lesson, value_weight: float) -> Tensor:
    """Scalar: sums over answers and measures, means over tracks and time steps."""
    logits, values = pupil(lesson.tokens)
    truth = lesson.answers.clamp(min=0).float()[:, None].expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    entropy = entropy * (lesson.answers != UNCLEAR)[:, None]
    errors = (values - lesson.measures[:, None]).abs()
    loss: Tensor = entropy.sum(2).mean() + value_weight * errors.sum(2).mean()
    return loss


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=Path, required=True, help="cache of the training split")
    parser.add_argument("--out", type=Path, required=True, help="folder of the encoder")
    for name in ("dropout", "noise"):
        parser.add_argument(f"--{name}", type=float, default=getattr(MotionRecipe, name))
    for name in ("steps", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(MotionRecipe, name))
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    recipe = MotionRecipe(
        steps=given.steps, seed=given.seed, dropout=given.dropout, noise=given.noise
    )
    run_recipe(recipe, given.tracks, given.out)


if __name__ == "__main__":
    main()
