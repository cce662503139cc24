"""GroundingDINO run by transformers; its image backbone runs once for all expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rvosbench.errors import WeightsError, first_line
from rvosbench.models.grounding_dino.checkpoint import GrounderFiles
from rvosbench.models.text import equal_lengths, no_progress_bars
from rvosbench.models.weights import GROUNDER

TEXTS_AT_ONCE = 8
"""Expressions computed together; bounds memory."""

Levels = list[tuple[Tensor, Tensor]]
"""Feature map (B, C, h, w) and mask (B, h, w) of every level."""


def build(files: GrounderFiles) -> Any:  # noqa: ANN401 - a GroundingDinoForObjectDetection
    """The network on the CPU, float32; every one of its tensors is in the files.

    Raises:
        WeightsError: tensors are missing, or an original checkpoint has more.
    """
    from transformers import GroundingDinoForObjectDetection

    try:
        with no_progress_bars():
            model, report = GroundingDinoForObjectDetection.from_pretrained(
                None,
                config=files.config,
                state_dict=dict(files.weights),
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{files.place}: cannot be opened ({first_line(error)}).") from error
    # Folders of other versions of transformers may hold constants that this one computes.
    for kind in ("missing", "unexpected") if files.place.is_file() else ("missing",):
        names = sorted(report[f"{kind}_keys"])
        if names:
            raise WeightsError(
                f"{files.place}: {len(names)} tensors are {kind}, such as {names[0]!r}. "
                f"{GROUNDER.advice}"
            )
    model.model.backbone = SharedBackbone(model.model.backbone)
    return model


def find(
    model: Any,  # noqa: ANN401
    pixels: Tensor,
    captions: Sequence[str],
    tokens: Sequence[Sequence[int]],
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """What the network finds for N captions in one frame.

    Args:
        model: the network, as `build` gives it.
        pixels: (1, 3, h, w), normalised.
        captions: the texts.
        tokens: their ids.

    Yields:
        Rows of `captions`, their token probabilities (Q, L) and boxes (Q, 4), in any order.
    """
    del captions  # the tokens say it
    with model.model.backbone.looking_at(pixels):
        for rows in equal_lengths(tokens, TEXTS_AT_ONCE):
            ids = torch.tensor([tokens[row] for row in rows], device=pixels.device)
            out = model(pixel_values=pixels.expand(len(rows), -1, -1, -1), input_ids=ids)
            found, boxes = out.logits.float().sigmoid(), out.pred_boxes.float()
            yield from zip(rows, found, boxes, strict=True)


class SharedBackbone(nn.Module):
    """Stands where the network has its backbone `inner`, and gives features it already has."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.position_embedding = inner.position_embedding  # the network asks for it by this name
        self.known: tuple[Levels, list[Tensor]] | None = None
        """Features and position codes of what is looked at; None outside of that."""

    @contextmanager
    def looking_at(self, pixels: Tensor) -> Iterator[None]:
        """Compute the features of F frames (F, 3, h, w); they are used until the block ends."""
        mask = torch.ones(pixels.shape[0], *pixels.shape[-2:], dtype=torch.long)
        self.known = self.inner(pixels, mask.to(pixels.device))
        try:
            yield
        finally:
            self.known = None

    def forward(self, pixel_values: Tensor, pixel_mask: Tensor) -> tuple[Levels, list[Tensor]]:
        """Features for a batch of B: of the frames that are looked at, or of `pixel_values`.

        Of F frames each serves B / F rows in a row.
        """
        if self.known is None:
            out: tuple[Levels, list[Tensor]] = self.inner(pixel_values, pixel_mask)
            return out
        levels, positions = self.known
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
