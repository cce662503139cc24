"""The vocabulary of BERT for original GroundingDINO checkpoints, which do not carry it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvosbench.errors import WeightsError
from rvosbench.models.weights import fetch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HUB_ID = "google-bert/bert-base-uncased"
FILES = ("tokenizer.json", "vocab.txt")
SPECIAL = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
"""Ids that the network has built in as borders of phrases."""


def open_vocabulary(checkpoint: Path, size: int) -> PreTrainedTokenizerBase:
    """The tokenizer of an original checkpoint.

    Looked for in the checkpoint's folder, in `bert-base-uncased` below it, and on the hub (in its
    cache without a network).

    Args:
        checkpoint: the `.pth` file.
        size: rows of its word embeddings, which the vocabulary must have too.

    Raises:
        WeightsError: none is there, or it is another vocabulary.
    """
    beside = checkpoint.parent
    for folder in (beside, beside / HUB_ID.rpartition("/")[2]):
        if any((folder / name).is_file() for name in FILES):
            break
    else:
        advice = (
            f"An original checkpoint has no vocabulary of its own. Put vocab.txt of {HUB_ID} into "
            f"{beside} (`hf download {HUB_ID} vocab.txt --local-dir {beside}`)."
        )
        wanted = [*FILES, "tokenizer_config.json"]
        folder = fetch(HUB_ID, wanted, f"the vocabulary for {checkpoint},", advice)
    tokenizer = _open(folder)
    _check(tokenizer, size, folder)
    return tokenizer


def _open(folder: Path) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer, BertTokenizer

    described = (folder / "tokenizer_config.json").is_file()
    kind: Any = AutoTokenizer if described else BertTokenizer
    try:
        tokenizer: PreTrainedTokenizerBase = kind.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{folder}: its vocabulary cannot be opened ({error}).") from error
    return tokenizer


def _check(tokenizer: PreTrainedTokenizerBase, size: int, folder: Path) -> None:
    ids = dict(zip(SPECIAL, tokenizer.convert_tokens_to_ids(list(SPECIAL)), strict=True))
    if len(tokenizer) != size or ids != SPECIAL:
        raise WeightsError(
            f"{folder}: not the vocabulary of this checkpoint: {len(tokenizer)} tokens, wanted "
            f"{size}; special tokens {ids}, wanted {SPECIAL}. It is that of {HUB_ID}."
        )
