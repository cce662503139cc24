"""How shapes look, as numbers: what trackers and grounders are taught to see in cells."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from rvosbench.demo.scenes import ShapeObject
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES

PARTS = (len(COLOURS), len(SHAPES), len(TEXTURES))
"""Number of colours, shapes and textures: a look is one index of each."""
N_LOOKS = sum(PARTS)
CELLS = (8, 16)
"""Strides of the feature maps whose cells are taught, pixels."""
NO_LOOK = -100
"""A cell without a look: what `cross_entropy` ignores."""
VISIBLE = 40
"""Pixels from which a shape must be found, can be prompted and described."""


def look_of(shape: ShapeObject) -> tuple[int, int, int]:
    """Index of the shape's colour in COLOURS, shape in SHAPES, texture in TEXTURES."""
    return (
        tuple(COLOURS).index(shape.colour),
        tuple(SHAPES).index(shape.shape),
        tuple(TEXTURES).index(shape.texture),
    )


def look_losses(logits: Tensor, looks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-entropies of colour, shape and texture, scalars.

    Args:
        logits: (R, N_LOOKS, ...).
        looks: (R, 3, ...) indices; NO_LOOK does not count.
    """
    parts = torch.split(logits, list(PARTS), 1)
    colour, shape, texture = (
        F.cross_entropy(part, looks[:, index]) for index, part in enumerate(parts)
    )
    return colour, shape, texture
