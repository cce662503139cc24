"""The memory of SAM2: a window of past masks and pointers that the current frame attends to.

Source: Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from rvosbench.models.sam2.decoding import (
    FrameFeatures,
    FrameOutput,
    decode,
    prompt_masks_at,
    resized,
    tracks_with_multimask,
)

if TYPE_CHECKING:
    from transformers import Sam2VideoModel


@dataclass
class MemoryBank:
    """N objects that are tracked through a video, and what is remembered of them.

    Attributes:
        model: the network.
        n_frames: length of the video.
        prompt_frame: the frame of the mask prompts; its memory is never forgotten.
        spatial: encoded masks by frame, (h*w, N, 64).
        pointers: object tokens by frame, (N, D).
    """

    model: Sam2VideoModel
    n_frames: int
    prompt_frame: int
    spatial: dict[int, Tensor] = field(default_factory=dict)
    pointers: dict[int, Tensor] = field(default_factory=dict)

    def prompt(self, features: FrameFeatures, masks: Tensor) -> FrameOutput:
        """The prompted frame: the mask is shown as given, the decoder only gives a pointer."""
        model, frame = self.model, self.prompt_frame
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
        self.remember(features, shown, presence, pointers, frame)
        low = logits[:, 0]
        return FrameOutput(frame, low, pointers, presence[:, 0], low)

    def track(self, features: FrameFeatures, frame: int, step: int) -> FrameOutput:
        """The next frame in direction `step` (1 or -1)."""
        model = self.model
        conditioned = self.attend(features.maps[2], frame, step)
        multimask = tracks_with_multimask(model)
        out = decode(model, features, conditioned, None, multimask=multimask)
        full = resized(out.logits[:, None].float(), (model.image_size, model.image_size))
        memory_mask = torch.sigmoid(full.to(out.logits.dtype))
        self.remember(features, memory_mask, out.presence[:, None], out.pointers, frame)
        self.forget(frame)
        return FrameOutput(frame, out.logits, out.pointers, out.presence, out.raw_logits)

    def remember(
        self, features: FrameFeatures, mask: Tensor, presence: Tensor, pointers: Tensor, frame: int
    ) -> None:
        """Encode the frame and its masks (N, 1, S, S), in [0, 1], into the memory of `frame`."""
        config, model = self.model.config, self.model
        scaled = mask * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc
        memory, _ = model.memory_encoder(features.maps[2], scaled)
        occluded = model.occlusion_spatial_embedding_parameter
        if occluded is not None:
            absent = (presence <= 0).to(memory.dtype)
            memory = memory + (absent * occluded)[..., None, None]
        # Memories are bfloat16 in the original: it halves them, and results depend on it.
        self.spatial[frame] = memory.to(torch.bfloat16).flatten(2).permute(2, 0, 1)
        self.pointers[frame] = pointers

    def forget(self, frame: int) -> None:
        """Keep what the next frame needs, and what the backward pass will need at the prompt."""
        config = self.model.config
        for memories, window in (
            (self.spatial, config.num_maskmem),
            (self.pointers, config.max_object_pointers_in_encoder),
        ):
            for old in list(memories):
                if min(abs(old - frame), abs(old - self.prompt_frame)) >= window:
                    del memories[old]

    def attend(self, current: Tensor, frame: int, step: int) -> Tensor:
        """Condition the top features on the memories, (N, D, h, w)."""
        model = self.model
        pointers, pointer_positions = self._pointer_tokens(frame, step)
        spatial, spatial_positions = self._spatial_tokens(frame, step)
        n = pointers.shape[1]
        channels, height, width = current.shape[1:]
        flat = current.flatten(2).permute(2, 0, 1).expand(-1, n, -1)
        out = model.memory_attention(
            current_vision_features=flat,
            current_vision_position_embeddings=position_code(
                model.vision_encoder.neck.position_encoding, current.shape[1:], current
            ),
            memory=torch.cat([spatial, pointers]).to(current.dtype),
            memory_posision_embeddings=torch.cat([spatial_positions, pointer_positions]),
            num_object_pointer_tokens=pointers.shape[0],
        )
        return cast(Tensor, out.squeeze(0).transpose(1, 2).reshape(n, channels, height, width))

    def _spatial_tokens(self, frame: int, step: int) -> tuple[Tensor, Tensor]:
        """Prompted memory first (time code 0), then the oldest to the newest tracked one."""
        model = self.model
        kept = [(0, self.spatial[self.prompt_frame])]
        for offset in range(model.config.num_maskmem - 1, 0, -1):
            past = frame - step * offset
            if past != self.prompt_frame and past in self.spatial:
                kept.append((offset, self.spatial[past]))
        tokens, n = torch.cat([memory for _, memory in kept]), kept[0][1].shape[1]
        shape = (model.mem_dim, *model.backbone_feature_sizes[-1])
        place = position_code(
            model.memory_encoder.position_encoding, shape, model.no_object_pointer
        )
        times = model.memory_temporal_positional_encoding
        positions = torch.cat([place + times[offset - 1] for offset, _ in kept])
        return tokens, positions.expand(-1, n, -1)

    def _pointer_tokens(self, frame: int, step: int) -> tuple[Tensor, Tensor]:
        """Pointers cut into 64-channel tokens, and their time codes, (P * D/64, N, 64)."""
        model = self.model
        window = min(self.n_frames, model.config.max_object_pointers_in_encoder)
        offsets = [abs(frame - self.prompt_frame)]
        pointers = [self.pointers[self.prompt_frame]]
        for offset in range(1, window):
            past = frame - step * offset
            if past != self.prompt_frame and past in self.pointers:
                offsets.append(offset)
                pointers.append(self.pointers[past])
        stacked = torch.stack(pointers)
        splits = model.hidden_dim // model.mem_dim
        n = stacked.shape[1]
        tokens = stacked.reshape(-1, n, splits, model.mem_dim).permute(0, 2, 1, 3).flatten(0, 1)
        times = pointer_times(model, offsets, window, stacked)
        return tokens, times.repeat_interleave(splits, dim=0).expand(-1, n, -1)


def attention_bytes(image_size: int, dim: int, memories: int) -> int:
    """About what attending to full memories needs for a moment, for one object in float32.

    Keys, values, their rotations and copies: seven times the keys, as measured (SAM2-L at 1024 px:
    181 MB more for every further object, keys of 29 MB).

    Args:
        image_size: side of the network's input in pixels; a memory has a token every 16.
        dim: hidden size.
        memories: of past frames.
    """
    return 7 * 4 * memories * (image_size // 16) ** 2 * dim


def position_code(encode: Any, shape: tuple[int, ...], like: Tensor) -> Tensor:  # noqa: ANN401
    """Constant code of the positions of a map of shape (C, h, w), (h*w, 1, C)."""
    code = encode(torch.Size((1, *shape)), like.device, like.dtype)
    return cast(Tensor, code.flatten(2).permute(2, 0, 1))


def pointer_times(model: Sam2VideoModel, offsets: list[int], window: int, like: Tensor) -> Tensor:
    """Time codes of pointers, (P, 1, 64): zero in SAM 2.0, a projected sine in SAM 2.1."""
    if not model.config.enable_temporal_pos_encoding_for_object_pointers:
        return like.new_zeros(len(offsets), 1, model.mem_dim)
    scaled = torch.tensor(offsets, dtype=torch.float32, device=like.device) / (window - 1)
    code = sine_code(scaled, model.hidden_dim).to(like.dtype)
    return cast(Tensor, model.temporal_positional_encoding_projection_layer(code)[:, None])


def sine_code(positions: Tensor, dim: int) -> Tensor:
    """Sine and cosine code (P, dim) of positions (P,), base 10000 (Vaswani et al., 2017)."""
    half = dim // 2
    exponent = 2 * torch.div(torch.arange(half, device=positions.device), 2, rounding_mode="floor")
    angles = positions[:, None] / torch.exp(exponent.float() * (math.log(10000.0) / half))
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
