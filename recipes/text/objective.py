"""What the small text encoder is trained for."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

PAD, UNKNOWN, MASK = 1, 3, 4  # places in the vocabulary, as RoBERTa has them
N_SPECIAL = 5


class Corpus(NamedTuple):
    """S sentences.

    Attributes:
        ids: (S, W) token ids, padded with PAD.
        meaning: (S, F) bool.
        category: (S,) index.
    """

    ids: Tensor
    meaning: Tensor
    category: Tensor

    def rows(self, index: Tensor) -> Corpus:
        """Some of the sentences."""
        return Corpus(*(tensor[index] for tensor in self))


class Guesses(NamedTuple):
    """Token states (B, W, E), and logits: features of meaning (B, F), category (B, C)."""

    states: Tensor
    meaning: Tensor
    category: Tensor


class MeaningModel(nn.Module):
    """A small RoBERTa with the heads it is trained by; only `encoder` is kept."""

    def __init__(self, n_words: int, dim: int, n_features: int, n_categories: int) -> None:
        """Makes the encoder: two layers, heads of 32 channels."""
        super().__init__()
        from transformers import RobertaConfig, RobertaModel

        config = RobertaConfig(
            vocab_size=n_words,
            hidden_size=dim,
            num_hidden_layers=2,
            num_attention_heads=max(1, dim // 32),
            intermediate_size=2 * dim,
            max_position_embeddings=66,  # 64 tokens: RoBERTa begins to count at 2
            type_vocab_size=1,
            hidden_dropout_prob=0.0,  # far more sentences than weights
            attention_probs_dropout_prob=0.0,
        )
        self.encoder: Any = RobertaModel(config, add_pooling_layer=False)
        self.guess_words = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, n_words))
        self.guess_meaning = nn.Linear(dim, n_features)
        self.guess_category = nn.Linear(dim, n_categories)

    def forward(self, ids: Tensor) -> Guesses:
        """Guesses from (B, W) token ids; meaning and category from the mean of all tokens."""
        valid = ids != PAD
        states = self.encoder(input_ids=ids, attention_mask=valid.long()).last_hidden_state
        mean = (states * valid[..., None]).sum(dim=1) / valid.sum(dim=1, keepdim=True)
        return Guesses(states, self.guess_meaning(mean), self.guess_category(mean))


def corrupt_words(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Hides words, drawing from torch's global generator.

    Returns:
        The ids with 12% of the words masked, 1.5% random and 2% unknown, so that a word never
        seen means "some word"; and where words are to be guessed (B, W) bool, 15%.
    """
    chance = torch.rand(ids.shape)
    chance[ids < N_SPECIAL] = 1.0
    random_words = torch.randint_like(ids, N_SPECIAL, int(ids.max()) + 1)
    hidden = torch.where(chance < 0.12, MASK, ids)
    hidden = torch.where((chance >= 0.12) & (chance < 0.135), random_words, hidden)
    hidden = torch.where((chance >= 0.15) & (chance < 0.17), UNKNOWN, hidden)
    return hidden, chance < 0.15


def loss_of(model: MeaningModel, batch: Corpus) -> Tensor:
    """Scalar: words by cross entropy, meaning by binary cross entropy summed over features."""
    ids = batch.ids[:, : int((batch.ids != PAD).sum(dim=1).max())]
    hidden, wanted = corrupt_words(ids)
    guesses: Guesses = model(hidden)
    words = functional.cross_entropy(model.guess_words(guesses.states[wanted]), ids[wanted])
    meaning = functional.binary_cross_entropy_with_logits(
        guesses.meaning, batch.meaning.float(), reduction="sum"
    ) / len(batch.ids)
    return words + meaning + functional.cross_entropy(guesses.category, batch.category)


def evaluate(model: MeaningModel, corpus: Corpus) -> dict[str, float]:
    """Measures on uncorrupted sentences, in [0, 1].

    Returns:
        `meaning_f1` (over all features of all sentences), `exact` (share of sentences whose
        features are all right) and `category` (accuracy).
    """
    with torch.inference_mode():
        guesses = [model(ids) for ids in corpus.ids.split(512)]  # type: ignore[no-untyped-call]
    found = torch.cat([g.meaning for g in guesses]) > 0
    category = torch.cat([g.category for g in guesses]).argmax(dim=-1)
    both = (found & corpus.meaning).sum().item()
    return {
        "meaning_f1": 2 * both / max(1, int((found.sum() + corpus.meaning.sum()).item())),
        "exact": (found == corpus.meaning).all(dim=1).float().mean().item(),
        "category": (category == corpus.category).float().mean().item(),
    }
