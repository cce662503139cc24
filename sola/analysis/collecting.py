"""Object tokens of a source, one file an image or video: killed work is taken up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.models.weights import TRACKER, embedded, identify
from rvosbench.recipe import digest
from sola.analysis.probe_data import ObjectSource, ObjectTokens

if TYPE_CHECKING:
    from rvosbench.models.sam2.tracker import Sam2


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


def collect_objects(
    source: ObjectSource,
    tracker: Tracker,
    folder: Path,
    *,
    limit: int | None = None,
    workers: int = 0,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> tuple[ObjectTokens, ObjectTokens]:
    """Tokens to learn from and tokens to ask about.

    Args:
        source: whose objects.
        tracker: whose tokens.
        folder: of one `.npz` an image or video; those made otherwise are replaced.
        limit: only the first images or videos of each split.
        workers: processes; 0 works in this one.
        on_done: called with each unit and whether its file was there already.
    """
    model = identify(tracker.weights, TRACKER)
    facts = [source.name, model.sha256 or model.name, tracker.dtype]
    store = Store(folder, ".npz")
    units = {
        split: [
            Unit(f"{split}/{key}", digest([facts, split, source.identity(split, key)]))
            for key in source.keys(split)[:limit]
        ]
        for split in source.splits
    }
    job = _Collect(source, tracker)
    run_units([u for part in units.values() for u in part], job, store, local(workers), on_done)
    known, asked = (
        ObjectTokens.joined(ObjectTokens.load(store.output(u.key)) for u in units[split])
        for split in source.splits
    )
    return known, asked


def planned(source: ObjectSource, limit: int | None) -> int:
    """How many images or videos `collect_objects` will look at."""
    return sum(len(source.keys(split)[:limit]) for split in source.splits)


@dataclass(frozen=True)
class _Collect:
    source: ObjectSource
    tracker: Tracker

    @cached_property
    def sam2(self) -> Sam2:
        """Opened on first use in every process."""
        from rvosbench.models.sam2.tracker import load_sam2

        weights = embedded(self.tracker.weights, TRACKER)
        return load_sam2(weights, self.tracker.device, self.tracker.dtype)

    def __getstate__(self) -> dict[str, object]:
        return {"source": self.source, "tracker": self.tracker}

    def __call__(self, key: str, output: Path) -> None:
        """Write the objects of one image or video."""
        split, _, name = key.partition("/")
        self.source.objects(self.sam2, split, name).save(output)
