"""Submission zips with the layout that each dataset's server expects, the same bytes every time."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from rvosbench.errors import PredictionError
from rvosbench.files.trees import shown
from rvosbench.predictions.writing import relative_name

TOP_FOLDERS: Mapping[str, str] = MappingProxyType({"ref-youtube-vos": "Annotations"})
"""The folder around the videos. MeViS and others want none: a wrong one scores nan there."""

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


def submission_name(dataset_name: str, video_id: str, expression_id: str, frame_name: str) -> str:
    """The name of a mask in a submission, such as "Annotations/v/0/00000.png".

    Raises:
        PredictionError: an id cannot be part of a file name.
    """
    top = TOP_FOLDERS.get(dataset_name)
    name = relative_name(video_id, expression_id, f"{frame_name}.png")
    return str(relative_name(top) / name if top else name)


def write_archive(out: Path, entries: Iterable[tuple[str, bytes]]) -> int:
    """Write (name, content) into a zip, in the given order; the same entries give the same bytes.

    The zip appears complete or not at all. PNGs are stored as they are: they are compressed.

    Returns:
        The number of entries.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    beside, number = out.with_name(f".{out.name}.{os.getpid()}"), 0
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            for name, content in entries:
                info = zipfile.ZipInfo(name, _EPOCH)
                info.create_system, info.external_attr = 3, 0o644 << 16
                archive.writestr(info, content)
                number += 1
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return number


def pack_predictions(root: Path, out: Path, dataset_name: str) -> int:
    """Pack a folder of `<video>/<expression>/<frame>.png` for a dataset's server.

    A folder `Annotations` around the videos is taken off or put on as the server wants it.

    Args:
        root: the folder.
        out: the zip to write.
        dataset_name: decides the layout.

    Returns:
        The number of masks.

    Raises:
        PredictionError: there is no mask in `root`.
    """
    names = sorted(_masks(root))
    if not names:
        raise PredictionError(
            f"{root}: holds no predictions, wanted <video>/<expression>/<frame>.png"
        )
    top = TOP_FOLDERS.get(dataset_name)
    prefix = f"{top}/" if top else ""
    strip = "Annotations/" if all(name.startswith("Annotations/") for name in names) else ""
    return write_archive(
        out, ((prefix + name.removeprefix(strip), (root / name).read_bytes()) for name in names)
    )


def _masks(root: Path) -> Iterator[str]:
    for path in root.rglob("*.png"):
        name = path.relative_to(root)
        if len(name.parts) > 2 and all(shown(part) for part in name.parts):
            yield name.as_posix()
