"""The image backbone of GroundingDINO, run once for all expressions about a frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Levels = list[tuple[Tensor, Tensor]]
"""Feature map (B, C, h, w) and mask (B, h, w) of every level."""


class SharedBackbone(nn.Module):
    """Stands where the network has its backbone, and gives features it already has.

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
        """Compute the features of F frames (F, 3, h, w); they are used until the block ends."""
        mask = torch.ones(pixels.shape[0], *pixels.shape[-2:], dtype=torch.long)
        self._known = self.inner(pixels, mask.to(pixels.device))
        try:
            yield
        finally:
            self._known = None

    def forward(self, pixel_values: Tensor, pixel_mask: Tensor) -> tuple[Levels, list[Tensor]]:
        """Features for a batch of B: of the frames that are looked at, or of `pixel_values`.

        Of F frames each serves B / F rows in a row.
        """
        if self._known is None:
            out: tuple[Levels, list[Tensor]] = self.inner(pixel_values, pixel_mask)
            return out
        levels, positions = self._known
        n = len(pixel_values)
        return (
            [(_repeated(maps, n), _repeated(mask, n)) for maps, mask in levels],
            [_repeated(code, n) for code in positions],  # a new list: the caller adds to it
        )


def _repeated(tensor: Tensor, rows: int) -> Tensor:
    """(F, ...) as (rows, ...); a single frame is not copied."""
    if len(tensor) == 1:
        return tensor.expand(rows, *tensor.shape[1:])
    return tensor.repeat_interleave(rows // len(tensor), 0)
