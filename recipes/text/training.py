"""Trains the small text encoder of the demo preset on sentences of MotionShapes.

    python -m recipes.text --out DIR --minutes 8

A two-layer RoBERTa with words as tokens. It guesses masked words, and from the mean of its tokens
what the sentence means, in terms that do not depend on the wording; so tokens carry meaning, and
"rises" and "goes upwards" come out alike. `--steps` repeats a run exactly.
"""

from __future__ import annotations

import json
import logging
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from recipes.checkpoint import Training
from recipes.clock import Budget
from recipes.command import command_parser, execute, recipe_from, write_recipe
from recipes.export import write_network
from recipes.loop import EXPORT, Loss, Plan, Report, fit
from recipes.schedule import Schedule
from recipes.text.corpus import Sentence, frequent_features, meaning_matrix, sample_sentences
from recipes.text.objective import Corpus, MeaningModel, evaluate, loss_of
from recipes.tokenizer import word_tokenizer, words_of
from rvosbench.demo.expressions import CATEGORIES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
MAX_TOKENS = 64
BATCH = 64


@dataclass(frozen=True)
class TextRecipe:
    """How the encoder is trained.

    Attributes:
        budget: how long.
        seed: of weights, sentences and masks.
        rate: peak learning rate, for AdamW.
        n_scenes: random scenes that sentences are about.
        n_held_out: further scenes to evaluate on.
        per_category: sentences of each category a scene.
        dim: width of a token.
    """

    budget: Budget = field(default=Budget(8.0))
    seed: int = 0
    rate: float = 1e-3
    n_scenes: int = 1200
    n_held_out: int = 60
    per_category: int = 8
    dim: int = 128


def build_tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """A tokenizer whose tokens are the lower-case words and punctuation marks of `texts`."""
    ids = {token: i for i, token in enumerate([*SPECIALS, *words_of(texts)])}
    return word_tokenizer(ids, MAX_TOKENS, SPECIAL_TOKENS)


def make_corpus(
    sentences: Sequence[Sentence], features: Sequence[str], tokenizer: PreTrainedTokenizerFast
) -> Corpus:
    """Sentences as tensors, padded to the longest."""
    encoded = tokenizer([s.text for s in sentences], padding=True, return_tensors="pt")
    return Corpus(
        encoded["input_ids"],
        torch.from_numpy(meaning_matrix(sentences, features)),
        torch.tensor([CATEGORIES.index(s.category) for s in sentences]),
    )


def train(recipe: TextRecipe, out: Path, *, resume: bool = False) -> dict[str, float]:
    """Runs the recipe; writes its log, checkpoint and export under `out`.

    Returns:
        Measures on held-out scenes, see `objective.evaluate`; also in the export's `training.json`.

    Raises:
        WeightsError: the checkpoint cannot be read.
    """
    write_recipe(recipe, out)
    scenes = range(recipe.n_scenes + recipe.n_held_out)
    by_scene = [sample_sentences((4100 + recipe.seed, i), recipe.per_category) for i in scenes]
    drawn = [s for sentences in by_scene[: recipe.n_scenes] for s in sentences]
    held_out = [s for sentences in by_scene[recipe.n_scenes :] for s in sentences]
    tokenizer = build_tokenizer([s.text for s in drawn])
    features = frequent_features(drawn, at_least=max(2, len(drawn) // 2000))
    logger.info("%d sentences, %d words, %d features", len(drawn), len(tokenizer), len(features))
    corpus, others = (make_corpus(s, features, tokenizer) for s in (drawn, held_out))
    measures: dict[str, float] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = MeaningModel(len(tokenizer), recipe.dim, len(features), len(CATEGORIES))
        training = Training(model, nn.Module(), _optimizer(model, recipe.rate))

        def loss(_: float) -> Loss:
            model.train()
            batch = corpus.rows(torch.randint(len(corpus.ids), (BATCH,)))
            return Loss({"text": loss_of(model, batch)})

        def report(_: Report) -> dict[str, float]:
            measures.update(evaluate(model.eval(), others))
            _export(training, tokenizer, out / EXPORT, {"sentences": len(drawn), **measures})
            return measures

        fit(training, _plan(recipe), loss, report, out, resume=resume)
    return measures


def _optimizer(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98))


def _plan(recipe: TextRecipe) -> Plan:
    steps = recipe.budget.steps
    warm_up = 100 if steps is None else min(100, 1 + steps // 10)
    return Plan(recipe.budget, Schedule(recipe.rate, 0.01, warm_up), log_steps=500)


def _export(
    training: Training[MeaningModel, nn.Module],
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    report: dict[str, Any],
) -> None:
    write_network(folder, training.model.encoder)
    tokenizer.save_pretrained(folder)
    text = json.dumps({"steps": training.step, **report}, indent=2)
    (folder / "training.json").write_text(text + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""

    def act(given: Namespace) -> None:
        train(recipe_from(given, TextRecipe()), given.out, resume=given.resume)

    execute(command_parser(__doc__, TextRecipe()), arguments, act)
