"""The image backbone of GroundingDINO, run once for all sentences about a frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Levels = list[tuple[Tensor, Tensor]]
"""Feature map (B, C, h, w) and mask (B, h, w) of every level."""


class SharedBackbone(nn.Module):
    """Stands where the network has its backbone, and answers with the features of one frame.

    Args:
        inner: the network's own backbone; gives features and position codes.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.position_embedding = inner.position_embedding  # the network asks for it by this name
        self._known: tuple[Levels, list[Tensor]] | None = None

    @contextmanager
    def looking_at(self, pixels: Tensor) -> Iterator[None]:
        """Compute the features of a frame (1, 3, h, w); they are used until the block ends."""
        mask = torch.ones(pixels.shape[0], *pixels.shape[-2:], dtype=torch.long)
        self._known = self.inner(pixels, mask.to(pixels.device))
        try:
            yield
        finally:
            self._known = None

    def forward(self, pixel_values: Tensor, pixel_mask: Tensor) -> tuple[Levels, list[Tensor]]:
        """Features for a batch: of the frame that is looked at, or of `pixel_values`."""
        if self._known is None:
            out: tuple[Levels, list[Tensor]] = self.inner(pixel_values, pixel_mask)
            return out
        n, (levels, positions) = len(pixel_values), self._known
        return (
            [(maps.expand(n, -1, -1, -1), mask.expand(n, -1, -1)) for maps, mask in levels],
            [code.expand(n, -1, -1, -1) for code in positions],  # a new list: the caller adds to it
        )
