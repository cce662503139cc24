"""Units of work, and what an executor says of each."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from rvosbench.files.atomic import discard, part_of
from rvosbench.files.names import file_name


@dataclass(frozen=True)
class Unit:
    """One piece of work.

    Attributes:
        key: names the unit and its output, such as a video id; may contain "/".
        digest: hash of everything that decides the output.
    """

    key: str
    digest: str


class Job(Protocol):
    """Does one unit: writes the output of `key` (a file or a folder) at the path `output`.

    It is sent to worker processes by pickle, so it holds configuration, not open models; what is
    costly is made on first use and kept on the worker. Every attempt gets a path of its own, at
    which there is nothing.
    """

    def __call__(self, key: str, output: Path) -> None:
        """Do the unit `key`."""


@dataclass(frozen=True)
class Outcome:
    """What became of a unit.

    Attributes:
        key: of the unit.
        error: why it failed, or None.
        details: the traceback as text, where it failed.
        where: the complete output, where it did not fail: to be moved to its place.
    """

    key: str
    error: BaseException | None = None
    details: str = ""
    where: Path | None = None


Executor: TypeAlias = Callable[[Job, Sequence[str], Path], Iterator[Outcome]]
"""Does units by their keys, and yields an outcome for each; a unit that fails never raises.

Outputs are left in the folder, each at a path of its own.
"""


def attempt(job: Job, key: str, folder: Path) -> Outcome:
    """Try a unit once; what a failed try wrote is removed."""
    place = part_of(folder / file_name(key))
    try:
        job(key, place)
    except BaseException as error:
        discard(place)
        if not isinstance(error, Exception):  # somebody wants to stop
            raise
        return Outcome(key, error, traceback.format_exc())
    return Outcome(key, where=place)
