"""Write beside, flush, rename, clean up: a file or folder appears complete or not at all.

What is being made is called `.part-<random>-<host>-<process>-<start>@<name>` and lies in the folder
where it will be; whatever a killed process left there is removed by `remove_left_overs`.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rvosbench.config import Json
from rvosbench.files.owner import parse_owner, this_process

PART = ".part-"
"""What the names of files and folders in the making begin with."""

_NAME = 80  # bytes of the final name that are kept: file systems allow 255 in all


@contextmanager
def replacing(place: Path) -> Iterator[Path]:
    """A path beside `place` to write a file or a folder at; moved to `place` at the end.

    Folders above it are made. What is at `place` is replaced; after an exception it is untouched
    and nothing else stays.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = part_of(place)
    try:
        yield beside
        move(beside, place)
    finally:
        discard(beside)


def move(made: Path, place: Path) -> None:
    """Put what is complete at its place, instead of what is there; on the same file system."""
    if made.is_dir() and not made.is_symlink():
        old = part_of(place)
        if place.exists() or place.is_symlink():
            place.replace(old)  # the shortest time without either
        made.replace(place)
        discard(old)
    else:
        if place.is_dir() and not place.is_symlink():
            discard(place)
        made.replace(place)


def write_json(path: Path, value: Json, indent: int | None = None) -> None:
    """Write JSON atomically; the same value gives the same bytes."""
    write_bytes(path, json_bytes(value, indent))


def json_bytes(value: Json, indent: int | None = None) -> bytes:
    """The content of a JSON file."""
    return json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8") + b"\n"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; folders are made."""
    with replacing(path) as beside, beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def discard(path: Path) -> None:
    """Remove a file, a link or a folder if it is there; never what a link leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def part_of(place: Path) -> Path:
    """A new name beside `place` for something in the making, of this process."""
    name = os.fsencode(place.name)[:_NAME].decode(errors="ignore")
    return place.with_name(f"{PART}{secrets.token_hex(4)}-{this_process().label}@{name}")


def remove_left_overs(folder: Path) -> None:
    """Remove what processes of this machine that run no more were making in `folder`."""
    for path in sorted(folder.glob(f"{PART}*")):
        label = path.name.removeprefix(PART).partition("@")[0]
        owner = parse_owner(label.partition("-")[2])
        if owner is not None and owner.gone:
            discard(path)
