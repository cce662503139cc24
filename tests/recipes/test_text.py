"""The recipe of the demo's text encoder: its sentences, its tokenizer, a short training."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.clock import Budget
from recipes.text.corpus import Sentence, frequent_features, sample_sentences
from recipes.text.objective import MASK, N_SPECIAL, PAD, corrupt_words
from recipes.text.training import TextRecipe, build_tokenizer, make_corpus, train
from rvosbench.demo.expressions import CATEGORIES
from rvosbench.models.text import load_text_encoder


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return [s for i in range(12) for s in sample_sentences((1, i), 5)]


def test_sentences_are_a_function_of_the_seed(sentences: list[Sentence]) -> None:
    assert sample_sentences((1, 3), 5) == sample_sentences((1, 3), 5)
    assert sample_sentences((1, 3), 5) != sample_sentences((1, 4), 5)
    counts = Counter(s.category for s in sentences)
    assert set(counts) == set(CATEGORIES)
    assert max(counts.values()) <= 12 * 5


def test_the_meaning_of_a_sentence_is_in_its_words(sentences: list[Sentence]) -> None:
    for sentence in sentences:
        words = sentence.text.replace(",", "").split()
        for colour in ("red", "green", "cyan"):
            if f"who:{colour}" in sentence.meaning:
                assert colour in words
    by_meaning: dict[frozenset[str], set[str]] = {}
    for sentence in sentences:
        by_meaning.setdefault(sentence.meaning, set()).add(sentence.text)
    assert max(len(wordings) for wordings in by_meaning.values()) > 1


def test_features_are_frequent_and_sorted(sentences: list[Sentence]) -> None:
    features = frequent_features(sentences, 5)
    assert features == sorted(features)
    assert {"plural", "who:red"} <= set(features)
    assert not [f for f in features if sum(f in s.meaning for s in sentences) < 5]


def test_words_are_tokens() -> None:
    tokenizer = build_tokenizer(["the red circle", "the circle moves left, then up"])
    ids = tokenizer(["The RED circle, sideways"])["input_ids"][0]
    assert tokenizer.convert_ids_to_tokens(ids) == [
        *("<s>", "the", "red", "circle", ",", "<unk>", "</s>"),
    ]
    assert tokenizer.convert_tokens_to_ids(["<pad>", "<mask>"]) == [PAD, MASK]


def test_hidden_words_are_words(sentences: list[Sentence]) -> None:
    tokenizer = build_tokenizer([s.text for s in sentences])
    ids = make_corpus(sentences * 5, ["plural"], tokenizer).ids
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        hidden, wanted = corrupt_words(ids)
    special = ids < N_SPECIAL
    assert torch.equal(hidden[special], ids[special])
    assert not wanted[special].any()
    share = wanted[~special].float().mean()
    assert abs(share - 0.15) < 0.02
    assert (hidden[wanted] == MASK).float().mean() > 0.7


def test_a_short_training_learns_and_can_be_loaded(tmp_path: Path) -> None:
    recipe = TextRecipe(Budget(steps=250), n_scenes=20, n_held_out=5, dim=64)
    measures = train(recipe, tmp_path)
    export = tmp_path / "export"
    assert measures["category"] > 0.4  # chance is 1 in 8
    names = {p.name for p in export.iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert json.loads((export / "training.json").read_text())["steps"] == 250
    state = load_text_encoder(export, "cpu").encode(["the red circle"])[0]
    assert state.shape == (5, 64)
    assert np.isfinite(state).all()


def test_a_run_can_be_repeated(tmp_path: Path) -> None:
    recipe = TextRecipe(Budget(steps=3), n_scenes=4, n_held_out=2, dim=32)
    hashes = []
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        train(replace(recipe, seed=seed), tmp_path / name)
        hashes.append(load_text_encoder(tmp_path / name / "export", "cpu").checkpoint_hash)
    assert hashes[0] == hashes[1] != hashes[2]
