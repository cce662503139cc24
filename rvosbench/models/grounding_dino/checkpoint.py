"""GroundingDINO weights and their vocabulary: a folder of transformers, or an original `.pth`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvosbench.errors import WeightsError, first_line
from rvosbench.models.grounding_dino.original_checkpoint import (
    convert_weights,
    needed,
    original_config,
)
from rvosbench.models.weights import (
    GROUNDER,
    WEIGHTS_FILE,
    fetch,
    locate,
    read_config,
    read_original,
)

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import GroundingDinoConfig, PreTrainedTokenizerBase

VOCABULARY = "google-bert/bert-base-uncased"
VOCABULARY_FILES = ("tokenizer.json", "vocab.txt")
SPECIAL = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
"""Ids that the network has built in as borders of phrases."""


@dataclass(frozen=True)
class FrameSize:
    """Frames are scaled, keeping their shape, until a side has one of these lengths in pixels.

    Attributes:
        shortest: wanted length of the shorter side.
        longest: most that the longer side may have.
    """

    shortest: int = 800
    longest: int = 1333

    def of(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) after scaling a frame of (height, width)."""
        short, long = min(size), max(size)
        side = self.shortest
        if long / short * side > self.longest:
            side = round(self.longest * short / long)
        if side == short:
            return size
        other = int(side * long / short)
        return (side, other) if size[0] <= size[1] else (other, side)


@dataclass(frozen=True)
class GrounderFiles:
    """What was read of a GroundingDINO, before any network is built.

    Attributes:
        place: the folder or file.
        config: of transformers.
        weights: float32 tensors under the names that they have on the hub.
        tokenizer: of the same checkpoint.
        frame_size: how large frames are made.
    """

    place: Path
    config: GroundingDinoConfig
    weights: Mapping[str, Tensor]
    tokenizer: PreTrainedTokenizerBase
    frame_size: FrameSize = FrameSize()


def read_grounder(source: str | Path) -> GrounderFiles:
    """Reads weights and tokenizer; raises WeightsError: nothing there, or not a GroundingDINO."""
    path = locate(source, GROUNDER)
    if path.is_dir():
        return _from_folder(path)
    original = needed(read_original(path, GROUNDER))
    config = original_config(original)
    tokenizer = open_vocabulary(path, config.text_config.vocab_size)
    return GrounderFiles(path, config, convert_weights(original), tokenizer)


def _from_folder(folder: Path) -> GrounderFiles:
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, GroundingDinoConfig

    read_config(folder, GROUNDER)
    try:
        config = GroundingDinoConfig.from_pretrained(folder, local_files_only=True)
        weights = {k: v.float() for k, v in load_file(folder / WEIGHTS_FILE).items()}
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise WeightsError(f"{folder}: cannot be opened ({first_line(error)}).") from error
    return GrounderFiles(folder, config, weights, tokenizer, _frame_size(folder))


def _frame_size(folder: Path) -> FrameSize:
    """From the checkpoint's preprocessing file, or the original sizes."""
    path = folder / "preprocessor_config.json"
    size = json.loads(path.read_text(encoding="utf-8")).get("size", {}) if path.is_file() else {}
    plain = FrameSize()
    return FrameSize(
        int(size.get("shortest_edge", plain.shortest)), int(size.get("longest_edge", plain.longest))
    )


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
    for folder in (beside, beside / VOCABULARY.rpartition("/")[2]):
        if any((folder / name).is_file() for name in VOCABULARY_FILES):
            break
    else:
        advice = (
            "An original checkpoint has no vocabulary of its own. Put vocab.txt of "
            f"{VOCABULARY} into {beside} (`hf download {VOCABULARY} vocab.txt --local-dir "
            f"{beside}`)."
        )
        wanted = [*VOCABULARY_FILES, "tokenizer_config.json"]
        folder = fetch(VOCABULARY, wanted, f"the vocabulary for {checkpoint},", advice)
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
            f"{size}; special tokens {ids}, wanted {SPECIAL}. It is that of {VOCABULARY}."
        )
