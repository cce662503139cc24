"""What a benchmark talks about: videos, expressions, targets, predictions, tracks.

A `Sample` is all that a method may see: no ground truth is inside. A `Target` is all that a metric
may see. Small frozen records of NumPy arrays; nothing here imports torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from rvosbench.config import Json as Json
from rvosbench.masks import MaskSequence, union

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Frame: TypeAlias = "NDArray[np.uint8]"


@dataclass(frozen=True)
class Video:
    """Frames of one video, read one at a time and never kept.

    Attributes:
        id: unique in its dataset and split; may contain "/".
        frame_names: names without extension, in temporal order; not necessarily from 00000.
        read: index -> (H, W, 3) uint8 RGB.
        measure: gives `size`, without decoding a frame where possible.
        identify: gives `identity`, for readers that can tell without decoding frames; None looks at
            the pixels of all of them.
    """

    id: str
    frame_names: tuple[str, ...]
    read: Callable[[int], Frame] = field(repr=False, compare=False)
    measure: Callable[[], tuple[int, int]] = field(repr=False, compare=False)
    identify: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.measure()

    @property
    def identity(self) -> str:
        """Hash of the frames, which tells two versions of a video apart, and no two places.

        It covers the names and every frame's bytes, or what decides them: any replaced frame is
        noticed. It is computed when it is asked for; what `identify` gives is cheap to ask again.
        """
        return self._pixels if self.identify is None else self.identify()

    @cached_property
    def _pixels(self) -> str:
        total = hashlib.sha256(repr(self.frame_names).encode("utf-8"))
        for frame in self:
            total.update(repr((frame.shape, str(frame.dtype))).encode("ascii"))
            total.update(frame.tobytes())
        return total.hexdigest()

    def __len__(self) -> int:
        return len(self.frame_names)

    def __iter__(self) -> Iterator[Frame]:
        return (self.read(i) for i in range(len(self)))


@dataclass(frozen=True)
class Expression:
    """A text that refers to objects of a video.

    Attributes:
        id: unique in its video.
        text: as the authors wrote it.
        group: set it belongs to, where a dataset has several (Ref-DAVIS17: the annotator set).
        tags: categories for breakdowns, such as "direction" or "no_target".
    """

    id: str
    text: str
    group: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """A video and all its expressions: what a method sees."""

    video: Video
    expressions: tuple[Expression, ...]


@dataclass(frozen=True)
class Target:
    """The ground truth of one expression.

    Attributes:
        size: (height, width) in pixels.
        annotated: indices of the video's frames that have ground truth, ascending.
        objects: object id -> masks on the annotated frames, in their order. Empty for an
            expression without target.
        void: pixels to be ignored on the annotated frames, or None.
    """

    size: tuple[int, int]
    annotated: tuple[int, ...]
    objects: Mapping[str, MaskSequence]
    void: MaskSequence | None = None

    def union(self) -> MaskSequence:
        """All objects as one mask a frame; empty masks if there is no object."""
        return union(list(self.objects.values()), len(self.annotated), self.size)


@dataclass(frozen=True, eq=False)
class FrameEvidence:
    """What the frames of a video, each by itself, tell of whom an expression means.

    Attributes:
        objects: ids of the N objects, as `Dataset.objects` has them.
        possible: (T, N) bool, who may be meant for all that frame t shows; nobody out of sight.
        certain: (T, N) bool, who must be meant; a part of `possible`.
        least: targets that the expression's grammar promises at least: 1 in the singular.
        most: targets at most.
    """

    objects: tuple[str, ...]
    possible: NDArray[np.bool_]
    certain: NDArray[np.bool_]
    least: int
    most: int


@dataclass(frozen=True)
class Prediction:
    """A method's masks for one expression.

    Attributes:
        masks: one mask for every frame of the video.
        score: confidence in [0, 1] that the expression refers to these masks.
        soft: (T, H, W) uint8, probability x 255, for protocols that take an argmax over objects.
        diagnostics: JSON-safe facts worth keeping, such as alignment scores or chosen tracks.
    """

    masks: MaskSequence
    score: float = 1.0
    soft: NDArray[np.uint8] | None = None
    diagnostics: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Track:
    """A candidate mask track, made by a frozen model without knowing the ground truth.

    Attributes:
        id: unique in its video and configuration.
        masks: RLE, one mask for every frame.
        score: the prompt's quality (predicted IoU of a grid prompt, box score of a box), in [0, 1].
        tokens: (T, D) float32, the model's object pointer on every frame.
        source: what prompted it.
        prompt_frame: index of the prompted frame.
        prompt: the point (x, y) or box (x0, y0, x1, y1) in pixels, empty for a truth mask.
        candidates: ids of the expressions it may serve; None means all.
    """

    id: str
    masks: MaskSequence
    score: float
    tokens: NDArray[np.float32]
    source: Literal["grid", "box", "truth"]
    prompt_frame: int
    prompt: tuple[float, ...] = ()
    candidates: frozenset[str] | None = None

    def serves(self, expression_id: str) -> bool:
        """Whether the track is in the candidate set of the expression."""
        return self.candidates is None or expression_id in self.candidates


@dataclass(frozen=True)
class MethodCard:
    """What the tables print about a method. Unknown text is empty, an unknown count None."""

    title: str
    venue: str = ""
    backbone: str = ""
    trainable_parameters: int | None = None
    training_data: str = ""
    url: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class DatasetCard:
    """What a user must know of a dataset: where it comes from and what its folder looks like."""

    title: str
    licence: str
    source: str
    layout: str
    bibtex: str = ""
