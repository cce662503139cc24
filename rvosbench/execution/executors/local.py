"""Units on this machine: in this process, or in worker processes of their own.

Every slot is a pool of one process, so that it is known which unit ended its worker. A worker holds
one end of a pipe: when this process is gone, however it ended, the pipe breaks and the worker goes.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from rvosbench.errors import WorkerError
from rvosbench.execution.units import Executor, Job, Outcome, attempt

TRIES = 2
"""How often a unit is begun whose worker dies; an exception is never tried again."""


def local(workers: int = 0) -> Executor:
    """Run on this machine: in this process (`workers` 0 or 1) or in that many new ones."""
    return _in_process if workers <= 1 else partial(_in_processes, workers)


def _in_process(job: Job, keys: Sequence[str], folder: Path) -> Iterator[Outcome]:
    return map(partial(attempt, job, folder=folder), keys)


def _in_processes(workers: int, job: Job, keys: Sequence[str], folder: Path) -> Iterator[Outcome]:
    sent = pickle.dumps(job)
    slots = [_Slot(sent) for _ in range(min(workers, len(keys)))]
    try:
        yield from _work(slots, keys, folder)
    finally:
        for slot in slots:
            slot.stop()


def _work(slots: Sequence[_Slot], keys: Sequence[str], folder: Path) -> Iterator[Outcome]:
    todo, idle, begun = deque(keys), list(slots), Counter[str]()
    running: dict[Future[Outcome], tuple[_Slot, str]] = {}
    while todo or running:
        while todo and idle:
            slot, key = idle.pop(), todo.popleft()
            begun[key] += 1
            running[slot.submit(key, folder)] = slot, key
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            slot, key = running.pop(future)
            idle.append(slot)
            outcome = _outcome(future, key)
            if isinstance(outcome.error, WorkerError):
                slot.stop()  # the next unit gets a new process
                if begun[key] < TRIES:
                    todo.append(key)
                    continue
            yield outcome


def _outcome(future: Future[Outcome], key: str) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        return Outcome(
            key,
            WorkerError(
                f"unit {key!r}: the worker process died {TRIES} times: killed from outside, or out "
                "of memory? Use fewer --workers"
            ),
        )


@dataclass
class _Slot:
    """A worker process, started with the first unit, and the leash that ends it."""

    job: bytes
    _pool: ProcessPoolExecutor | None = None
    _leash: tuple[Connection, ...] = field(default=())

    def submit(self, key: str, folder: Path) -> Future[Outcome]:
        if self._pool is None:
            # Forking a process that holds torch or OpenCV threads can hang: start fresh ones.
            context = get_context("spawn")
            held, ours = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(1, context, _start, (held, self.job))
            self._leash = (held, ours)
        return self._pool.submit(_do, key, folder)

    def stop(self) -> None:
        """End the process at once, in the middle of a unit if there is one."""
        if self._pool is not None:
            for end in self._leash:
                end.close()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


_kept: list[Job] = []  # the worker process's own copy, made once


def _start(leash: Connection, job: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    sys.stdout = sys.stderr  # what a job prints is no output of the command
    threading.Thread(target=_hold, args=(leash,), daemon=True).start()
    _kept[:] = [pickle.loads(job)]


def _hold(leash: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        leash.recv()  # nothing is ever sent: this ends when the parent is gone
    os._exit(1)


def _do(key: str, folder: Path) -> Outcome:
    outcome = attempt(_kept[0], key, folder)
    if outcome.error is not None:
        try:
            pickle.loads(pickle.dumps(outcome.error))
        except Exception:  # an exception that cannot travel breaks the pool
            name = type(outcome.error).__name__
            return Outcome(key, RuntimeError(f"{name}: {outcome.error}"), outcome.details)
    return outcome
