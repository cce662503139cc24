"""Text encoders of transformers behind our types: expressions in, text tokens out.

SOLA uses the last hidden states of RoBERTa-large (sentence-transformers/all-roberta-large-v1);
any encoder that `transformers.AutoModel` opens will do, such as a BERT or a MiniLM.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvosbench.errors import WeightsError, first_line
from rvosbench.models.runtime import check_dtype, choose_device, choose_dtype
from rvosbench.models.weights import TEXT_ENCODER, locate, weights_hash

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MAX_BATCH = 64
"""Expressions encoded together; a speed limit for memory, not a part of the result."""


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """A frozen encoder on its device, in evaluation mode.

    Attributes:
        model: gives `last_hidden_state`.
        tokenizer: of the same checkpoint.
        folder: where both came from.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    folder: Path

    @property
    def dim(self) -> int:
        """Channels E of a token."""
        return int(self.model.config.hidden_size)

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens; longer texts lose their end."""
        positions = int(self.model.config.max_position_embeddings)
        offset = 2 if self.model.config.model_type in _OFFSET_POSITIONS else 0
        return min(int(self.tokenizer.model_max_length), positions - offset)

    @cached_property
    def checkpoint_hash(self) -> str:
        """sha256 (hex) of the weights and of the tokenizer: both change every number."""
        return weights_hash(self.folder, TEXT_ENCODER)

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encodes expressions.

        Args:
            texts: any number, in any order; an empty list gives an empty list.

        Returns:
            For each text (W, E) float32: the last hidden state of every token, the first and last
            being the tokenizer's own (`<s>`, `</s>`). No padding. Texts of equal length are encoded
            together, so no result depends on which others were asked for, beyond rounding.
        """
        import torch

        if not texts:
            return []
        encoded = self.tokenizer(list(texts), truncation=True, max_length=self.max_tokens)
        tokens: list[list[int]] = encoded["input_ids"]
        features: list[NDArray[np.float32]] = [np.empty((0, self.dim), np.float32)] * len(tokens)
        for rows in equal_lengths(tokens, MAX_BATCH):
            ids = torch.tensor([tokens[row] for row in rows], device=self.model.device)
            with torch.inference_mode():
                states = self.model(input_ids=ids, attention_mask=torch.ones_like(ids))[0]
            for row, state in zip(rows, states.float().cpu().numpy(), strict=True):
                features[row] = state.copy()
        return features


def load_text_encoder(
    source: str | Path, device: str = "auto", dtype: str = "float32"
) -> TextEncoder:
    """Loads an encoder and its tokenizer.

    Args:
        source: as for `locate`; no checkpoint file.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        dtype: type to compute in: "auto", "float32", "bfloat16" or "float16"; stored weights of
            any type are converted.

    Raises:
        WeightsError: nothing there, not available, or not an encoder; says what to do.
        ConfigurationError: an unknown device or dtype.
    """
    chosen = choose_device(device)
    kind = choose_dtype(dtype, chosen)
    check_dtype(kind, TEXT_ENCODER.title)
    import torch
    from safetensors import SafetensorError

    folder = locate(source, TEXT_ENCODER)
    try:
        with no_progress_bars():
            model, tokenizer = _load(folder)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise WeightsError(
            f"{source}: cannot be opened as a text encoder ({first_line(error)}). "
            f"{TEXT_ENCODER.advice}"
        ) from error
    model = model.eval().requires_grad_(False).to(device=chosen, dtype=getattr(torch, kind))
    return TextEncoder(model, tokenizer, folder)


_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "camembert", "mpnet"}  # these begin to count at 2


def _load(folder: Path) -> tuple[Any, Any]:
    import torch
    from transformers import MODEL_MAPPING, AutoConfig, AutoTokenizer

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    model_type = MODEL_MAPPING[type(config)]
    # We read tokens, never the pooler; made without one, none is left at random values.
    parameters = inspect.signature(model_type.__init__).parameters
    options = {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}
    # float32 whatever is stored: the caller's dtype is applied to loaded weights, once.
    model = model_type.from_pretrained(
        folder, config=config, local_files_only=True, dtype=torch.float32, **options
    )
    return model, AutoTokenizer.from_pretrained(folder, local_files_only=True)


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """The bars of transformers would break into those of the command line."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def equal_lengths(tokens: Sequence[Sequence[int]], at_once: int) -> Iterator[list[int]]:
    """Rows of equal length, some at a time: without padding nothing has to be masked."""
    by_length: dict[int, list[int]] = {}
    for row, ids in enumerate(tokens):
        by_length.setdefault(len(ids), []).append(row)
    for rows in by_length.values():
        for begin in range(0, len(rows), at_once):
            yield rows[begin : begin + at_once]
