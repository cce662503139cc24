"""GroundingDINO behind our types: a frame and sentences in, boxes with scores and phrases out.

    grounder = load_grounding_dino("IDEA-Research/grounding-dino-tiny", device="cuda")
    found = grounder.detect(frame, ["the red car"], box_threshold=0.2, text_threshold=0.25)

The image backbone runs once a frame, however many sentences are asked about.

Source: Liu et al., "Grounding DINO: Marrying DINO with Grounded Pre-Training for Open-Set Object
Detection"; pre- and post-processing as in the original code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvosbench.models.devices import frozen
from rvosbench.models.grounding_dino.backbone import SharedBackbone
from rvosbench.models.sam2.frames import normalise
from rvosbench.models.text import equal_lengths

if TYPE_CHECKING:
    from transformers import GroundingDinoForObjectDetection, PreTrainedTokenizerBase

TEXTS_AT_ONCE = 8
"""Sentences computed together; bounds memory."""


class Detections(NamedTuple):
    """What was found for one sentence, in the order of the network's queries.

    Attributes:
        boxes: (N, 4) float64, left, top, right, bottom in pixels of the frame; may reach outside.
        scores: (N,) float64, the best word's probability, in (0, 1).
        phrases: the words of the sentence that each box answers to; may be empty text.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    phrases: tuple[str, ...]

    def best(self) -> Detections:
        """Only the box with the greatest score, the first of equals; of none, none."""
        if not len(self.scores):
            return self
        i = int(self.scores.argmax())
        return Detections(self.boxes[i : i + 1], self.scores[i : i + 1], self.phrases[i : i + 1])


@dataclass(frozen=True)
class FrameSize:
    """Frames are scaled, keeping their shape, until a side has one of these lengths in pixels.

    Attributes:
        shortest: wanted length of the shorter side.
        longest: most that the longer side may have.
    """

    shortest: int = 800
    longest: int = 1333

    def of(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) after scaling a frame of (height, width)."""
        short, long = min(size), max(size)
        side = self.shortest
        if long / short * side > self.longest:
            side = round(self.longest * short / long)
        if side == short:
            return size
        other = int(side * long / short)
        return (side, other) if size[0] <= size[1] else (other, side)


@dataclass(frozen=True, eq=False)
class GroundingDino:
    """A frozen GroundingDINO on one device.

    Attributes:
        model: the network, float32, in evaluation mode; its backbone is a SharedBackbone.
        tokenizer: of the same checkpoint.
        checkpoint_hash: sha256 of weights and tokenizer, for signatures.
        device: where it runs.
        dtype: "float32" (as in the released SOLA code), or an autocast type.
        frame_size: how large frames are made.
    """

    model: GroundingDinoForObjectDetection
    tokenizer: PreTrainedTokenizerBase
    checkpoint_hash: str
    device: str = "cpu"
    dtype: str = "float32"
    frame_size: FrameSize = FrameSize()

    def detect(
        self,
        frame: NDArray[np.uint8],
        texts: Sequence[str],
        *,
        box_threshold: float,
        text_threshold: float,
    ) -> list[Detections]:
        """Boxes for each of several sentences in one RGB frame (H, W, 3).

        Args:
            frame: any size.
            texts: sentences as the authors wrote them; none gives an empty list. Sentences of
                equal length are computed together; no result depends on the others, beyond
                rounding.
            box_threshold: boxes need a greater score.
            text_threshold: words need a greater probability to be in a box's phrase.
        """
        if not texts:
            return []
        tokens = self._tokenize(texts)
        found: list[Detections | None] = [None] * len(texts)
        with frozen(self.device, self.dtype):
            for row, words, boxes in self._answers(self._pixels(frame), texts, tokens):
                good = words.max(dim=-1).values > box_threshold
                found[row] = self._detections(
                    words[good], boxes[good], tokens[row], frame.shape[:2], text_threshold
                )
        return [d for d in found if d is not None]

    @property
    def longest_text(self) -> int:
        """Words of a sentence that are read; the rest is cut off."""
        return int(self.model.config.max_text_len)

    def _answers(
        self, pixels: Tensor, texts: Sequence[str], tokens: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Rows of `texts`, their word probabilities (Q, L) and boxes (Q, 4), in any order."""
        backbone = self.model.model.backbone
        assert isinstance(backbone, SharedBackbone)
        with backbone.looking_at(pixels):
            for rows in equal_lengths(tokens, TEXTS_AT_ONCE):
                ids = torch.tensor([tokens[row] for row in rows], device=self.device)
                out = self.model(pixel_values=pixels.expand(len(rows), -1, -1, -1), input_ids=ids)
                words, boxes = out.logits.float().sigmoid(), out.pred_boxes.float()
                yield from zip(rows, words, boxes, strict=True)

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        longest = self.longest_text
        encoded = self.tokenizer([caption(t) for t in texts], truncation=True, max_length=longest)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def _pixels(self, frame: NDArray[np.uint8]) -> Tensor:
        """(1, 3, h, w), scaled bilinearly with antialiasing on 8 bits, as the original does."""
        from PIL import Image

        height, width = self.frame_size.of((frame.shape[0], frame.shape[1]))
        scaled = Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR)
        return normalise(torch.from_numpy(np.array(scaled)).to(self.device))[None]

    def _detections(
        self,
        words: Tensor,
        boxes: Tensor,
        tokens: Sequence[int],
        size: tuple[int, ...],
        threshold: float,
    ) -> Detections:
        """From word probabilities (N, L) and boxes (N, 4) as relative centre and size."""
        height, width = size
        centre, half = boxes[:, :2].double(), boxes[:, 2:].double() / 2
        scale = np.array([width, height, width, height], np.float64)
        corners = torch.cat([centre - half, centre + half], dim=1).cpu().numpy() * scale
        scores = words.max(dim=-1).values.double().cpu().numpy()
        phrases = tuple(self._phrase(row > threshold, tokens) for row in words)
        return Detections(corners, scores, phrases)

    def _phrase(self, chosen: Tensor, tokens: Sequence[int]) -> str:
        ids = [tokens[i] for i in chosen[: len(tokens)].nonzero()[:, 0].tolist()]
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        return str(text).replace(".", "").strip()


def caption(text: str) -> str:
    """A sentence as the network wants it: lower case, ending with a full stop.

    >>> caption(" The red car ")
    'the red car.'
    """
    plain = text.lower().strip()
    return plain if plain.endswith(".") else plain + "."
