"""What can be probed, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.tracks.maker import RELEASED_TRACKER
from sola.analysis.motion_shapes import ShapeObjects
from sola.analysis.probe_data import ObjectSource
from sola.analysis.voc import open_voc


@dataclass(frozen=True)
class SourceDefaults:
    """What a source is probed with unless the user says otherwise.

    Attributes:
        tracker: weights of SAM2.
        limit: images or videos of each split; None takes all.
        things: what its units are called.
    """

    tracker: str
    limit: int | None
    things: str


def open_source(name: str, root: Path | None) -> tuple[ObjectSource, SourceDefaults]:
    """Open "demo" or "voc".

    Raises:
        UnknownNameError: another name.
        UsageError: a folder for the demo, or none for VOC.
        DatasetError: no VOC in the folder.
    """
    if name == "voc":
        return open_voc(root), SourceDefaults(RELEASED_TRACKER, None, "images")
    if name != "demo":
        raise UnknownNameError("dataset to probe", name, ("demo", "voc"))
    if root is not None:
        raise UsageError("--data: the demo has no folder; PASCAL VOC is --dataset voc")
    return ShapeObjects(), SourceDefaults("demo", 100, "videos")
