"""Original GroundingDINO checkpoints (`.pth`) as transformers configurations and weights.

`groundingdino_swint_ogc.pth`, `groundingdino_swinb_cogcoor.pth`, and any other of their layout.
All sizes are read off the tensors, so the file name does not matter. Names are those that
checkpoints on the hub have; transformers renames them to what its version calls them.

Source: the model files of IDEA-Research/GroundingDINO (groundingdino/config).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError

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

_SWIN = "model.backbone.conv_encoder.model."

# Original name to that on the hub; every rule is applied once to every name, in this order.
RULES: tuple[tuple[str, str], ...] = (
    (r"^backbone\.0\.patch_embed\.proj\.", _SWIN + "embeddings.patch_embeddings.projection."),
    (r"^backbone\.0\.patch_embed\.norm\.", _SWIN + "embeddings.norm."),
    (r"^backbone\.0\.norm1\.", _SWIN + "hidden_states_norms.stage2."),
    (r"^backbone\.0\.norm2\.", _SWIN + "hidden_states_norms.stage3."),
    (r"^backbone\.0\.norm3\.", _SWIN + "hidden_states_norms.stage4."),
    (r"^backbone\.0\.layers\.", _SWIN + "encoder.layers."),
    (r"(\.blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"(\.blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"(\.blocks\.\d+)\.attn\.proj\.", r"\1.attention.output.dense."),
    (r"(\.blocks\.\d+)\.attn\.(qkv\.|relative_)", r"\1.attention.self.\2"),
    (r"(\.blocks\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"(\.blocks\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
    (r"^bert\.", "model.text_backbone."),
    (r"^feat_map\.", "model.text_projection."),
    (r"^input_proj\.", "model.input_proj_vision."),
    (r"^transformer\.tgt_embed\.", "model.query_position_embeddings."),
    (r"^transformer\.enc_out_bbox_embed\.", "model.encoder_output_bbox_embed."),
    (r"^transformer\.decoder\.ref_point_head\.", "model.decoder.reference_points_head."),
    (r"^transformer\.decoder\.norm\.", "model.decoder.layer_norm."),
    (r"^transformer\.encoder\.layers\.(\d+)\.", r"model.encoder.layers.\1.deformable_layer."),
    (
        r"^transformer\.encoder\.text_layers\.(\d+)\.",
        r"model.encoder.layers.\1.text_enhancer_layer.",
    ),
    (r"^transformer\.encoder\.fusion_layers\.(\d+)\.", r"model.encoder.layers.\1.fusion_layer."),
    (r"^transformer\.", "model."),
    (r"(deformable_layer)\.norm1\.", r"\1.self_attn_layer_norm."),
    (r"(deformable_layer)\.norm2\.", r"\1.final_layer_norm."),
    (r"(text_enhancer_layer)\.norm1\.", r"\1.layer_norm_before."),
    (r"(text_enhancer_layer)\.norm2\.", r"\1.layer_norm_after."),
    (r"(fusion_layer)\.gamma_v$", r"\1.vision_param"),
    (r"(fusion_layer)\.gamma_l$", r"\1.text_param"),
    (r"(fusion_layer)\.layer_norm_v\.", r"\1.layer_norm_vision."),
    (r"(fusion_layer)\.layer_norm_l\.", r"\1.layer_norm_text."),
    (r"(fusion_layer\.attn)\.(values_|out_)?v_proj\.", r"\1.\2vision_proj."),
    (r"(fusion_layer\.attn)\.(values_|out_)?l_proj\.", r"\1.\2text_proj."),
    (r"(decoder\.layers\.\d+)\.cross_attn\.", r"\1.encoder_attn."),
    (r"(decoder\.layers\.\d+)\.norm1\.", r"\1.encoder_attn_layer_norm."),
    (r"(decoder\.layers\.\d+)\.ca_text\.", r"\1.encoder_attn_text."),
    (r"(decoder\.layers\.\d+)\.catext_norm\.", r"\1.encoder_attn_text_layer_norm."),
    (r"(decoder\.layers\.\d+)\.norm2\.", r"\1.self_attn_layer_norm."),
    (r"(decoder\.layers\.\d+)\.norm3\.", r"\1.final_layer_norm."),
    (r"\.linear([12])\.", r".fc\1."),
)
_FUSED = re.compile(r"^(.*\.)(?:qkv\.|in_proj_)(weight|bias)$")

_SHARED = re.compile(r"^(?:model\.decoder\.)?bbox_embed\.\d+\.")
"""One box head, which checkpoints may hold once or once a decoder layer."""


def rename(name: str) -> str:
    """The hub's name of an original tensor; fused queries, keys and values keep one name here."""
    for pattern, replacement in RULES:
        name = re.sub(pattern, replacement, name)
    return name


def original_tensors(content: object) -> dict[str, Tensor]:
    """The tensors of an original checkpoint that detection needs, under their plain names.

    Args:
        content: of the file: a dictionary of tensors, or one that has it as "model"; names may
            begin with "module.".
    """
    inner = content.get("model", content) if isinstance(content, dict) else {}
    named = inner.items() if isinstance(inner, Mapping) else ()
    plain = {str(k).removeprefix("module."): v for k, v in named if isinstance(v, Tensor)}
    return {k: v for k, v in plain.items() if not UNUSED.search(k)}


def convert_weights(original: Weights) -> dict[str, Tensor]:
    """All tensors under their hub names, float32; fused attention weights are cut in three."""
    converted: dict[str, Tensor] = {}
    for name, value in original.items():
        new, tensor = rename(name), value.float()
        if match := _FUSED.match(new):
            parts = zip(("query", "key", "value"), tensor.chunk(3), strict=True)
            converted |= {f"{match[1]}{part}.{match[2]}": t.clone() for part, t in parts}
        else:
            converted[new] = tensor
    return converted


def find_converted(converted: Weights, original_name: str) -> Tensor:
    """The tensor of an original name among those with hub names, fused and repeated as it was.

    Raises:
        WeightsError: it is not there.
    """
    new = rename(original_name)
    if match := _FUSED.match(new):
        names = [f"{match[1]}{part}.{match[2]}" for part in ("query", "key", "value")]
        if all(name in converted for name in names):
            return torch.cat([converted[name] for name in names])
    for name in (new, _SHARED.sub(r"bbox_embed.0.", new)):
        if name in converted:
            return converted[name]
    raise WeightsError(f"the weights have no {new!r} (original: {original_name!r}).")


def original_config(original: Weights) -> GroundingDinoConfig:
    """The configuration that a checkpoint was made with.

    Raises:
        WeightsError: the tensors are not those of a GroundingDINO of its authors.
    """
    from transformers import GroundingDinoConfig

    layer = "transformer.{}.layers.0."
    levels, width = _shape(original, "transformer.level_embed")
    encoder_ffn = _shape(original, layer.format("encoder") + "linear1.weight")[0]
    decoder_ffn = _shape(original, layer.format("decoder") + "linear1.weight")[0]
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
        encoder_ffn_dim=encoder_ffn,
        decoder_ffn_dim=decoder_ffn,
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
