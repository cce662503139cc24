"""Original GroundingDINO checkpoints (`.pth`) as transformers configurations and weights.

`groundingdino_swint_ogc.pth`, `groundingdino_swinb_cogcoor.pth`, and any other of their layout.
All sizes are read off the tensors, so the file name does not matter. Names are those that
checkpoints on the hub have; transformers renames them to what its version calls them.

Source: the model files of IDEA-Research/GroundingDINO (groundingdino/config).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError
from rvosbench.models.weights import renamed

if TYPE_CHECKING:
    from transformers import GroundingDinoConfig

Weights = Mapping[str, Tensor]

HEADS, POINTS = 8, 4
"""Of every configuration of the authors; tensors do not tell them."""

BERT_HEAD_WIDTH = 64

UNUSED = re.compile(
    r"^label_enc\.weight$"  # of the denoising training
    r"|^bert\.pooler\.|^bert\.embeddings\.position_ids$"
    r"|^backbone\.0\..*\.relative_position_index$"  # constant
)
"""Tensors that take no part in detection."""

NAMES = Path(__file__).parent / "original_names.txt"

_FUSED = re.compile(r"^(.*\.)(?:qkv\.|in_proj_)(weight|bias)$")

_SHARED = re.compile(r"^(?:model\.decoder\.)?bbox_embed\.\d+\.")
"""One box head, which checkpoints may hold once or once a decoder layer."""


def needed(original: Weights) -> dict[str, Tensor]:
    """The tensors of an original checkpoint that take part in detection."""
    return {name: value for name, value in original.items() if not UNUSED.search(name)}


def convert_weights(original: Weights) -> dict[str, Tensor]:
    """All tensors under their hub names, float32; fused attention weights are cut in three."""
    converted: dict[str, Tensor] = {}
    for name, value in original.items():
        new, tensor = renamed(name, NAMES), value.float()
        if match := _FUSED.match(new):
            parts = zip(("query", "key", "value"), tensor.chunk(3), strict=True)
            converted |= {f"{match[1]}{part}.{match[2]}": t.clone() for part, t in parts}
        else:
            converted[new] = tensor
    return converted


def find_converted(converted: Weights, original_name: str) -> Tensor:
    """A tensor by its original name, fused, repeated as it was; raises WeightsError if absent."""
    new = renamed(original_name, NAMES)
    if match := _FUSED.match(new):
        names = [f"{match[1]}{part}.{match[2]}" for part in ("query", "key", "value")]
        if all(name in converted for name in names):
            return torch.cat([converted[name] for name in names])
    for name in (new, _SHARED.sub(r"bbox_embed.0.", new)):
        if name in converted:
            return converted[name]
    raise WeightsError(f"the weights have no {new!r} (original: {original_name!r}).")


def original_config(original: Weights) -> GroundingDinoConfig:
    """The configuration of a checkpoint; raises WeightsError for what is none of the authors."""
    from transformers import GroundingDinoConfig

    levels, width = _shape(original, "transformer.level_embed")
    for part in ("encoder.layers.0.self_attn", "decoder.layers.0.cross_attn"):
        _check_points(original, f"transformer.{part}.sampling_offsets.weight", levels)
    return GroundingDinoConfig(
        backbone_config=_swin_config(original),
        text_config=_bert_config(original),
        d_model=width,
        num_queries=_shape(original, "transformer.tgt_embed.weight")[0],
        num_feature_levels=levels,
        encoder_layers=_count(original, r"^transformer\.encoder\.layers\.(\d+)\."),
        decoder_layers=_count(original, r"^transformer\.decoder\.layers\.(\d+)\."),
        encoder_ffn_dim=_shape(original, "transformer.encoder.layers.0.linear1.weight")[0],
        decoder_ffn_dim=_shape(original, "transformer.decoder.layers.0.linear1.weight")[0],
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_n_points=POINTS,
        decoder_n_points=POINTS,
    )


def _swin_config(original: Weights) -> dict[str, object]:
    width = _shape(original, "backbone.0.patch_embed.proj.weight")[0]
    stages = range(_count(original, r"^backbone\.0\.layers\.(\d+)\."))
    tables = [
        _shape(original, f"backbone.0.layers.{i}.blocks.0.attn.relative_position_bias_table")
        for i in stages
    ]
    window = (round(tables[0][0] ** 0.5) + 1) // 2  # a table has (2 window - 1)^2 rows
    return {
        "model_type": "swin",
        "embed_dim": width,
        "depths": [
            _count(original, rf"^backbone\.0\.layers\.{i}\.blocks\.(\d+)\.") for i in stages
        ],
        "num_heads": [table[1] for table in tables],
        "window_size": window,
        "image_size": 384 if window == 12 else 224,  # changes no number: frames have any size
        "out_indices": [2, 3, 4],
    }


def _bert_config(original: Weights) -> dict[str, object]:
    embeddings = "bert.embeddings."
    tokens, width = _shape(original, embeddings + "word_embeddings.weight")
    return {
        "model_type": "bert",
        "vocab_size": tokens,
        "hidden_size": width,
        "num_hidden_layers": _count(original, r"^bert\.encoder\.layer\.(\d+)\."),
        "num_attention_heads": max(width // BERT_HEAD_WIDTH, 1),
        "intermediate_size": _shape(original, "bert.encoder.layer.0.intermediate.dense.weight")[0],
        "max_position_embeddings": _shape(original, embeddings + "position_embeddings.weight")[0],
    }


def _check_points(original: Weights, name: str, levels: int) -> None:
    rows, wanted = _shape(original, name)[0], HEADS * levels * POINTS * 2
    if rows != wanted:
        raise WeightsError(
            f"not an original GroundingDINO: {name} has {rows} rows, wanted {wanted} ({HEADS} "
            f"heads, {levels} levels, {POINTS} points)."
        )


def _count(original: Weights, pattern: str) -> int:
    return len({m[1] for name in original if (m := re.match(pattern, name))})


def _shape(original: Weights, name: str) -> torch.Size:
    if name not in original:
        known = ", ".join(sorted(original)[:3]) or "none"
        raise WeightsError(
            f"not an original GroundingDINO checkpoint: it has no tensor {name!r} among its "
            f"{len(original)} (such as {known})."
        )
    return original[name].shape
