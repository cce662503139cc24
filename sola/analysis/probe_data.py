"""Object tokens with what is true of their objects: what a probe is trained and tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.models.runtime import choose_device, choose_dtype
from rvosbench.models.sam2.tracker import Sam2, load_sam2
from rvosbench.models.weights import TRACKER, identify
from rvosbench.recipe import digest
from rvosbench.records import Json

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


@dataclass(frozen=True)
class SourceFacts:
    """What is asked about a source's objects, and with what unless the user says otherwise.

    Attributes:
        name: of the data, for titles.
        splits: the split to train on and the split to test on.
        classes: question -> names of its classes.
        values: names of the numbers; may be none.
        tracker: weights of SAM2.
        limit: images or videos of each split; None takes all.
        things: what its units are called.
    """

    name: str
    splits: tuple[str, str]
    classes: Mapping[str, tuple[str, ...]]
    values: tuple[str, ...]
    tracker: str
    limit: int | None
    things: str


class ObjectSource(Protocol):
    """Images or videos whose objects are known. It is sent to worker processes by pickle."""

    @property
    def facts(self) -> SourceFacts:
        """What is asked."""

    def keys(self, split: str) -> Sequence[str]:
        """Images or videos of a split, in a fixed order."""

    def identity(self, split: str, key: str) -> Json:
        """What decides the objects of an image or video; cheap."""

    def objects(self, sam2: Sam2, split: str, key: str) -> ObjectTokens:
        """Prompt SAM2 with the true masks; no row if there is no object."""


@dataclass(frozen=True)
class Tracker:
    """A frozen SAM2 that is yet to be opened.

    Attributes:
        weights: "demo" (embedded), a hub id, a folder, or an original `.pt` file.
        device: where it runs, such as "cpu"; not "auto".
        dtype: "float32", "bfloat16" or "float16".
    """

    weights: str
    device: str
    dtype: str

    @staticmethod
    def of(weights: str, device: str, dtype: str) -> Tracker:
        """With "auto" made definite."""
        device = choose_device(device)
        return Tracker(weights, device, choose_dtype(dtype, device))


def collect_objects(
    source: ObjectSource,
    tracker: Tracker,
    folder: Path,
    *,
    limit: int | None = None,
    workers: int = 0,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> tuple[ObjectTokens, ObjectTokens]:
    """Tokens to train on and tokens to test on.

    Args:
        source: whose objects.
        tracker: whose tokens.
        folder: of one `.npz` an image or video; those made otherwise are replaced.
        limit: only the first images or videos of each split.
        workers: processes; 0 works in this one.
        on_done: called with each unit and whether its file was there already.
    """
    model = identify(tracker.weights, TRACKER)
    facts = [source.facts.name, model.sha256 or model.name, tracker.dtype]
    store = Store(folder, ".npz")
    units = {
        split: [
            Unit(f"{split}/{key}", digest([facts, split, source.identity(split, key)]))
            for key in source.keys(split)[:limit]
        ]
        for split in source.facts.splits
    }
    job = _Collect(source, tracker)
    run_units([u for part in units.values() for u in part], job, store, local(workers), on_done)
    train, test = (
        ObjectTokens.joined(ObjectTokens.load(store.output(u.key)) for u in units[split])
        for split in source.facts.splits
    )
    return train, test


def planned(source: ObjectSource, limit: int | None) -> int:
    """How many images or videos `collect_objects` will look at."""
    return sum(len(source.keys(split)[:limit]) for split in source.facts.splits)


@dataclass(frozen=True)
class _Collect:
    source: ObjectSource
    tracker: Tracker

    @cached_property
    def sam2(self) -> Sam2:
        """Opened on first use in every process."""
        return load_sam2(self.tracker.weights, self.tracker.device, self.tracker.dtype)

    def __getstate__(self) -> dict[str, object]:
        return {"source": self.source, "tracker": self.tracker}

    def __call__(self, key: str, output: Path) -> None:
        """Write the objects of one image or video."""
        split, _, name = key.partition("/")
        self.source.objects(self.sam2, split, name).save(output)
