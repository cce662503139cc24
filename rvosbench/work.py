"""Work: everything long is a list of units, one a video, that can be killed and taken up again.

A unit knows the digest of all that decides its output. The output (a file or a folder) is written
beside its place and renamed, then stamped with the digest; a later run does what is missing or
changed, nothing else. All long commands and all executors share this one mechanism.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from rvosbench.records import Json

SCRATCH = ".scratch-"
"""Folders that begin so hold outputs in the making: then the machine, the process, and letters."""


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
    costly is made on first use and kept on the worker.
    """

    def __call__(self, key: str, output: Path) -> None: ...


class Executor(Protocol):
    """Runs a job over tasks (key, path) and yields each key when its output is complete."""

    def __call__(self, job: Job, tasks: Sequence[tuple[str, Path]]) -> Iterator[str]: ...


@dataclass(frozen=True)
class Store:
    """The outputs of a list of units in one folder.

    Attributes:
        folder: holds the outputs, and their stamps in `.stamps/`.
        suffix: of an output's name; empty for folders.
    """

    folder: Path
    suffix: str = ".json"

    def output(self, key: str) -> Path:
        """Where the output of `key` lies."""
        return self.folder / (file_name(key) + self.suffix)

    def finished(self, unit: Unit) -> bool:
        """Whether the output is there and was made from the same inputs."""
        try:
            stamp = json.loads(self._stamp(unit.key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(stamp.get("digest") == unit.digest) and self.output(unit.key).exists()

    def accept(self, unit: Unit, written: Path) -> None:
        """Move a complete output to its place, then stamp it: a kill between costs one unit."""
        place = self.output(unit.key)
        self._stamp(unit.key).unlink(missing_ok=True)
        if place.is_dir():
            shutil.rmtree(place)
        written.replace(place)
        write_json(self._stamp(unit.key), {"key": unit.key, "digest": unit.digest})

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of this process's own for outputs that are not complete; goes at the end.

        Folders that killed processes of this machine left are removed.
        """
        prefix = f"{SCRATCH}{socket.gethostname()}-"
        for old in self.folder.glob(f"{prefix}*"):
            if not _lives(old.name.rsplit("-", 2)[1]):
                shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _stamp(self, key: str) -> Path:
        return self.folder / ".stamps" / (file_name(key) + ".json")


def run_units(
    units: Sequence[Unit],
    job: Job,
    store: Store,
    executor: Executor,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> None:
    """Bring every unit's output up to date.

    Args:
        units: with distinct keys.
        job: what to do for a unit that is missing or changed.
        store: where outputs go.
        executor: who does it, see `local`.
        on_done: called with the unit, and whether its output was already there.

    Raises:
        Whatever the job raises; units finished before stay finished.
    """
    check_distinct(unit.key for unit in units)
    store.folder.mkdir(parents=True, exist_ok=True)
    todo = {}
    for unit in units:
        if store.finished(unit):
            on_done(unit, True)
        else:
            todo[unit.key] = unit
    if not todo:
        return  # readers of a finished folder do not disturb each other
    with store.scratch() as scratch:
        for key in executor(job, [(key, scratch / file_name(key)) for key in todo]):
            store.accept(todo[key], scratch / file_name(key))
            on_done(todo[key], False)


def _lives(process: str) -> bool:
    """Whether a process of this machine runs; what is no number may be anything, so it does."""
    if os.name == "nt" or not process.isdigit():  # there, asking would end it
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is there, but belongs to somebody else
        return True
    return True


def local(workers: int = 0) -> Executor:
    """Run on this machine: in this process (`workers` 0 or 1) or in that many new ones."""
    return _in_process if workers <= 1 else _Processes(workers)


def _in_process(job: Job, tasks: Sequence[tuple[str, Path]]) -> Iterator[str]:
    for key, output in tasks:
        job(key, output)
        yield key


@dataclass(frozen=True)
class _Processes:
    workers: int

    def __call__(self, job: Job, tasks: Sequence[tuple[str, Path]]) -> Iterator[str]:
        # Forking a process that holds torch or OpenCV threads can hang: start fresh ones.
        pool = ProcessPoolExecutor(
            self.workers, get_context("spawn"), initializer=_keep, initargs=(job,)
        )
        try:
            running: dict[Future[None], str] = {pool.submit(_do, *task): task[0] for task in tasks}
            for future in as_completed(running):
                future.result()
                yield running[future]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_kept: list[Job] = []  # the worker process's own copy, made once


def _keep(job: Job) -> None:
    _kept[:] = [job]


def _do(key: str, output: Path) -> None:
    _kept[0](key, output)


def digest(facts: Json) -> str:
    """sha256 (64 hex digits) of a JSON-safe value, independent of key order."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def write_json(path: Path, value: Json, indent: int | None = None) -> None:
    """Write JSON atomically; the same value gives the same bytes."""
    write_bytes(path, json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8") + b"\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


def file_name(key: str) -> str:
    """A unit key as one file name: "TAO/a b" -> "TAO%2Fa%20b"; never hidden, never ".."."""
    name = quote(key, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_distinct(keys: Iterable[str]) -> None:
    """Units are told apart by key: two of one name would overwrite each other."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"two units are called {key!r}")
        seen.add(key)
