"""SAM2 behind our types: encode a frame once, then prompt it and track through the video.

    sam2 = load_sam2("facebook/sam2-hiera-large", device="cuda", dtype="bfloat16")
    features = sam2.encode(frame)
    candidates = sam2.segment(features, points=grid, labels=ones, frame_size=frame.shape[:2])

Features of a frame are shared by prompts, objects and directions. The half-precision types are
autocast, as in the authors' code: weights stay float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvosbench.errors import ConfigurationError
from rvosbench.models.frames import Resize, normalise, resize_frame
from rvosbench.models.runtime import ORIGINAL, TRANSFORMERS, check_backend, check_dtype, frozen
from rvosbench.models.sam2 import original_backend
from rvosbench.models.sam2.checkpoint import load_network
from rvosbench.models.sam2.decoding import (
    FrameFeatures,
    FrameOutput,
    PromptOutput,
    decode_prompts,
    encode_frames,
    resized,
)
from rvosbench.models.sam2.memory import MemoryBank, attention_bytes
from rvosbench.models.sam2.propagation import Objects, propagate
from rvosbench.models.weights import TRACKER, locate, weights_hash


class Candidates(NamedTuple):
    """K = 3 candidate masks, or K = 1, for each of P prompts.

    Attributes:
        logits: (P, K, S/4, S/4) mask logits, above 0 inside.
        iou: (P, K) predicted quality, in [0, 1].
    """

    logits: Tensor
    iou: Tensor


@dataclass(frozen=True)
class Backend:
    """The functions in which the networks of transformers and of the authors differ.

    Attributes:
        encode: network, normalised frames (B, 3, S, S) -> features.
        segment: see `decode_prompts`.
        objects: network, length of the video, prompted frame -> objects to be followed.
    """

    encode: Callable[[Any, Tensor], FrameFeatures]
    segment: Callable[..., PromptOutput]
    objects: Callable[[Any, int, int], Objects]


IN_TRANSFORMERS = Backend(encode_frames, decode_prompts, MemoryBank)
IN_ORIGINAL = Backend(
    original_backend.encode_frames,
    original_backend.decode_prompts,
    original_backend.RememberedObjects,
)


@dataclass(frozen=True, eq=False)
class Sam2:
    """A frozen SAM2 on one device.

    Attributes:
        model: the network, float32, in evaluation mode.
        checkpoint_hash: sha256 of the weights file, for signatures.
        device: where it runs.
        dtype: "float32", or the autocast type "bfloat16" or "float16".
        resize: filter that brings frames to the network's square: "bicubic" as the original video
            predictor, "bilinear" (antialiased) as the original image predictor.
        backend: how to run the network.
    """

    model: Any
    checkpoint_hash: str
    device: str = "cpu"
    dtype: str = "float32"
    resize: Resize = "bicubic"
    backend: Backend = IN_TRANSFORMERS

    @property
    def image_size(self) -> int:
        """Side of the network's square input, in pixels."""
        return int(self.model.image_size)

    @property
    def token_dim(self) -> int:
        """Length of an object token (pointer)."""
        return int(self.model.hidden_dim)

    def objects_within(self, budget: int) -> int:
        """How many objects `propagate` may compute together in `budget` bytes; at least 1."""
        memories = int(self.model.num_maskmem)
        return max(budget // attention_bytes(self.image_size, self.token_dim, memories), 1)

    def encode(self, frame: NDArray[np.uint8]) -> FrameFeatures:
        """Image features of one RGB frame (H, W, 3)."""
        square = resize_frame(frame, self.image_size, self.resize)
        with frozen(self.device, self.dtype):
            pixels = torch.from_numpy(np.array(square)).to(self.device)
            return self.backend.encode(self.model, normalise(pixels)[None])

    def segment(  # noqa: PLR0913 - the prompt's own vocabulary, keyword-only
        self,
        features: FrameFeatures,
        *,
        frame_size: tuple[int, int],
        points: NDArray[np.floating] | None = None,
        labels: NDArray[np.integer] | None = None,
        boxes: NDArray[np.floating] | None = None,
        multimask: bool = True,
        batch_size: int = 64,
    ) -> Candidates:
        """Masks of P point or box prompts in one frame, without memory.

        Args:
            features: of the frame.
            frame_size: (height, width) of the original frame, in whose pixels prompts are given.
            points: (P, K, 2) x, y.
            labels: (P, K), 1 on the object and 0 beside it; all 1 if left out.
            boxes: (P, 4) left, top, right, bottom.
            multimask: three masks a prompt, or the one of the single-mask token.
            batch_size: prompts computed together; changes no result.

        Returns:
            Candidates on the device; P = 0 gives empty tensors.

        Raises:
            ConfigurationError: unless exactly one of points and boxes is given.
        """
        if (points is None) == (boxes is None):
            raise ConfigurationError(
                "Sam2.segment: give points or boxes, and not both "
                f"(got points: {points is not None}, boxes: {boxes is not None})."
            )
        prompts: dict[str, Tensor] = {}
        if boxes is not None:
            prompts["boxes"] = self._scaled(boxes, frame_size)
        elif points is not None:
            prompts["points"] = self._scaled(points, frame_size)
            signs = np.ones(points.shape[:2]) if labels is None else labels
            prompts["labels"] = torch.from_numpy(signs.astype(np.int32)).to(self.device)
        parts = []
        for start in range(0, len(next(iter(prompts.values()))), batch_size):
            some = {k: v[None, start : start + batch_size] for k, v in prompts.items()}
            with frozen(self.device, self.dtype):
                found = self.backend.segment(self.model, features, **some, multimask=multimask)
                parts.append(Candidates(found.logits[0], found.iou[0]))
        low = self.image_size // 4
        empty = torch.empty(0, 3 if multimask else 1, low, low, device=self.device)
        return Candidates(
            torch.cat([p.logits for p in parts]) if parts else empty,
            torch.cat([p.iou for p in parts]) if parts else empty[..., 0, 0],
        )

    def propagate(
        self,
        features: Callable[[int], FrameFeatures],
        n_frames: int,
        prompt_frame: int,
        prompt_masks: NDArray[np.bool_] | Tensor,
        *,
        batch_size: int | None = None,
    ) -> Iterator[FrameOutput]:
        """Tracks (N, H, W) masks of one frame through the video; see `propagation.propagate`."""
        return propagate(
            self.model,
            features,
            n_frames,
            prompt_frame,
            torch.as_tensor(prompt_masks).to(self.device),
            batch_size=batch_size,
            objects=self.backend.objects,
            mode=partial(frozen, self.device, self.dtype),
        )

    def upscale(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """Mask logits (..., h, w) as bool masks (..., H, W): bilinear, then above 0."""
        return self.enlarge(logits, size) > 0

    def enlarge(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """Mask logits (..., h, w) at the frame's size, float32 (..., H, W), bilinear."""
        with torch.inference_mode():
            flat = logits.reshape(-1, 1, *logits.shape[-2:]).float()
            return resized(flat, size).reshape(*logits.shape[:-2], *size)

    def _scaled(self, prompts: NDArray[np.floating], frame_size: tuple[int, int]) -> Tensor:
        """Points or boxes, from frame pixels to pixels of the network's input."""
        height, width = frame_size
        scale = np.array([self.image_size / width, self.image_size / height])
        pairs = np.asarray(prompts, dtype=np.float64).reshape(-1, 2) * scale
        return torch.from_numpy(pairs.reshape(prompts.shape).astype(np.float32)).to(self.device)


def load_sam2(
    source: str | Path,
    device: str = "cpu",
    dtype: str = "float32",
    *,
    resize: Resize = "bicubic",
    backend: str = TRANSFORMERS,
) -> Sam2:
    """Loads a frozen SAM2.

    Args:
        source: as for `rvosbench.models.weights.locate`; the authors' files are `.pt`.
        device: torch device.
        dtype: "float32", "bfloat16" or "float16".
        resize: see Sam2.
        backend: "transformers", or "original" for the `sam2` package of the authors.

    Raises:
        WeightsError: if the weights are missing or are not SAM2's.
        BackendError: the original package is not installed, or has no network of these sizes.
        ConfigurationError: for an unknown dtype or backend.
    """
    check_backend(backend)
    check_dtype(dtype, "SAM2")
    place = locate(source, TRACKER)
    model: Any = load_network(place)
    sha256, code = weights_hash(place, TRACKER), IN_TRANSFORMERS
    if backend == ORIGINAL:
        model, code = original_backend.original_network(model), IN_ORIGINAL
    return Sam2(model.to(device).eval().requires_grad_(False), sha256, device, dtype, resize, code)
