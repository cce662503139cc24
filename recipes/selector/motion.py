"""Teaches the selector's motion encoder what shapes do, from the true scenes of MotionShapes.

    python -m recipes.selector.motion --tracks CACHE --out DIR --steps 8000

A sentence says one thing about one of forty that shapes do, so sentences alone teach motion
slowly (docs/training.md has the numbers). Here every track of an object is asked all of them at
once, through linear heads on each time step, which are dropped. `rvosbench sola train --set
init=DIR/export` begins with the encoder that comes out.
"""

from __future__ import annotations

import json
import logging
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recipes.checkpoint import Training
from recipes.clock import Budget
from recipes.command import command_parser, execute, recipe_from, write_recipe
from recipes.loop import EXPORT, Loss, Plan, fit
from recipes.schedule import Schedule
from recipes.selector.shape_labels import labels, values
from rvosbench.demo.dataset import MotionShapes
from rvosbench.errors import DatasetError
from rvosbench.records import Json
from sola.config import DEMO_SELECTOR
from sola.data.samples import Floats, TrackSet, VideoSample
from sola.data.track_data import OpenOptions, open_training_data
from sola.network.motion import MotionEncoder
from sola.network.weights import checkpoint_hash, save_weights

logger = logging.getLogger(__name__)
MATCH = 0.5
"""Mean IoU above which a track counts as that of an object."""
UNCLEAR = -1
Row = tuple[Floats, NDArray[np.int64], Floats]


@dataclass(frozen=True)
class MotionRecipe:
    """How the encoder is trained.

    Attributes:
        budget: how long; about 40 steps a second on one core.
        seed: of weights, order, dropout and noise.
        batch_size: tracks a step.
        rate: peak learning rate, for AdamW.
        weight_decay: of AdamW.
        dropout: of the encoder, in this training only.
        noise: deviation of what is added to tokens, in deviations of their channels; half of it
            is the same on all frames.
        value_weight: of the absolute error of values beside the cross-entropy of labels.
    """

    budget: Budget = field(default=Budget(steps=8000))
    seed: int = 0
    batch_size: int = 48
    rate: float = 1e-3
    weight_decay: float = 0.05
    dropout: float = 0.1
    noise: float = 0.1
    value_weight: float = 0.5


@dataclass(frozen=True)
class LabelledTracks:
    """P tracks of objects: tokens (P, T, D), labels (P, K) in {0, 1, UNCLEAR}, values (P, M)."""

    tokens: Tensor
    labels: Tensor
    values: Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    def rows(self, index: Tensor) -> LabelledTracks:
        """Some of the tracks."""
        return LabelledTracks(self.tokens[index], self.labels[index], self.values[index])


class ProbedEncoder(nn.Module):
    """The encoder, and heads on each of its layer-normalised time steps."""

    def __init__(self, encoder: MotionEncoder, width: int, n_labels: int, n_values: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.head = nn.Linear(width, n_labels + n_values)
        self.parts = (n_labels, n_values)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(P, T, D) tokens to logits (P, T', K) and standardised values (P, T', M)."""
        steps, _ = self.encoder(tokens[:, None])
        logits, guesses = self.head(self.norm(steps[:, 0])).split(self.parts, -1)
        return logits, guesses


def train(
    recipe: MotionRecipe, cache: Path, out: Path, *, resume: bool = False
) -> dict[str, float]:
    """Trains an encoder on a cache of MotionShapes' training split.

    Writes its log and checkpoint under `out`, and in the export the weights and `recipe.json`.

    Returns:
        Measures on every tenth video, which is not trained on: see `evaluate`.

    Raises:
        DatasetError: no tracks that cover an object, or tokens of another width.
        TrackCacheError: no cache there, or of another dataset.
        WeightsError: the checkpoint cannot be read.
    """
    data = open_training_data([TrackSet(cache, MotionShapes("train"))], (), OpenOptions())
    training, held_out = _labelled(data.train, cache), _labelled(data.valid, cache)
    centre, spread = training.values.mean(0), training.values.std(0).clamp(min=1e-6)
    training, held_out = (
        replace(part, values=(part.values - centre) / spread) for part in (training, held_out)
    )
    logger.info("%d tracks to train on, %d to evaluate on", len(training), len(held_out))
    marks: dict[str, float] = {}

    def report(model: ProbedEncoder) -> dict[str, float]:
        marks.update({"tracks": len(held_out), **evaluate(model, held_out)})
        _export(model.encoder, out / EXPORT)
        _write_report(out / EXPORT, recipe, data.facts, marks)
        return marks

    write_recipe(recipe, out)
    train_encoder(recipe, training, out, report, resume=resume)
    return marks


def train_encoder(
    recipe: MotionRecipe,
    tracks: LabelledTracks,
    out: Path,
    report: Callable[[ProbedEncoder], dict[str, float]],
    *,
    resume: bool = False,
) -> ProbedEncoder:
    """Trains a new model; the same steps and seed give the same weights.

    Args:
        recipe: how.
        tracks: to learn from.
        out: folder of the log and the checkpoint.
        report: scores and exports what has been trained until now.
        resume: go on from the checkpoint.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        encoder = MotionEncoder(replace(DEMO_SELECTOR, dropout=recipe.dropout))
        shapes = (tracks.labels.shape[1], tracks.values.shape[1])
        model = ProbedEncoder(encoder, DEMO_SELECTOR.lang_token_dim, *shapes)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
        )
        noise = recipe.noise * tracks.tokens.std((0, 1))

        def loss(_: float) -> Loss:
            model.train()
            batch = tracks.rows(torch.randint(len(tracks), (recipe.batch_size,)))
            batch = replace(batch, tokens=_blurred(batch.tokens, noise))
            return Loss({"motion": motion_loss(model, batch, recipe.value_weight)})

        plan = Plan(recipe.budget, Schedule(recipe.rate, floor=0.0), log_steps=1000)
        training = Training(model, nn.Module(), optimizer)
        fit(training, plan, loss, lambda _: report(model), out, resume=resume)
    return model


def evaluate(model: ProbedEncoder, tracks: LabelledTracks) -> dict[str, float]:
    """Mean over labels of F1, and over values of R2, from the mean over time steps."""
    model.eval()
    with torch.inference_mode():
        found = [model(part) for part in torch.split(tracks.tokens, 256)]
    said = torch.cat([logits.mean(1) for logits, _ in found]) > 0
    clear, true = tracks.labels != UNCLEAR, tracks.labels == 1
    both = (said & true).sum(0)
    f1 = 2 * both / ((said & clear).sum(0) + true.sum(0)).clamp(min=1)
    errors = torch.cat([guesses.mean(1) for _, guesses in found]) - tracks.values
    r2 = 1 - errors.square().mean(0) / tracks.values.var(0).clamp(min=1e-6)
    asked = true.any(0)
    return {"f1": round(float(f1[asked].mean()), 4), "r2": round(float(r2.mean()), 4)}


def _labelled(samples: Sequence[VideoSample], cache: Path) -> LabelledTracks:
    """All tracks that cover an object, with what that object is and does."""
    rows = [row for sample in samples for row in _rows(sample)]
    if len(rows) < 2:
        raise DatasetError(
            f"{cache}: {len(rows)} tracks cover an object of {len(samples)} videos with a mean IoU "
            f"above {MATCH}. Wanted a cache of `rvosbench tracks build --split train --truth`"
        )
    tokens, said, measured = (np.stack(column) for column in zip(*rows, strict=True))
    if tokens.shape[2] != DEMO_SELECTOR.object_token_dim:
        raise DatasetError(
            f"{cache}: object tokens have {tokens.shape[2]} channels, wanted "
            f"{DEMO_SELECTOR.object_token_dim}: make it with the demo's tracker"
        )
    return LabelledTracks(
        torch.from_numpy(tokens), torch.from_numpy(said), torch.from_numpy(measured)
    )


def _rows(sample: VideoSample) -> Iterator[Row]:
    scene = MotionShapes("train").scene(sample.video)
    known = [
        np.array([UNCLEAR if v is None else int(v) for v in labels(o).values()]) for o in scene
    ]
    tokens = np.asarray(sample.tokens, np.float32)
    for track, overlap in enumerate(sample.overlap):
        best = int(overlap.argmax())
        if overlap[best] > MATCH:
            yield tokens[track], known[best], values(scene[best])


def _export(encoder: MotionEncoder, folder: Path) -> None:
    state = {f"motion_encoder.{n}": value for n, value in encoder.state_dict().items()}
    save_weights(folder, state, torch.float16)


def _write_report(
    folder: Path, recipe: MotionRecipe, facts: Mapping[str, Json], marks: Mapping[str, float]
) -> None:
    report = {
        "recipe": asdict(recipe),
        "data": dict(facts),
        "held_out": dict(marks),
        "weights": checkpoint_hash(folder),
    }
    text = json.dumps(report, indent=2)
    (folder / "recipe.json").write_text(text + "\n", encoding="utf-8")


def _blurred(tokens: Tensor, deviation: Tensor) -> Tensor:
    always = torch.randn_like(tokens[:, :1])
    return tokens + deviation * (torch.randn_like(tokens) + always) / 2**0.5


def motion_loss(model: ProbedEncoder, tracks: LabelledTracks, value_weight: float) -> Tensor:
    """Scalar: sums over labels and values, means over tracks and time steps."""
    logits, guesses = model(tracks.tokens)
    truth = tracks.labels.clamp(min=0).float()[:, None].expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    entropy = entropy * (tracks.labels != UNCLEAR)[:, None]
    errors = (guesses - tracks.values[:, None]).abs()
    loss: Tensor = entropy.sum(2).mean() + value_weight * errors.sum(2).mean()
    return loss


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = command_parser(__doc__, MotionRecipe())
    parser.add_argument("--tracks", type=Path, required=True, help="cache of the training split")

    def act(given: Namespace) -> None:
        train(recipe_from(given, MotionRecipe()), given.tracks, given.out, resume=given.resume)

    execute(parser, arguments, act)


if __name__ == "__main__":
    main()
