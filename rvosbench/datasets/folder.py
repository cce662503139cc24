"""Anybody's data: a folder of frames, one JSON, and palette masks if there are any.

    meta_expressions.json   {"videos": {"<video>": {"frames": [...], "expressions": {"0": {
                                "exp": "...", "objects": ["1"], "tags": ["..."]}}}}}
    JPEGImages/<video>/     images; "frames" may be left out: then all of them, in natural order
    Annotations/<video>/    <frame>.png, pixel value = object id, 255 = void; optional

Split "all" is the folder itself; "train", "valid" and "test" are folders of this form below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rvosbench.contracts import DatasetSpec
from rvosbench.datasets.frames import image_files
from rvosbench.datasets.ground_truth import LabelTruth
from rvosbench.datasets.meta import Clip, MetaFile
from rvosbench.datasets.opened import OpenedSplit, given, required
from rvosbench.errors import DatasetError
from rvosbench.records import DatasetCard, Json

NAME = "folder"
META = "meta_expressions.json"
PROTOCOLS = ("mevis", "mevis-v2", "sola-released")
WHOLE = "all"
_SPLITS = (WHOLE, "train", "valid", "test")


def open_folder(root: Path | None, split: str) -> OpenedSplit:
    """Open a split of a folder in the form above.

    Without `Annotations/`, or without "objects" in the JSON, the split counts as hidden.

    Raises:
        DatasetError: no JSON, or a video without frames.
        AnnotationError: a JSON of another form.
    """
    base = given(NAME, root)
    folder = base if split == WHOLE else base / split
    path = required(NAME, folder / META, "write it in the form of docs/datasets.md#folder")
    meta = MetaFile(path, NAME, split, "objects")
    frames = folder / "JPEGImages"
    videos = {video: _with_frames(frames / video, entry) for video, entry in meta.videos().items()}
    clips = meta.clips(videos)
    annotations = folder / "Annotations"
    truth, why = _truth(annotations, path, clips)
    return OpenedSplit(NAME, split, PROTOCOLS, clips, frames, truth, why)


def _with_frames(folder: Path, entry: Json) -> Json:
    if not isinstance(entry, dict) or "frames" in entry:
        return entry
    names = list(image_files(folder))
    if not names:
        raise DatasetError(f"{NAME}: {folder} holds no images, and the JSON lists no 'frames'")
    return {**entry, "frames": names}


def _truth(masks: Path, path: Path, clips: Mapping[str, Clip]) -> tuple[LabelTruth | None, str]:
    if any(clip.objects is None for clip in clips.values()):
        return None, f"the expressions of {path} have no 'objects'"
    if not masks.is_dir():
        return None, f"there is no folder {masks} with masks <video>/<frame>.png"
    return LabelTruth(masks), ""


SPEC = DatasetSpec(
    splits=_SPLITS,
    open=open_folder,
    card=DatasetCard(
        title="Your own folder of frames",
        licence="yours",
        source="yours",
        layout="meta_expressions.json, JPEGImages/<video>/ and, for ground truth, "
        "Annotations/<video>/<frame>.png",
    ),
)
