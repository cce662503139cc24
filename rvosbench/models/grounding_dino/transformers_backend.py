"""GroundingDINO run by transformers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from rvosbench.errors import WeightsError, first_line
from rvosbench.models.grounding_dino.backbone import SharedBackbone
from rvosbench.models.grounding_dino.checkpoint import GrounderFiles
from rvosbench.models.text import equal_lengths, no_progress_bars
from rvosbench.models.weights import GROUNDER

TEXTS_AT_ONCE = 8
"""Expressions computed together; bounds memory."""


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


def longest_text(model: Any) -> int:  # noqa: ANN401
    """Text tokens of an expression that are read; the rest is cut off."""
    return int(model.config.max_text_len)


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
