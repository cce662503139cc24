"""What decides a video's tracks: models, configuration, frames and, for boxes, sentences.

Names and places never decide anything where a hash is known: the same weights in another folder
are the same weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rvosbench.demo import WEIGHTS
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


@dataclass(frozen=True)
class ModelIdentity:
    """A frozen model.

    Attributes:
        name: as it was asked for: "demo", a hub id, or the last part of a local path.
        sha256: of its weights; None where they are not on this machine.
    """

    name: str
    sha256: str | None

    def is_other(self, other: ModelIdentity) -> bool:
        """Whether two are certainly not the same: by their hashes, or by name if one is unknown."""
        if self.sha256 and other.sha256:
            return self.sha256 != other.sha256
        return self.name != other.name


def embedded(source: str, name: str) -> str | Path:
    """The embedded weights `name` for the source "demo"; other sources as they are."""
    return WEIGHTS / name if source == "demo" else source


def identify(source: str, name: str, hashed: Sequence[str] = ()) -> ModelIdentity:
    """The identity of a model, without opening or downloading it.

    Args:
        source: "demo", a hub id, a local folder or a local file.
        name: of the embedded weights, for "demo".
        hashed: files of the folder that belong to the hash; none is the weights alone.
    """
    path = Path(embedded(source, name)).expanduser()
    if path.exists():
        shown = source if source == "demo" else path.name
        return ModelIdentity(shown, _sha256(path, hashed))
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(source, "model.safetensors")
    except ValueError:  # not a hub id at all
        found = None
    known = _sha256(Path(found).parent, hashed) if isinstance(found, str) else None
    return ModelIdentity(source, known)


def _sha256(path: Path, hashed: Sequence[str]) -> str | None:
    """As the adapters hash: one file plainly, several with their names."""
    if path.is_dir() and not hashed:
        path /= "model.safetensors"
    if path.is_file():
        return _hash(_content(path))
    if not (path / "model.safetensors").is_file():
        return None
    files = (path / name for name in hashed)
    return _hash(part for f in files if f.is_file() for part in (f.name.encode(), *_content(f)))


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            yield chunk


def _hash(parts: Iterator[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


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
