"""Who works in a folder: one run at a time, and several only if they say they share it.

A claim is a file `.claims/<owner>.json`. That of a process of this machine that runs no more is
taken over; that of another machine stands until somebody removes it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rvosbench.config import Json
from rvosbench.errors import UsageError
from rvosbench.files.atomic import discard, write_json
from rvosbench.files.owner import Owner, this_process

CLAIMS = ".claims"
"""Folder of the claims in a claimed folder."""

_TRIES = 100


@dataclass(frozen=True)
class Claim:
    """A process works in a folder.

    Attributes:
        owner: the process.
        since: when it began, ISO 8601 in UTC.
        share: claims of an equal, not empty text stand beside each other, such as the parts of one
            job; all others exclude each other.
    """

    owner: Owner
    since: str
    share: str = ""


@contextmanager
def claimed(folder: Path, share: str = "") -> Iterator[None]:
    """Work in `folder` while nobody else does.

    Args:
        folder: is made if it is not there.
        share: see `Claim`.

    Raises:
        UsageError: another process works there: says which one, since when, and what to do.
    """
    me, since = this_process(), datetime.now(UTC).isoformat(timespec="seconds")
    mine = folder / CLAIMS / f"{me.label}.json"
    again = mine.exists()  # this process works there already
    if not again:
        _write(mine, {**vars(me), "since": since, "share": share})
    try:
        for other in claims(folder):
            if other.owner != me and not (share and share == other.share):
                raise UsageError(
                    f"{folder}: process {other.owner.process} of {other.owner.host} works here "
                    f"since {other.since}: wait for it, or choose another folder. If that machine "
                    f"is gone, delete {folder / CLAIMS}"
                )
        yield
    finally:
        if not again:
            discard(mine)
            with contextlib.suppress(OSError):  # others work here, too
                mine.parent.rmdir()


def claims(folder: Path) -> list[Claim]:
    """Who works in a folder; claims that cannot be read, or whose process is gone, are removed."""
    found = []
    for file in sorted((folder / CLAIMS).glob("*.json")):
        claim = _read(file)
        if claim is None or claim.owner.gone:
            discard(file)
        else:
            found.append(claim)
    return found


def _write(mine: Path, content: Json) -> None:
    """Whoever leaves removes an empty folder of claims: perhaps between two steps of this."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            return write_json(mine, content)
    return write_json(mine, content)


def _read(file: Path) -> Claim | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        owner = Owner(str(content["host"]), int(content["process"]), str(content["started"]))
        return Claim(owner, str(content["since"]), str(content["share"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
