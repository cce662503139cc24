"""Ids as names on disk: the one place where a text from outside becomes a path."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from rvosbench.errors import FileError


def file_name(key: str) -> str:
    """A key as one file name: "TAO/a b" -> "TAO%2Fa%20b"; never hidden, never ".."."""
    name = quote(key, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def relative_name(*ids: str) -> PurePosixPath:
    """Ids as a relative path that people read and servers expect; an id may contain "/".

    Raises:
        FileError: an id is empty, absolute, or has a part that is hidden or "..".
    """
    for name in ids:
        if not name or any(not part or part.startswith(".") for part in name.split("/")):
            raise FileError(
                f"{name!r} cannot name a file or folder: its parts must not be empty "
                "nor begin with a dot"
            )
    return PurePosixPath(*ids)
