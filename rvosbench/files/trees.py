"""Where prediction files lie: a folder or a zip, behind one face."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rvosbench.errors import PredictionError


class Storage(Protocol):
    """A tree of files. Names are relative, with "/" between their parts; "" is the root.

    Hidden names and the litter of macOS archives are not shown. A storage can be sent to another
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

    def identity(self, name: str) -> str:
        """Changes when the file changes, without reading it."""

    def read(self, name: str) -> bytes:
        """The content of a file; raises PredictionError if it cannot be read."""


def open_storage(path: Path) -> Storage:
    """The storage at `path`.

    Raises:
        PredictionError: it does not exist, or is neither a folder nor a zip.
    """
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise PredictionError(f"{path}: there is no such folder or zip of predictions")
    if not zipfile.is_zipfile(path):
        raise PredictionError(f"{path}: a file that is not a zip, wanted a folder or a zip")
    return Archive(path)


@dataclass(frozen=True)
class Folder:
    """Files in a folder."""

    path: Path

    def is_folder(self, name: str) -> bool:
        """See `Storage`."""
        return (self.path / name).is_dir()

    def folders(self, at: str) -> tuple[str, ...]:
        """See `Storage`."""
        return self._entries(at, folders=True)

    def files(self, at: str) -> tuple[str, ...]:
        """See `Storage`."""
        return self._entries(at, folders=False)

    def identity(self, name: str) -> str:
        """Size and time of change."""
        status = (self.path / name).stat()
        return f"{status.st_size}:{status.st_mtime_ns}"

    def read(self, name: str) -> bytes:
        """See `Storage`."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise PredictionError(f"{self.path / name}: cannot be read: {error}") from error

    def _entries(self, at: str, folders: bool) -> tuple[str, ...]:
        try:
            with os.scandir(self.path / at) as entries:
                found = [e.name for e in entries if shown(e.name) and e.is_dir() == folders]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(sorted(found))


class Archive:
    """Files in a zip, read without unpacking."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: zipfile.ZipFile | None = None
        self._owner = 0
        self._tree = _tree(self._open())

    def __reduce__(self) -> tuple[type[Archive], tuple[Path]]:
        return Archive, (self.path,)

    def is_folder(self, name: str) -> bool:
        """See `Storage`."""
        return name in self._tree

    def folders(self, at: str) -> tuple[str, ...]:
        """See `Storage`."""
        return tuple(sorted(k for k, real in self._tree.get(at, {}).items() if real is None))

    def files(self, at: str) -> tuple[str, ...]:
        """See `Storage`."""
        return tuple(sorted(k for k, real in self._tree.get(at, {}).items() if real is not None))

    def identity(self, name: str) -> str:
        """Size and checksum."""
        info = self._open().getinfo(self._real(name))
        return f"{info.file_size}:{info.CRC:08x}"

    def read(self, name: str) -> bytes:
        """See `Storage`."""
        try:
            return self._open().read(self._real(name))
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise PredictionError(f"{self.path}: {name} cannot be read: {error}") from error

    def _real(self, name: str) -> str:
        folder, _, last = name.rpartition("/")
        return self._tree[folder][last] or ""

    def _open(self) -> zipfile.ZipFile:
        # A handle that came through a fork shares its file position with the parent's.
        if self._handle is None or self._owner != os.getpid():
            try:
                self._handle, self._owner = zipfile.ZipFile(self.path), os.getpid()
            except (OSError, zipfile.BadZipFile) as error:
                raise PredictionError(f"{self.path}: not a readable zip: {error}") from error
        return self._handle


def shown(name: str) -> bool:
    """Whether a file or folder name can belong to predictions."""
    return not name.startswith(".") and name not in {"__MACOSX", "Thumbs.db"}


def _tree(archive: zipfile.ZipFile) -> Mapping[str, dict[str, str | None]]:
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
