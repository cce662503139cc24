"""Object tokens with what is true of their objects: what a probe learns from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rvosbench.records import Json

if TYPE_CHECKING:
    from rvosbench.models.sam2.tracker import Sam2

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ObjectTokens:
    """N object tokens.

    Attributes:
        tokens: (N, D).
        labels: question -> (N,) index into the source's class names.
        values: (N, K) numbers, in the order of the source's names; K may be 0.
    """

    tokens: Floats
    labels: Mapping[str, Labels]
    values: Floats

    @staticmethod
    def joined(parts: Iterable[ObjectTokens]) -> ObjectTokens:
        """All rows of at least one part."""
        known = list(parts)
        return ObjectTokens(
            np.concatenate([p.tokens for p in known]),
            {q: np.concatenate([p.labels[q] for p in known]) for q in known[0].labels},
            np.concatenate([p.values for p in known]),
        )

    def save(self, path: Path) -> None:
        """Write as `.npz`, whatever the path's extension."""
        labels = {f"label_{question}": rows for question, rows in self.labels.items()}
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, tokens=self.tokens, values=self.values, **labels)

    @staticmethod
    def load(path: Path) -> ObjectTokens:
        """Reverse of `save`."""
        mark = "label_"
        with np.load(path, allow_pickle=False) as file:
            labels = {k.removeprefix(mark): file[k] for k in file.files if k.startswith(mark)}
            return ObjectTokens(file["tokens"], labels, file["values"])


class ObjectSource(Protocol):
    """Images or videos whose objects are known. It is sent to worker processes by pickle."""

    @property
    def name(self) -> str:
        """Of the data, for titles."""

    @property
    def classes(self) -> Mapping[str, tuple[str, ...]]:
        """Question -> names of its classes."""

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the numbers."""

    @property
    def splits(self) -> tuple[str, str]:
        """The split to learn from and the split to ask about."""

    def keys(self, split: str) -> Sequence[str]:
        """Images or videos of a split, in a fixed order."""

    def identity(self, split: str, key: str) -> Json:
        """What decides the objects of an image or video; cheap."""

    def objects(self, sam2: Sam2, split: str, key: str) -> ObjectTokens:
        """Prompt SAM2 with the true masks; no row if there is no object."""
