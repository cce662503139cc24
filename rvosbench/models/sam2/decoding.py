"""One frame through SAM2: image features, and the mask, pointer and presence of each object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import Sam2VideoModel

NO_OBJECT_LOGIT = -1024.0  # mask logit of an object that is judged absent from the frame


@dataclass(frozen=True)
class FrameFeatures:
    """Image features of one frame: three maps from high to low resolution.

    Attributes:
        maps: (B, D/8, S/4, S/4), (B, D/4, S/8, S/8), (B, D, S/16, S/16) with B either 1 (shared by
            all objects) or the number of objects (training, where objects come from many clips).
    """

    maps: tuple[Tensor, Tensor, Tensor]

    def rows(self, index: slice) -> FrameFeatures:
        """The features of some of the objects; shared features stay shared."""
        if self.maps[0].shape[0] == 1:
            return self
        high, middle, low = (level[index] for level in self.maps)
        return FrameFeatures((high, middle, low))


@dataclass(frozen=True)
class PromptOutput:
    """Candidate masks of B x P prompts.

    Attributes:
        logits: (B, P, 3 or 1, S/4, S/4), not suppressed when the prompt hits nothing (as in the
            original image predictor).
        iou: (B, P, 3 or 1) predicted quality, in [0, 1].
        presence: (B, P) logits of there being an object at all.
    """

    logits: Tensor
    iou: Tensor
    presence: Tensor


@dataclass(frozen=True)
class FrameOutput:
    """What the tracker says of N objects in one frame.

    Attributes:
        frame: index of the frame in the video.
        logits: (N, S/4, S/4) mask logits; those of an absent object are far below 0 everywhere.
        pointers: (N, D) object tokens.
        presence: (N,) logits; positive where the object is judged to be in the frame.
        raw_logits: (N, S/4, S/4) mask logits before absence is applied, for training.
    """

    frame: int
    logits: Tensor
    pointers: Tensor
    presence: Tensor
    raw_logits: Tensor


def encode_frames(model: Sam2VideoModel, pixels: Tensor) -> FrameFeatures:
    """Image features of normalised frames (B, 3, S, S); differentiable."""
    levels = list(model.vision_encoder(pixels, return_dict=True).fpn_hidden_states)
    decoder = model.mask_decoder
    return FrameFeatures((decoder.conv_s0(levels[0]), decoder.conv_s1(levels[1]), levels[2]))


def decode_prompts(
    model: Sam2VideoModel,
    features: FrameFeatures,
    *,
    points: Tensor | None = None,
    labels: Tensor | None = None,
    boxes: Tensor | None = None,
    multimask: bool = True,
) -> PromptOutput:
    """Masks for point or box prompts; differentiable.

    Args:
        model: the network.
        features: of B frames.
        points: (B, P, K, 2) x, y in pixels of the network's input.
        labels: (B, P, K) int, 1 on the object, 0 beside it.
        boxes: (B, P, 4) left, top, right, bottom in the same pixels.
        multimask: three masks a prompt (part, whole, ...), or the one of the single-mask token.

    Returns:
        Three masks of every prompt, or one.
    """
    sparse, dense = model.prompt_encoder(points, labels, boxes, None)
    top = features.maps[2] + model.no_memory_embedding.reshape(1, -1, 1, 1)
    logits, iou, _, presence = model.mask_decoder(
        image_embeddings=top,
        image_positional_embeddings=model.get_image_wide_positional_embeddings().expand(
            top.shape[0], -1, -1, -1
        ),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=multimask,
        high_resolution_features=list(features.maps[:2]),
    )
    return PromptOutput(logits, iou, presence[..., 0])


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
    import torch

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


def prompt_masks_at(masks: Tensor, size: int) -> Tensor:
    """Masks (N, H, W) as 0/1 floats at the network's size, (N, 1, S, S): antialiased, >= 0.5."""
    scaled = masks[:, None].float()
    if scaled.shape[-2:] != (size, size):
        scaled = resized(scaled, (size, size), antialias=True)
    return (scaled >= 0.5).float()


def resized(maps: Tensor, size: tuple[int, int], *, antialias: bool = False) -> Tensor:
    """Maps (N, C, h, w) at another (height, width), bilinearly."""
    import torch.nn.functional as F  # noqa: N812 - torch's own convention

    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False, antialias=antialias)
