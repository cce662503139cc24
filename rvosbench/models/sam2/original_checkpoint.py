"""Original SAM2 checkpoints (`.pt`) as transformers configurations and state dictionaries.

SAM 2.0 and 2.1, in the sizes tiny, small, base_plus and large. Size and version are read off the
tensors, so the file name does not matter.

Source: the model files of facebookresearch/sam2 (configs/sam2 and configs/sam2.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError

if TYPE_CHECKING:
    from transformers import Sam2VideoConfig

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Hiera:
    """Image encoder of one original size; widths and heads double from stage to stage."""

    name: str
    width: int
    heads: int
    blocks: tuple[int, int, int, int]
    global_blocks: tuple[int, int, int]
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background: int = 7


SIZES = (
    Hiera("tiny", 96, 1, (1, 2, 7, 2), (5, 7, 9)),
    Hiera("small", 96, 1, (1, 2, 11, 2), (7, 10, 13)),
    Hiera("base_plus", 112, 2, (2, 3, 16, 3), (12, 16, 20), background=14),
    Hiera("large", 144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8)),
)

# Original name to ours, tried in order; each rule is applied once to every key.
RULES: tuple[tuple[str, str], ...] = (
    (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
    (r"^image_encoder\.neck\.convs\.(\d+)\.conv\.", r"vision_encoder.neck.convs.\1."),
    (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
    (r"^sam_prompt_encoder\.", "prompt_encoder."),
    (r"^sam_mask_decoder\.", "mask_decoder."),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"\.pe_layer\.positional_encoding_gaussian_matrix$", ".shared_embedding.positional_embedding"),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (
        r"^memory_encoder\.mask_downsampler\.encoder\.12\.",
        "memory_encoder.mask_downsampler.final_conv.",
    ),
    (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
    (r"^memory_encoder\.out_proj\.", "memory_encoder.projection."),
    (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
    (r"\.dwconv\.", ".depthwise_conv."),
    (r"\.pwconv([12])\.", r".pointwise_conv\1."),
    (r"(memory_fuser\.layers\.\d+)\.norm\.", r"\1.layer_norm."),
    (r"(memory_fuser\.layers\.\d+)\.gamma$", r"\1.scale"),
    (r"\.out_proj\.", ".o_proj."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.norm([1-4])\.", r".layer_norm\1."),
    (r"^memory_attention\.norm\.", "memory_attention.layer_norm."),
    (r"^maskmem_tpos_enc$", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed$", "no_memory_embedding"),
    (r"^no_mem_pos_enc$", "no_memory_positional_encoding"),
    (r"^no_obj_ptr$", "no_object_pointer"),
    (r"^no_obj_embed_spatial$", "occlusion_spatial_embedding_parameter"),
    (r"^obj_ptr_proj\.", "object_pointer_proj."),
    (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
)
_TWO_LAYERS = re.compile(r"^(.*\.mlp)\.layers\.([01])\.(.*)$")
_THREE_LAYERS = re.compile(
    r"^(.*(?:hypernetworks_mlps\.\d+|iou_prediction_head|pred_obj_score_head|object_pointer_proj))"
    r"\.layers\.([012])\.(.*)$"
)
_DOWNSAMPLER = re.compile(r"^(memory_encoder\.mask_downsampler)\.encoder\.(\d+)\.(.*)$")
_POINT = re.compile(r"^prompt_encoder\.point_embeddings\.(\d)\.weight$")


def rename(name: str) -> str:
    """The transformers name of an original tensor (point embeddings keep one name each)."""
    for pattern, replacement in RULES:
        name = re.sub(pattern, replacement, name)
    if match := _TWO_LAYERS.match(name):
        return f"{match[1]}.{('proj_in', 'proj_out')[int(match[2])]}.{match[3]}"
    if match := _THREE_LAYERS.match(name):
        return f"{match[1]}.{('proj_in', 'layers.0', 'proj_out')[int(match[2])]}.{match[3]}"
    if match := _DOWNSAMPLER.match(name):
        layer, kind = divmod(int(match[2]), 3)  # convolution, norm, activation, and again
        return f"{match[1]}.layers.{layer}.{('conv', 'layer_norm')[kind]}.{match[3]}"
    return name


def convert_weights(original: Weights) -> dict[str, Tensor]:
    """All tensors under their transformers names, as float32."""
    renamed = {rename(name): value.float() for name, value in original.items()}
    points = {int(m[1]): k for k in renamed if (m := _POINT.match(k))}
    if points:
        stacked = [renamed.pop(points[i]) for i in sorted(points)]
        renamed["prompt_encoder.point_embed.weight"] = torch.cat(stacked)
    shared = renamed.get("prompt_encoder.shared_embedding.positional_embedding")
    if shared is not None:
        renamed["shared_image_embedding.positional_embedding"] = shared.clone()
    return renamed


def find_converted(converted: Weights, original_name: str) -> Tensor:
    """The tensor of an original name among converted ones: the way back.

    Raises:
        WeightsError: it is not there.
    """
    name = rename(original_name)
    if match := _POINT.match(name):
        row = int(match[1])
        return converted["prompt_encoder.point_embed.weight"][row : row + 1]
    if name not in converted:
        raise WeightsError(f"the weights have no {name!r} (original: {original_name!r}).")
    return converted[name]


def original_config(original: Weights, image_size: int = 1024) -> Sam2VideoConfig:
    """The configuration that a checkpoint was made with.

    Raises:
        WeightsError: if the tensors are of none of the original sizes.
    """
    from transformers import Sam2VideoConfig

    hiera = _recognise(original)
    top = image_size // 16
    return Sam2VideoConfig(
        image_size=image_size,
        vision_config=_vision_config(hiera, image_size),
        prompt_encoder_config={"image_size": image_size},
        memory_attention_rope_feat_sizes=[top, top],
        enable_temporal_pos_encoding_for_object_pointers="obj_ptr_tpos_proj.weight" in original,
        enable_occlusion_spatial_embedding="no_obj_embed_spatial" in original,
    )


def _recognise(original: Weights) -> Hiera:
    patch = original.get("image_encoder.trunk.patch_embed.proj.weight")
    blocks = {
        m[1] for k in original if (m := re.match(r"image_encoder\.trunk\.blocks\.(\d+)\.", k))
    }
    width = None if patch is None else patch.shape[0]
    for size in SIZES:
        if size.width == width and sum(size.blocks) == len(blocks):
            return size
    known = ", ".join(f"{s.name} ({s.width} channels, {sum(s.blocks)} blocks)" for s in SIZES)
    raise WeightsError(
        f"not an original SAM2 checkpoint: its image encoder has {width} channels and "
        f"{len(blocks)} blocks; known are {known}."
    )


def _vision_config(hiera: Hiera, image_size: int) -> dict[str, object]:
    widths = [hiera.width * 2**stage for stage in range(4)]
    return {
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "image_size": [image_size, image_size],
            "hidden_size": hiera.width,
            "num_attention_heads": hiera.heads,
            "embed_dim_per_stage": widths,
            "blocks_per_stage": list(hiera.blocks),
            "num_attention_heads_per_stage": [hiera.heads * 2**stage for stage in range(4)],
            "window_size_per_stage": list(hiera.windows),
            "global_attention_blocks": list(hiera.global_blocks),
            "window_positional_embedding_background_size": [hiera.background] * 2,
        },
        "backbone_channel_list": widths[::-1],
        "backbone_feature_sizes": [[image_size // s, image_size // s] for s in (4, 8, 16)],
        "fpn_hidden_size": 256,
    }
