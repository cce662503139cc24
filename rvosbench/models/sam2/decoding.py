"""One frame through SAM2: image features, and the mask, pointer and presence of each object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.models.sam2.outputs import FrameFeatures, FrameOutput

if TYPE_CHECKING:
    from transformers import Sam2VideoModel

NO_OBJECT_LOGIT = -1024.0  # mask logit of an object that is judged absent from the frame


def encode_frames(model: Sam2VideoModel, pixels: Tensor) -> FrameFeatures:
    """Image features of normalised frames (B, 3, S, S); differentiable."""
    levels = list(model.vision_encoder(pixels, return_dict=True).fpn_hidden_states)
    decoder = model.mask_decoder
    return FrameFeatures((decoder.conv_s0(levels[0]), decoder.conv_s1(levels[1]), levels[2]))


def decode(
    model: Sam2VideoModel,
    features: FrameFeatures,
    top: Tensor,
    masks: Tensor | None,
    *,
    multimask: bool = False,
) -> FrameOutput:
    """The mask, pointer and presence of N objects in a frame, without points.

    Args:
        model: the network.
        features: gives the two high-resolution maps.
        top: (N or 1, D, h, w) features, conditioned on memory or not.
        masks: (N, 1, S/4, S/4) dense mask prompts, or None (then N is `top`'s).
        multimask: take the best of the three multimask tokens instead of the single-mask token.

    Returns:
        A FrameOutput whose `frame` is -1.
    """
    n = top.shape[0] if masks is None else masks.shape[0]
    points = top.new_zeros(n, 1, 1, 2)
    labels = torch.full((n, 1, 1), -1, dtype=torch.int32, device=top.device)
    sparse, dense = model.prompt_encoder(points, labels, None, masks)
    logits, quality, tokens, presence = model.mask_decoder(
        image_embeddings=top.expand(n, -1, -1, -1),
        image_positional_embeddings=model.get_image_wide_positional_embeddings(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=multimask,
        high_resolution_features=list(features.maps[:2]),
    )
    best = quality[:, 0].argmax(-1)
    rows = torch.arange(n, device=top.device)
    raw, token, there = logits[rows, 0, best], tokens[rows, 0, best], presence[:, 0] > 0
    gated = torch.where(there[..., None], raw, NO_OBJECT_LOGIT)
    pointers = torch.where(there, model.object_pointer_proj(token), model.no_object_pointer)
    return FrameOutput(-1, gated, pointers, presence[:, 0, 0], raw)


def tracks_with_multimask(model: Sam2VideoModel) -> bool:
    """Whether frames without prompts take the best multimask token (SAM 2) or the single one."""
    config = model.config
    wanted = config.multimask_output_in_sam and config.multimask_output_for_tracking
    return bool(wanted and config.multimask_min_pt_num <= 0 <= config.multimask_max_pt_num)
