"""GroundingDINO behind our types: a frame and expressions in, boxes with scores and phrases out.

    grounder = load_grounding_dino("IDEA-Research/grounding-dino-tiny", device="cuda")
    found = grounder.detect(frame, ["the red car"], box_threshold=0.2, text_threshold=0.25)

The image backbone runs once a frame, however many expressions are asked about.

Source: Liu et al., "Grounding DINO: Marrying DINO with Grounded Pre-Training for Open-Set Object
Detection"; pre- and post-processing as in the original code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rvosbench.models.frames import normalise
from rvosbench.models.grounding_dino import original_backend, transformers_backend
from rvosbench.models.grounding_dino.checkpoint import FrameSize, GrounderFiles, read_grounder
from rvosbench.models.runtime import ORIGINAL, TRANSFORMERS, check_backend, check_dtype, frozen
from rvosbench.models.weights import GROUNDER, weights_hash

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Detections(NamedTuple):
    """What was found for one expression, in the order of the network's queries.

    Attributes:
        boxes: (N, 4) float64, left, top, right, bottom in pixels of the frame; may reach outside.
        scores: (N,) float64, the best text token's probability, in (0, 1).
        phrases: the words of the expression that each box answers to; may be empty text.
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


class Backend(NamedTuple):
    """The functions in which the networks of transformers and of the authors differ.

    Attributes:
        build: files -> network on the CPU.
        find: see `transformers_backend.find`.
    """

    build: Callable[[GrounderFiles], Any]
    find: Callable[
        [Any, Tensor, Sequence[str], Sequence[Sequence[int]]], Iterator[tuple[int, Tensor, Tensor]]
    ]


BACKENDS = {
    TRANSFORMERS: Backend(transformers_backend.build, transformers_backend.find),
    ORIGINAL: Backend(original_backend.build, original_backend.find),
}


@dataclass(frozen=True, eq=False)
class GroundingDino:
    """A frozen GroundingDINO on one device.

    Attributes:
        model: the network, float32, in evaluation mode.
        tokenizer: of the same checkpoint.
        checkpoint_hash: sha256 of weights and tokenizer, for signatures.
        device: where it runs.
        dtype: "float32" (as in the released SOLA code), or an autocast type.
        frame_size: how large frames are made.
        longest_text: text tokens of an expression that are read; the rest is cut off.
        backend: how to run the network.
    """

    model: Any
    tokenizer: PreTrainedTokenizerBase
    checkpoint_hash: str
    device: str
    dtype: str
    frame_size: FrameSize
    longest_text: int
    backend: Backend

    def detect(
        self,
        frame: NDArray[np.uint8],
        texts: Sequence[str],
        *,
        box_threshold: float,
        text_threshold: float,
    ) -> list[Detections]:
        """Boxes for each of several expressions in one RGB frame (H, W, 3).

        Args:
            frame: any size.
            texts: expressions as the authors wrote them; none gives an empty list. No result
                depends on the others, beyond rounding.
            box_threshold: boxes need a greater score.
            text_threshold: text tokens need a greater probability to be in a box's phrase.
        """
        if not texts:
            return []
        captions = [caption(text) for text in texts]
        tokens = self._tokenize(captions)
        found: list[Detections | None] = [None] * len(texts)
        with frozen(self.device, self.dtype):
            pixels = self._pixels(frame)
            for row, chances, boxes in self.backend.find(self.model, pixels, captions, tokens):
                good = chances.max(dim=-1).values > box_threshold
                found[row] = self._detections(
                    chances[good], boxes[good], tokens[row], frame.shape[:2], text_threshold
                )
        return [d for d in found if d is not None]

    def _tokenize(self, captions: Sequence[str]) -> list[list[int]]:
        encoded = self.tokenizer(list(captions), truncation=True, max_length=self.longest_text)
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
        chances: Tensor,
        boxes: Tensor,
        tokens: Sequence[int],
        size: tuple[int, ...],
        threshold: float,
    ) -> Detections:
        """From token probabilities (N, L) and boxes (N, 4) as relative centre and size."""
        height, width = size
        centre, half = boxes[:, :2].double(), boxes[:, 2:].double() / 2
        scale = np.array([width, height, width, height], np.float64)
        corners = torch.cat([centre - half, centre + half], dim=1).cpu().numpy() * scale
        scores = chances.max(dim=-1).values.double().cpu().numpy()
        phrases = tuple(self._phrase(row > threshold, tokens) for row in chances)
        return Detections(corners, scores, phrases)

    def _phrase(self, chosen: Tensor, tokens: Sequence[int]) -> str:
        ids = [tokens[i] for i in chosen[: len(tokens)].nonzero()[:, 0].tolist()]
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        return str(text).replace(".", "").strip()


def caption(text: str) -> str:
    """An expression as the network wants it: lower case, ending with a full stop.

    >>> caption(" The red car ")
    'the red car.'
    """
    plain = text.lower().strip()
    return plain if plain.endswith(".") else plain + "."


def load_grounding_dino(
    source: str | Path, device: str = "cpu", dtype: str = "float32", *, backend: str = TRANSFORMERS
) -> GroundingDino:
    """Loads a frozen GroundingDINO and its tokenizer.

    Args:
        source: as for `rvosbench.models.weights.locate`; the authors' files are `.pth`.
        device: torch device.
        dtype: "float32", as the released SOLA code runs it, or "bfloat16" or "float16" (autocast),
            which moves boxes by some pixels.
        backend: "transformers", or "original" for the `groundingdino` package.

    Raises:
        WeightsError: nothing there, not available, or not a GroundingDINO.
        BackendError: the original package is not installed, or has no network of these sizes.
        ConfigurationError: an unknown dtype or backend.
    """
    check_backend(backend)
    check_dtype(dtype, "GroundingDINO")
    files, code = read_grounder(source), BACKENDS[backend]
    sha256 = weights_hash(files.place, GROUNDER)
    model = code.build(files).eval().requires_grad_(False).to(device)
    size, longest = files.frame_size, files.config.max_text_len
    return GroundingDino(model, files.tokenizer, sha256, device, dtype, size, longest, code)
