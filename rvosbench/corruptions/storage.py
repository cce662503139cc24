"""Corrupted frames as files: how they are encoded, and the manifest that stands for them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, TypeAlias

from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.table import TABLE, VERSION
from rvosbench.errors import DatasetError, UnknownNameError, UsageError
from rvosbench.records import Frame, Json

MANIFEST = "manifest.json"
FORMAT = 1
"""Version of the manifest."""

ImageFormat: TypeAlias = Literal["png", "jpeg"]
FORMATS: tuple[ImageFormat, ...] = ("png", "jpeg")
_SUFFIXES: Mapping[str, str] = {"png": ".png", "jpeg": ".jpg"}
_LIBRARIES = (
    "rvosbench",
    "numpy",
    "scipy",
    "numba",
    "opencv-python-headless",
    "opencv-python",
    "pillow",
)


@dataclass(frozen=True)
class Storage:
    """How frames are stored.

    Attributes:
        format: "png" keeps every bit; "jpeg" is how ImageNet-C itself is stored.
        quality: of JPEG, 1 to 95.
        keep_names: files are called as the source's, extension included, whatever they hold:
            for programs that look for `.jpg` but read by content.
    """

    format: ImageFormat = "png"
    quality: int = 85
    keep_names: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be written."""
        if self.format not in FORMATS:
            raise UnknownNameError("image format", str(self.format), FORMATS)
        if not 1 <= self.quality <= 95:
            raise UsageError(f"--quality {self.quality}: JPEG quality goes from 1 to 95")

    @property
    def suffix(self) -> str:
        """Of a file that is called after the frame."""
        return _SUFFIXES[self.format]

    @property
    def mark(self) -> str:
        """What it adds to a signature: nothing where pixels are stored as they are."""
        return f",jpeg{self.quality}" if self.format == "jpeg" else ""

    def facts(self) -> dict[str, Json]:
        """For the manifest."""
        quality = self.quality if self.format == "jpeg" else None
        names = "keep" if self.keep_names else "frame"
        return {"format": self.format, "quality": quality, "names": names}


def encode(frame: Frame, storage: Storage) -> bytes:
    """(H, W, 3) uint8 RGB as a file.

    PNG is written with run-length strategy at level 1: corrupted frames hardly compress, and this
    is several times faster than the usual level.
    """
    if storage.format == "jpeg":
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=storage.quality, optimize=True)
        return file.getvalue()
    import cv2

    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    options += [cv2.IMWRITE_PNG_STRATEGY, int(cv2.IMWRITE_PNG_STRATEGY_RLE)]
    _, encoded = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)
    return bytes(encoded)


def libraries() -> dict[str, str]:
    """Versions that may change a byte: ours, and those of the libraries that compute and encode."""
    from PIL import features

    jpeg = features.version_feature("libjpeg_turbo") or features.version("jpg")
    found = {"libjpeg": str(jpeg)}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def manifest(
    plan: Plan, storage: Storage, source: Mapping[str, Json], files: Mapping[str, str]
) -> dict[str, Json]:
    """What is written beside a corrupted copy.

    Args:
        plan: of the corruption.
        storage: of the frames.
        source: the clean dataset: name, split, fingerprint.
        files: path below the copy's root -> sha256, of every file that was made.
    """
    return {
        "format": FORMAT,
        "corruption": plan.signature + storage.mark,
        "name": plan.name,
        "severity": plan.severity,
        "parameters": dict(TABLE[plan.name].level(plan.severity)),
        "mode": plan.mode,
        "version": VERSION,
        "temporal": plan.temporal,
        "seed": plan.seed,
        "moves_pixels": plan.moves_pixels,
        "source": dict(source),
        "storage": storage.facts(),
        "libraries": libraries(),
        "files": dict(files),
    }


def read_manifest(root: Path) -> dict[str, Json]:
    """The manifest of a corrupted copy.

    Raises:
        DatasetError: none there, or not one that this version can read.
    """
    path = root / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} is missing: {root} is no corrupted copy, or its making was broken off; run "
            "the same `rvosbench corrupt` again to finish it"
        ) from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as JSON ({error})") from error
    if not isinstance(content, dict) or not {"format", "corruption", "files"} <= content.keys():
        raise DatasetError(f"{path} is not the manifest of a corrupted copy")
    if content["format"] > FORMAT:
        raise DatasetError(
            f"{path}: format {content['format']}, this version reads up to {FORMAT}: "
            "update rvosbench"
        )
    return content


@dataclass(frozen=True)
class Fault:
    """A file of a copy that is not what its manifest says."""

    path: str
    what: str


def faults(root: Path, files: Mapping[str, str]) -> Iterator[Fault]:
    """Every file below `root` that is missing or has another sha256, in the mapping's order."""
    for name, wanted in files.items():
        path = root / name
        if not path.is_file():
            yield Fault(name, "missing")
        elif sha256(path) != wanted:
            yield Fault(name, f"changed ({path.stat().st_size} bytes)")


def sha256(path: Path) -> str:
    """Of a file's content, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
