"""What decides a video's tracks beside the models: configuration and frames."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict

from rvosbench.recipe import digest
from rvosbench.records import Json, Video
from rvosbench.tracks.config import TrackConfig

LOOKED_AT = 8
"""Frames of a video whose bytes are looked at; of all others the name and size on disk."""

_BOX_FIELDS = (
    "box_interval",
    "box_threshold",
    "text_threshold",
    "box_stability",
    "max_box_tracks",
    "grid_filters_boxes",
    "candidate_pool",
)


def relevant(prompts: TrackConfig, boxes: bool) -> dict[str, Json]:
    """The fields of a configuration that change tracks; those of boxes only if there are any."""
    fields = asdict(prompts)
    return {k: v for k, v in fields.items() if boxes or k not in _BOX_FIELDS}


def frame_fingerprint(video: Video) -> str:
    """Tells two versions of a video's frames apart, at the price of a few frames.

    Frames in files: names, sizes in bytes, and the bytes of eight frames spread over the video.
    Frames corrupted when read: the clean frames and the corruption's signature, so that machines
    agree to the last bit. Frames that are drawn: names and the pixels of eight.
    """
    plan, clean = getattr(video.read, "plan", None), getattr(video.read, "video", None)
    if plan is not None and isinstance(clean, Video):
        return digest([frame_fingerprint(clean), str(plan.signature)])
    names, chosen = list(video.frame_names), _spread(len(video))
    files = getattr(getattr(video.read, "__self__", None), "files", None)
    if files is not None:
        sizes = [path.stat().st_size for path in files]
        seen = [hashlib.sha256(files[i].read_bytes()).hexdigest() for i in chosen]
        return digest([names, sizes, seen])
    frames = (video.read(i) for i in chosen)
    pixels = [[*f.shape, hashlib.sha256(f.tobytes()).hexdigest()] for f in frames]
    return digest([names, pixels])


def _spread(length: int) -> list[int]:
    count = min(length, LOOKED_AT)
    return [round(i * (length - 1) / max(count - 1, 1)) for i in range(count)]


def differing(have: Mapping[str, Json], want: Mapping[str, Json]) -> list[str]:
    """What is not equal, in words: "points_per_side is 12, wanted 32"."""
    keys = sorted(have.keys() | want.keys())
    return [
        f"{key} is {have.get(key, 'not recorded')}, wanted {want.get(key, 'none')}"
        for key in keys
        if have.get(key) != want.get(key)
    ]
