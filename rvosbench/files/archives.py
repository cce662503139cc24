"""Trees of files, a folder or a zip behind one face, and how a zip is written."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from rvosbench.errors import FileError
from rvosbench.files.atomic import replacing

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_UNIX, _MODE = 3, 0o644 << 16  # else they tell which system and user made the zip


class Tree(Protocol):
    """A tree of files. Names are relative, with "/" between their parts; "" is the root.

    Hidden names and the litter of macOS archives are not shown. A tree can be sent to another
    process.
    """

    @property
    def path(self) -> Path:
        """The folder or zip itself, for messages."""

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of that name."""

    def folders(self, at: str) -> tuple[str, ...]:
        """Names of the folders in the folder `at`, sorted; none if there is no such folder."""

    def files(self, at: str) -> tuple[str, ...]:
        """Names of the files in the folder `at`, sorted; none if there is no such folder."""

    def size(self, name: str) -> int:
        """Bytes of a file, without reading it."""

    def identity(self, name: str) -> str:
        """Changes when the file changes, without reading it."""

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The content of a file.

        Raises:
            FileError: it cannot be read, or has more than `limit` bytes.
        """


def open_tree(path: Path) -> Tree:
    """The tree at `path`.

    Raises:
        FileError: it does not exist, or is neither a folder nor a zip.
    """
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise FileError(f"{path}: there is no such folder or zip")
    if not zipfile.is_zipfile(path):
        raise FileError(f"{path}: a file that is not a zip, wanted a folder or a zip")
    return Zip(path)


@dataclass(frozen=True)
class Folder:
    """Files in a folder. A `Path` for every file would cost as much as reading a small mask."""

    path: Path

    def is_folder(self, name: str) -> bool:
        """See `Tree`."""
        return (self.path / name).is_dir()

    def folders(self, at: str) -> tuple[str, ...]:
        """See `Tree`."""
        return self._entries(at, folders=True)

    def files(self, at: str) -> tuple[str, ...]:
        """See `Tree`."""
        return self._entries(at, folders=False)

    def size(self, name: str) -> int:
        """See `Tree`."""
        return self._status(name).st_size

    def identity(self, name: str) -> str:
        """Size and time of change."""
        status = self._status(name)
        return f"{status.st_size}:{status.st_mtime_ns}"

    def read(self, name: str, limit: int | None = None) -> bytes:
        """See `Tree`."""
        place = f"{self.path}/{name}"
        try:
            with io.FileIO(place) as file:
                return _bounded(file, limit, place)
        except OSError as error:
            raise FileError(f"{place}: cannot be read: {error}") from error

    def _status(self, name: str) -> os.stat_result:
        return os.stat(f"{self.path}/{name}")  # noqa: PTH116 said above

    def _entries(self, at: str, folders: bool) -> tuple[str, ...]:
        try:
            with os.scandir(self.path / at) as entries:
                found = [e.name for e in entries if shown(e.name) and e.is_dir() == folders]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(sorted(found))


class Zip:
    """Files in a zip, read without unpacking."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: zipfile.ZipFile | None = None
        self._process = 0
        self._names = _names(self._open())

    def __reduce__(self) -> tuple[type[Zip], tuple[Path]]:
        return Zip, (self.path,)

    def is_folder(self, name: str) -> bool:
        """See `Tree`."""
        return name in self._names

    def folders(self, at: str) -> tuple[str, ...]:
        """See `Tree`."""
        return tuple(sorted(k for k, real in self._names.get(at, {}).items() if real is None))

    def files(self, at: str) -> tuple[str, ...]:
        """See `Tree`."""
        return tuple(sorted(k for k, real in self._names.get(at, {}).items() if real is not None))

    def size(self, name: str) -> int:
        """See `Tree`."""
        return self._info(name).file_size

    def identity(self, name: str) -> str:
        """Size and checksum."""
        info = self._info(name)
        return f"{info.file_size}:{info.CRC:08x}"

    def read(self, name: str, limit: int | None = None) -> bytes:
        """See `Tree`."""
        try:
            with self._open().open(self._info(name)) as file:
                return _bounded(file, limit, f"{self.path}: {name}")
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise FileError(f"{self.path}: {name} cannot be read: {error}") from error

    def _info(self, name: str) -> zipfile.ZipInfo:
        folder, _, last = name.rpartition("/")
        return self._open().getinfo(self._names[folder][last] or "")

    def _open(self) -> zipfile.ZipFile:
        # A handle that came through a fork shares its file position with the parent's.
        if self._handle is None or self._process != os.getpid():
            try:
                self._handle, self._process = zipfile.ZipFile(self.path), os.getpid()
            except (OSError, zipfile.BadZipFile) as error:
                raise FileError(f"{self.path}: not a readable zip: {error}") from error
        return self._handle


def write_zip(out: Path, entries: Iterable[tuple[str, bytes]]) -> int:
    """Write (name, content) into a zip, in the given order; the same entries give the same bytes.

    The zip appears complete or not at all. Files are stored as they are: PNGs are compressed.

    Returns:
        The number of entries.
    """
    number = 0
    with replacing(out) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = _UNIX, _MODE
            archive.writestr(info, content)
            number += 1
    return number


def shown(name: str) -> bool:
    """Whether a file or folder belongs to a tree."""
    return not name.startswith(".") and name not in {"__MACOSX", "Thumbs.db"}


def _bounded(file: io.RawIOBase | IO[bytes], limit: int | None, where: str) -> bytes:
    content = file.read(-1 if limit is None else limit + 1) or b""
    if limit is not None and len(content) > limit:
        raise FileError(f"{where}: more than the {limit} bytes that such a file can have")
    return content


def _names(archive: zipfile.ZipFile) -> Mapping[str, dict[str, str | None]]:
    """Folder -> name -> the name in the archive of a file, None of a folder."""
    tree: dict[str, dict[str, str | None]] = {"": {}}
    for info in archive.infolist():
        parts = [p for p in info.filename.replace("\\", "/").split("/") if p not in ("", ".")]
        if not parts or not all(shown(part) for part in parts):
            continue
        for depth in range(len(parts)):
            folder, last = "/".join(parts[:depth]), depth == len(parts) - 1
            is_file = last and not info.is_dir()
            tree.setdefault(folder, {})[parts[depth]] = info.filename if is_file else None
    return tree
