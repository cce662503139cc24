"""SAM2 in image mode: points and boxes to three candidate masks each, without memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from rvosbench.models.sam2.outputs import FrameFeatures, PromptOutput

if TYPE_CHECKING:
    from transformers import Sam2VideoModel


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
