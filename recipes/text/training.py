"""Trains the small text encoder of the demo preset on sentences of MotionShapes.

    python -m recipes.text --out rvosbench/demo/weights/text --minutes 8

A two-layer RoBERTa with words as tokens. It guesses masked words, and from the mean of its tokens
what the sentence means, in terms that do not depend on the wording; so tokens carry meaning, and
"rises" and "goes upwards" come out alike. `--steps` repeats a run exactly.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from recipes.text.corpus import Sentence, frequent_features, meaning_matrix, sample_sentences
from recipes.text.objective import Corpus, MeaningModel, evaluate, train
from rvosbench.demo.candidates import CATEGORIES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
MAX_TOKENS = 64


@dataclass(frozen=True)
class TextRecipe:
    """How the encoder is trained.

    Attributes:
        minutes: wall time of the training proper, if `steps` is None.
        steps: optimisation steps; None takes as many as fit into `minutes`.
        seed: of weights, sentences and masks.
        n_scenes: random scenes that sentences are about.
        n_held_out: further scenes to evaluate on.
        per_category: sentences of each category a scene.
        dim: width of a token.
    """

    minutes: float = 8.0
    steps: int | None = None
    seed: int = 0
    n_scenes: int = 1200
    n_held_out: int = 60
    per_category: int = 8
    dim: int = 128


def build_tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """A tokenizer whose tokens are the lower-case words and punctuation marks of `texts`."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    split = pre_tokenizers.BertPreTokenizer()
    words = sorted({w for text in texts for w, _ in split.pre_tokenize_str(text.lower())})
    vocabulary = {token: i for i, token in enumerate([*SPECIALS, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = split
    ends = [(token, vocabulary[token]) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=ends
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


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


def run_recipe(recipe: TextRecipe, out: Path) -> dict[str, float]:
    """Trains an encoder and writes it as a transformers folder, weights as float16.

    Returns:
        Measures on held-out scenes, see `text_training.evaluate`; also written to `training.json`.
    """
    scenes = range(recipe.n_scenes + recipe.n_held_out)
    by_scene = [sample_sentences((4100 + recipe.seed, i), recipe.per_category) for i in scenes]
    learnt = [s for sentences in by_scene[: recipe.n_scenes] for s in sentences]
    held_out = [s for sentences in by_scene[recipe.n_scenes :] for s in sentences]
    tokenizer = build_tokenizer([s.text for s in learnt])
    features = frequent_features(learnt, at_least=max(2, len(learnt) // 2000))
    logger.info("%d sentences, %d words, %d features", len(learnt), len(tokenizer), len(features))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = MeaningModel(len(tokenizer), recipe.dim, len(features), len(CATEGORIES))
        corpus = make_corpus(learnt, features, tokenizer)
        steps = train(model, corpus, minutes=recipe.minutes, steps=recipe.steps)
    measures = evaluate(model, make_corpus(held_out, features, tokenizer))
    _export(model, tokenizer, out)
    report = {"steps": steps, "sentences": len(learnt), **measures}
    (out / "training.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    logger.info("%s: %s", out, report)
    return measures


def _export(model: MeaningModel, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    encoder: Any = model.encoder
    encoder.to(torch.float16).save_pretrained(out)
    encoder.to(torch.float32)
    tokenizer.save_pretrained(out)
    # safetensors makes files that only their owner can read.
    (out / "model.safetensors").chmod((out / "tokenizer.json").stat().st_mode)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the encoder")
    parser.add_argument("--minutes", type=float, default=TextRecipe.minutes)
    parser.add_argument("--steps", type=int, help="exact number of steps, instead of --minutes")
    parser.add_argument("--seed", type=int, default=TextRecipe.seed)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    recipe = TextRecipe(minutes=options.minutes, steps=options.steps, seed=options.seed)
    run_recipe(recipe, options.out)


if __name__ == "__main__":
    main()
