"""Finding and reading GroundingDINO weights: a hub id, a local folder or an original `.pth`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError, first_line
from rvosbench.models.grounding_dino.original_checkpoint import (
    convert_weights,
    original_config,
    original_tensors,
)
from rvosbench.models.grounding_dino.vocabulary import open_vocabulary
from rvosbench.models.weights import CONFIG_FILE, GROUNDER, WEIGHTS_FILE, locate, weights_hash

if TYPE_CHECKING:
    from transformers import GroundingDinoConfig, PreTrainedTokenizerBase


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
        sha256: see `weights_hash`; of an original file, its own.
        frame_size: how large frames are made.
    """

    place: Path
    config: GroundingDinoConfig
    weights: Mapping[str, Tensor]
    tokenizer: PreTrainedTokenizerBase
    sha256: str
    frame_size: FrameSize


def read_grounder(source: str | Path) -> GrounderFiles:
    """Reads weights and tokenizer.

    Raises:
        WeightsError: nothing there, or not a GroundingDINO.
    """
    path = locate(source, GROUNDER)
    return _from_original(path) if path.is_file() else _from_folder(path)


def _from_folder(folder: Path) -> GrounderFiles:
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, GroundingDinoConfig

    kind = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")).get("model_type")
    if kind != "grounding-dino":
        raise WeightsError(
            f"{folder / 'config.json'}: model_type is {kind!r}, wanted 'grounding-dino'. "
            f"{GROUNDER.advice}"
        )
    try:
        config = GroundingDinoConfig.from_pretrained(folder, local_files_only=True)
        weights = {k: v.float() for k, v in load_file(folder / WEIGHTS_FILE).items()}
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise WeightsError(f"{folder}: cannot be opened ({first_line(error)}).") from error
    return GrounderFiles(
        folder, config, weights, tokenizer, weights_hash(folder, GROUNDER), _frame_size(folder)
    )


def _from_original(path: Path) -> GrounderFiles:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling errors are of many kinds
        raise WeightsError(
            f"{path}: cannot be read as an original GroundingDINO checkpoint "
            f"({type(error).__name__}). {GROUNDER.advice}"
        ) from error
    original = original_tensors(content)
    config, weights = original_config(original), convert_weights(original)
    tokenizer = open_vocabulary(path, config.text_config.vocab_size)
    return GrounderFiles(
        path, config, weights, tokenizer, weights_hash(path, GROUNDER), FrameSize()
    )


def _frame_size(folder: Path) -> FrameSize:
    """From the checkpoint's preprocessing file, or the original sizes."""
    path = folder / "preprocessor_config.json"
    size = json.loads(path.read_text(encoding="utf-8")).get("size", {}) if path.is_file() else {}
    plain = FrameSize()
    return FrameSize(
        int(size.get("shortest_edge", plain.shortest)), int(size.get("longest_edge", plain.longest))
    )
