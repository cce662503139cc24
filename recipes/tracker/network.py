"""The configuration of the small SAM2 of the demo preset.

Sizes are multiples of 32 so that every level of the feature pyramid is exact; the memory has 64
channels by construction, so the hidden size is a multiple of 64 above 64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvosbench.errors import ConfigurationError

if TYPE_CHECKING:
    from transformers import Sam2VideoConfig

MEMORY_CHANNELS = 64


def tiny_config(image_size: int = 128, dim: int = 128) -> Sam2VideoConfig:
    """Configuration of a small SAM2 (about 3 million parameters).

    Args:
        image_size: side of the square input in pixels, a multiple of 32.
        dim: hidden size and pointer size, a multiple of 64 above 64.

    Returns:
        A transformers configuration; tracked frames use the single-mask token, image prompts the
        three tokens of multimask output.

    Raises:
        ConfigurationError: if `image_size` or `dim` does not fit the network.
    """
    _check_sizes(image_size, dim)
    from transformers import Sam2VideoConfig

    top = image_size // 16
    return Sam2VideoConfig(
        image_size=image_size,
        vision_config=_vision_config(image_size, dim),
        prompt_encoder_config={"hidden_size": dim, "image_size": image_size},
        mask_decoder_config={
            "hidden_size": dim,
            "mlp_dim": 2 * dim,
            "num_attention_heads": 4,
            "iou_head_hidden_dim": dim,
            "dynamic_multimask_via_stability": False,
        },
        multimask_output_for_tracking=False,
        enable_temporal_pos_encoding_for_object_pointers=False,  # as SAM 2.0
        memory_attention_hidden_size=dim,
        memory_attention_num_layers=2,
        memory_attention_feed_forward_hidden_size=2 * dim,
        memory_attention_dropout=0.0,
        memory_attention_rope_dropout=0.0,
        memory_attention_rope_feat_sizes=[top, top],
        memory_encoder_hidden_size=dim,
        mask_downsampler_embed_dim=dim,
        memory_fuser_embed_dim=dim,
        memory_fuser_intermediate_dim=2 * dim,
    )


def _check_sizes(image_size: int, dim: int) -> None:
    if image_size <= 0 or image_size % 32:
        raise ConfigurationError(
            f"image_size {image_size}: SAM2 needs a positive multiple of 32 (e.g. 128, 256, 1024)."
        )
    if dim <= MEMORY_CHANNELS or dim % MEMORY_CHANNELS:
        raise ConfigurationError(
            f"dim {dim}: SAM2 splits its pointers into {MEMORY_CHANNELS}-channel memory tokens, "
            f"so dim must be a multiple of {MEMORY_CHANNELS} above {MEMORY_CHANNELS}."
        )


def _vision_config(image_size: int, dim: int) -> dict[str, object]:
    widths = [48, 96, 160, 192]  # each stage wider: the network pools only where widths change
    return {
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "image_size": [image_size, image_size],
            "hidden_size": widths[0],
            "embed_dim_per_stage": widths,
            "blocks_per_stage": [1, 2, 4, 1],
            "num_attention_heads_per_stage": [1, 2, 4, 4],
            "window_size_per_stage": [8, 8, 8, 4],
            "global_attention_blocks": [5],
        },
        "backbone_channel_list": widths[::-1],
        "backbone_feature_sizes": [[image_size // s, image_size // s] for s in (4, 8, 16)],
        "fpn_hidden_size": dim,
    }
