"""Frames for networks: resizing to a square, and ImageNet normalisation."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Resize = Literal["bicubic", "bilinear"]
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def resize_frame(frame: NDArray[np.uint8], size: int, resize: Resize) -> NDArray[np.uint8]:
    """A frame (H, W, 3) stretched to (size, size, 3); the aspect ratio is not kept.

    "bicubic" is PIL's default filter, as the original video predictor has it; "bilinear" is
    antialiased bilinear, as the original image predictor has it.
    """
    from PIL import Image

    if frame.shape[:2] == (size, size):
        return frame
    method = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}[resize]
    return np.asarray(Image.fromarray(frame).resize((size, size), method))


def normalise(frames: Tensor) -> Tensor:
    """uint8 frames (..., S, S, 3) as ImageNet-normalised float32 (..., 3, S, S)."""
    mean = torch.tensor(MEAN, device=frames.device)
    std = torch.tensor(STD, device=frames.device)
    return ((frames.float() / 255.0 - mean) / std).movedim(-1, -3).contiguous()
