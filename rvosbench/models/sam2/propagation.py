"""Mask-prompted propagation of many objects at once, in inference and in training.

`transformers` runs its objects one after another and under inference mode only; here the same
sub-modules are called with the objects in one batch, and gradients flow. Objects never see each
other, so a batch of objects gives what each object alone gives.

Memory is a window, not the video: seven spatial memories and sixteen pointers (`num_maskmem` and
`max_object_pointers_in_encoder` of the configuration) around the current and the prompted frame.

Source: Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, section 4. A
mask-prompted frame takes its pointer from the single-mask token, as the original implementation
does (transformers 5 takes the best of the multimask tokens there).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from rvosbench.models.sam2.decoding import (
    FrameFeatures,
    FrameOutput,
    decode,
    tracks_with_multimask,
)
from rvosbench.models.sam2.memory import MemoryBank

if TYPE_CHECKING:
    from transformers import Sam2VideoModel


class Objects(Protocol):
    """Objects that are computed together, and what is remembered of them."""

    def prompt(self, features: FrameFeatures, masks: Tensor) -> FrameOutput:
        """The prompted frame, from its masks (N, H, W); before all others."""

    def track(self, features: FrameFeatures, frame: int, step: int) -> FrameOutput:
        """The next frame in direction `step` (1 or -1)."""


class RememberedObjects:
    """Objects in a network of transformers, and their memory; arguments as of `MemoryBank`."""

    def __init__(self, model: Sam2VideoModel, n_frames: int, prompt_frame: int) -> None:
        self.memory = MemoryBank(model, n_frames, prompt_frame)

    def prompt(self, features: FrameFeatures, masks: Tensor) -> FrameOutput:
        """The prompted frame: the mask is shown as given, the decoder only gives a pointer."""
        model, frame = self.memory.model, self.memory.prompt_frame
        dtype, side = features.maps[2].dtype, model.image_size
        full = prompt_masks_at(masks, side).to(dtype)
        small = model.prompt_encoder.mask_input_size
        logits = resized((full * 20.0 - 10.0).float(), small, antialias=True).to(dtype)
        dense = model.mask_downsample(full)
        decoded = decode(model, features, features.maps[2], dense, multimask=False)
        there = full.flatten(1).any(dim=1, keepdim=True)
        pointers = torch.where(there, decoded.pointers, model.no_object_pointer)
        presence = there.to(dtype) * 20.0 - 10.0
        # The original remembers the mask as it is shown at the decoder's size, not as it was given.
        shown = (resized(logits.float(), (side, side)) > 0).to(dtype)
        self.memory.remember(features, shown, presence, pointers, frame)
        low = logits[:, 0]
        return FrameOutput(frame, low, pointers, presence[:, 0], low)

    def track(self, features: FrameFeatures, frame: int, step: int) -> FrameOutput:
        """The next frame in direction `step` (1 or -1)."""
        model = self.memory.model
        conditioned = self.memory.attend(features.maps[2], frame, step)
        multimask = tracks_with_multimask(model)
        out = decode(model, features, conditioned, None, multimask=multimask)
        full = resized(out.logits[:, None].float(), (model.image_size, model.image_size))
        memory_mask = torch.sigmoid(full.to(out.logits.dtype))
        self.memory.remember(features, memory_mask, out.presence[:, None], out.pointers, frame)
        self.memory.forget(frame)
        return FrameOutput(frame, out.logits, out.pointers, out.presence, out.raw_logits)


def propagate(  # noqa: PLR0913 - a network, a video, its prompts, and how to go through it
    model: Any,  # noqa: ANN401 - of any backend
    features: Callable[[int], FrameFeatures],
    n_frames: int,
    prompt_frame: int,
    prompt_masks: Tensor,
    *,
    batch_size: int | None = None,
    objects: Callable[[Any, int, int], Objects] = RememberedObjects,
    mode: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[FrameOutput]:
    """Track N objects from their masks in one frame through the whole video.

    Order: the prompted frame, then forward to the last frame, then backward to the first. As in
    the original implementation the backward pass still sees the forward memories near the prompt.

    Args:
        model: the network, in evaluation mode.
        features: gives the features of a frame by its index; called once a frame.
        n_frames: length of the video.
        prompt_frame: index of the frame that `prompt_masks` belong to.
        prompt_masks: bool (N, H, W), any resolution, N >= 1.
        batch_size: objects computed together; bounds memory and changes no result.
        objects: the network, length of the video, prompted frame -> a batch of objects.
        mode: of torch, entered for every frame and left before it is given out: the consumer has
            its own modes.

    Yields:
        One FrameOutput a frame, with the objects in the order of `prompt_masks`.
    """
    size = batch_size or max(len(prompt_masks), 1)
    rows = [slice(start, start + size) for start in range(0, len(prompt_masks), size)]
    batches = [objects(model, n_frames, prompt_frame) for _ in rows]
    with mode():
        maps = features(prompt_frame)
        output = merge(
            [b.prompt(maps.rows(r), prompt_masks[r]) for b, r in zip(batches, rows, strict=True)]
        )
    yield output
    for step in (1, -1):
        last = n_frames if step > 0 else -1
        for frame in range(prompt_frame + step, last, step):
            with mode():
                maps = features(frame)
                output = merge(
                    [b.track(maps.rows(r), frame, step) for b, r in zip(batches, rows, strict=True)]
                )
            yield output


def prompt_masks_at(masks: Tensor, size: int) -> Tensor:
    """Masks (N, H, W) as 0/1 floats at the network's size, (N, 1, S, S): antialiased, >= 0.5."""
    scaled = masks[:, None].float()
    if scaled.shape[-2:] != (size, size):
        scaled = resized(scaled, (size, size), antialias=True)
    return (scaled >= 0.5).float()


def resized(maps: Tensor, size: tuple[int, int], *, antialias: bool = False) -> Tensor:
    """Maps (N, C, h, w) at another (height, width), bilinearly."""
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False, antialias=antialias)


def merge(parts: list[FrameOutput]) -> FrameOutput:
    """The outputs of several batches of objects in one frame as one."""
    if len(parts) == 1:
        return parts[0]
    return FrameOutput(
        parts[0].frame,
        torch.cat([p.logits for p in parts]),
        torch.cat([p.pointers for p in parts]),
        torch.cat([p.presence for p in parts]),
        torch.cat([p.raw_logits for p in parts]),
    )
