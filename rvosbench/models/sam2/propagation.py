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
from typing import Any, Protocol

import torch
from torch import Tensor

from rvosbench.models.sam2.decoding import FrameFeatures, FrameOutput
from rvosbench.models.sam2.memory import MemoryBank


class Objects(Protocol):
    """Objects that are computed together, and what is remembered of them."""

    def prompt(self, features: FrameFeatures, masks: Tensor) -> FrameOutput:
        """The prompted frame, from its masks (N, H, W); before all others."""

    def track(self, features: FrameFeatures, frame: int, step: int) -> FrameOutput:
        """The next frame in direction `step` (1 or -1)."""


def propagate(  # noqa: PLR0913 - a network, a video, its prompts, and how to go through it
    model: Any,  # noqa: ANN401 - of any backend
    features: Callable[[int], FrameFeatures],
    n_frames: int,
    prompt_frame: int,
    prompt_masks: Tensor,
    *,
    batch_size: int | None = None,
    objects: Callable[[Any, int, int], Objects] = MemoryBank,
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
    ahead, behind = range(prompt_frame + 1, n_frames), range(prompt_frame - 1, -1, -1)
    for frame, step in [(prompt_frame, 0), *((f, 1) for f in ahead), *((f, -1) for f in behind)]:
        with mode():
            maps = features(frame)
            output = merge(
                [
                    b.track(maps.rows(r), frame, step)
                    if step
                    else b.prompt(maps.rows(r), prompt_masks[r])
                    for b, r in zip(batches, rows, strict=True)
                ]
            )
        yield output


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
