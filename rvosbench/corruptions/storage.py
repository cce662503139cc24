"""Corrupted frames as files: how they are encoded, and what decides their bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, TypeAlias

from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.records import Frame, Json

ImageFormat: TypeAlias = Literal["png", "jpeg"]
FORMATS: tuple[ImageFormat, ...] = ("png", "jpeg")
_SUFFIXES: Mapping[str, str] = {"png": ".png", "jpeg": ".jpg"}
_LIBRARIES = (
    *("rvosbench", "numpy", "scipy", "numba"),
    *("opencv-python-headless", "opencv-python", "pillow"),
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
