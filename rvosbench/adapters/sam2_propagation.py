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

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

if TYPE_CHECKING:
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
class FrameOutput:
    """What the tracker says of N objects in one frame.

    Attributes:
        frame: index of the frame in the video.
        logits: (N, S/4, S/4) mask logits; NO_OBJECT_LOGIT everywhere for an absent object.
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


def propagate(
    model: Sam2VideoModel,
    features: Callable[[int], FrameFeatures],
    n_frames: int,
    prompt_frame: int,
    prompt_masks: Tensor,
    *,
    batch_size: int | None = None,
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

    Yields:
        One FrameOutput a frame, with the objects in the order of `prompt_masks`.
    """
    size = batch_size or max(len(prompt_masks), 1)
    rows = [slice(start, start + size) for start in range(0, len(prompt_masks), size)]
    batches = [_ObjectBatch(model, n_frames, prompt_frame) for _ in rows]
    maps = features(prompt_frame)
    yield _merge(
        [b.prompt(maps.rows(r), prompt_masks[r]) for b, r in zip(batches, rows, strict=True)]
    )
    for step in (1, -1):
        last = n_frames if step > 0 else -1
        for frame in range(prompt_frame + step, last, step):
            maps = features(frame)
            yield _merge(
                [b.track(maps.rows(r), frame, step) for b, r in zip(batches, rows, strict=True)]
            )


def prompt_masks_at(masks: Tensor, size: int) -> Tensor:
    """Masks (N, H, W) as 0/1 floats at the network's size, (N, 1, S, S): antialiased, >= 0.5."""
    scaled = masks[:, None].float()
    if scaled.shape[-2:] != (size, size):
        scaled = F.interpolate(
            scaled, size=(size, size), mode="bilinear", align_corners=False, antialias=True
        )
    return (scaled >= 0.5).float()


@dataclass
class _ObjectBatch:
    """Some objects and their memories while a video is tracked."""

    model: Sam2VideoModel
    n_frames: int
    prompt_frame: int
    spatial: dict[int, Tensor] = field(default_factory=dict)  # (HW, N, 64)
    pointers: dict[int, Tensor] = field(default_factory=dict)  # (N, D)

    def prompt(self, features: FrameFeatures, masks: Tensor) -> FrameOutput:
        """The prompted frame: the mask itself is the answer, the decoder only gives a pointer."""
        model, dtype = self.model, features.maps[2].dtype
        full = prompt_masks_at(masks, model.image_size).to(dtype)
        small = model.prompt_encoder.mask_input_size
        scaled = (full * 20.0 - 10.0).float()
        logits = F.interpolate(
            scaled, size=small, mode="bilinear", align_corners=False, antialias=True
        ).to(dtype)
        dense = model.mask_downsample(full)
        decoded = decode(model, features, features.maps[2], dense, multimask=False)
        there = full.flatten(1).any(dim=1, keepdim=True)
        pointers = torch.where(there, decoded.pointers, model.no_object_pointer)
        presence = there.to(dtype) * 20.0 - 10.0
        self._remember(features, full, presence, pointers, self.prompt_frame)
        low = logits[:, 0]
        return FrameOutput(self.prompt_frame, low, pointers, presence[:, 0], low)

    def track(self, features: FrameFeatures, frame: int, step: int) -> FrameOutput:
        """The next frame in direction `step` (1 or -1)."""
        conditioned = self._attend(features.maps[2], frame, step)
        multimask = _tracks_with_multimask(self.model)
        out = decode(self.model, features, conditioned, None, multimask=multimask)
        size = (self.model.image_size, self.model.image_size)
        full = F.interpolate(
            out.logits[:, None].float(), size=size, mode="bilinear", align_corners=False
        )
        memory_mask = torch.sigmoid(full.to(out.logits.dtype))
        self._remember(features, memory_mask, out.presence[:, None], out.pointers, frame)
        self._forget(frame)
        return FrameOutput(frame, out.logits, out.pointers, out.presence, out.raw_logits)

    def _remember(
        self, features: FrameFeatures, mask: Tensor, presence: Tensor, pointers: Tensor, frame: int
    ) -> None:
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

    def _forget(self, frame: int) -> None:
        """Keep what the next frame needs, and what the backward pass will need at the prompt."""
        config = self.model.config
        for memories, window in (
            (self.spatial, config.num_maskmem),
            (self.pointers, config.max_object_pointers_in_encoder),
        ):
            for old in list(memories):
                if min(abs(old - frame), abs(old - self.prompt_frame)) >= window:
                    del memories[old]

    def _attend(self, current: Tensor, frame: int, step: int) -> Tensor:
        """Condition the top features on the memories, (N, D, h, w)."""
        model = self.model
        pointers, pointer_positions = self._pointer_tokens(frame, step)
        spatial, spatial_positions = self._spatial_tokens(frame, step)
        n = pointers.shape[1]
        batch, channels, height, width = current.shape
        flat = current.flatten(2).permute(2, 0, 1).expand(-1, n, -1)
        out = model.memory_attention(
            current_vision_features=flat,
            current_vision_position_embeddings=image_positions(model, current),
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
        place = memory_positions(model, tokens.device, model.no_object_pointer.dtype)
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


def _tracks_with_multimask(model: Sam2VideoModel) -> bool:
    config = model.config
    wanted = config.multimask_output_in_sam and config.multimask_output_for_tracking
    return bool(wanted and config.multimask_min_pt_num <= 0 <= config.multimask_max_pt_num)


def image_positions(model: Sam2VideoModel, top: Tensor) -> Tensor:
    """Constant position code of the top feature map, (h*w, 1, D)."""
    encode = model.vision_encoder.neck.position_encoding
    shape = torch.Size((1, *top.shape[1:]))
    return cast(Tensor, encode(shape, top.device, top.dtype).flatten(2).permute(2, 0, 1))


def memory_positions(model: Sam2VideoModel, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Constant position code of one spatial memory, (h*w, 1, 64)."""
    height, width = model.backbone_feature_sizes[-1]
    shape = torch.Size((1, model.mem_dim, height, width))
    code = model.memory_encoder.position_encoding(shape, device, dtype)
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


def _merge(parts: list[FrameOutput]) -> FrameOutput:
    if len(parts) == 1:
        return parts[0]
    return FrameOutput(
        parts[0].frame,
        torch.cat([p.logits for p in parts]),
        torch.cat([p.pointers for p in parts]),
        torch.cat([p.presence for p in parts]),
        torch.cat([p.raw_logits for p in parts]),
    )
