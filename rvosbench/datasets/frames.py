"""Reading a folder of frames, one frame at a time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.errors import DatasetError, few
from rvosbench.recipe import digest
from rvosbench.records import Frame, Json, Video

if TYPE_CHECKING:
    from PIL.Image import Image

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""Accepted image files; where a frame exists twice, the earlier extension wins."""

_IDENTITIES: dict[str, str] = {}
"""Hash of path, size, time and inode of all files of a video -> hash of their content."""


@dataclass(frozen=True)
class FrameFolder:
    """The frames of one video on disk. Nothing is read before it is asked for.

    Attributes:
        dataset: name for messages.
        folder: where the images are.
        names: frame names without extension, in temporal order.
    """

    dataset: str
    folder: Path
    names: tuple[str, ...]

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """One image file a name.

        Raises:
            DatasetError: the folder or a frame is missing.
        """
        found = image_files(self.folder)
        missing = [name for name in self.names if name not in found]
        if missing:
            raise DatasetError(self._missing(missing))
        return tuple(found[name] for name in self.names)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels of the first frame, from the file's header."""
        with self._open(0) as image:
            return image.height, image.width

    def measure(self) -> tuple[int, int]:
        """`size`, as `Video` wants it."""
        return self.size

    def read(self, index: int) -> Frame:
        """Frame `index`, (H, W, 3) uint8 RGB, whatever the file's mode and extension.

        Raises:
            DatasetError: a file that is missing, broken, or not of the video's size.
        """
        with self._open(index) as image:
            frame = np.array(image.convert("RGB"))
        if frame.shape[:2] != self.size:
            raise DatasetError(
                f"{self.dataset}: {self.files[index]} is {frame.shape[0]}x{frame.shape[1]}, the "
                f"video's first frame {self.size[0]}x{self.size[1]} (height x width)"
            )
        return frame

    def identify(self) -> str:
        """Hash of names and files, as `Video.identity` wants it; files are read again if changed.

        Raises:
            DatasetError: a frame is missing or cannot be read.
        """
        version = digest([self._version(index) for index in range(len(self.names))])
        if version not in _IDENTITIES:
            content = [self._sha256(index) for index in range(len(self.names))]
            _IDENTITIES[version] = frames_identity(self.names, content)
        return _IDENTITIES[version]

    def _version(self, index: int) -> list[Json]:
        """Changes whenever the file does."""
        with self._reading(index) as file:
            status = file.stat()
        return [str(file), status.st_size, status.st_mtime_ns, status.st_ino]

    def _sha256(self, index: int) -> str:
        with self._reading(index) as file:
            return hashlib.sha256(file.read_bytes()).hexdigest()

    @contextmanager
    def _open(self, index: int) -> Iterator[Image]:
        from PIL import Image

        with self._reading(index) as file, Image.open(file) as image:
            yield image

    @contextmanager
    def _reading(self, index: int) -> Iterator[Path]:
        try:
            yield self.files[index]
        except (OSError, SyntaxError) as error:
            raise DatasetError(
                f"{self.dataset}: {self.files[index]} cannot be read as an image ({error}): "
                "unpack or download it again"
            ) from error

    def _missing(self, missing: list[str]) -> str:
        if not self.folder.is_dir():
            parent = self.folder.parent
            what = "does not exist" if parent.is_dir() else f"does not exist, nor does {parent}"
            return (
                f"{self.dataset}: the frame folder {self.folder} {what}. Unpack the frames there, "
                "and check that the meta file belongs to this split"
            )
        return (
            f"{self.dataset}: {self.folder} lacks {len(missing)} of {len(self.names)} frames, the "
            f"first is {missing[0]!r} (any of {', '.join(EXTENSIONS)}); it holds "
            f"{found_in(self.folder)}. Unpack the frames again"
        )


def video(dataset: str, video_id: str, folder: Path, names: tuple[str, ...]) -> Video:
    """A lazily read video of the images `names` in `folder`."""
    frames = FrameFolder(dataset, folder, names)
    return Video(video_id, names, frames.read, frames.measure, frames.identify)


def frames_identity(names: Sequence[str], hashes: Sequence[str]) -> str:
    """`Video.identity` of frames in files: their names, and the sha256 of each file in hex."""
    return digest([list(names), list(hashes)])


def image_files(folder: Path) -> dict[str, Path]:
    """Name without extension -> image file, in natural order ("2" before "10").

    An absent folder holds none. Hidden files are no frames.
    """
    if not folder.is_dir():
        return {}
    files = [p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS]
    visible = sorted((p for p in files if not p.name.startswith(".")), key=_rank, reverse=True)
    by_name = {p.stem: p for p in visible}
    return {name: by_name[name] for name in sorted(by_name, key=natural)}


def found_in(folder: Path) -> str:
    """The first names in `folder`, for messages."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(p.name + ("/" if p.is_dir() else "") for p in folder.iterdir())
    return few(names, 8)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that compares runs of digits as numbers.

    >>> sorted(["10", "9", "a2"], key=natural)
    ['9', '10', 'a2']
    """
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts]


def _rank(path: Path) -> tuple[int, str]:
    return EXTENSIONS.index(path.suffix.lower()), path.name
