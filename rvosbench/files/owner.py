"""Which process something on disk belongs to: temporaries and claims carry it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_STARTED = 19  # place of a process's start time in /proc/PID/stat, counted after its name


@dataclass(frozen=True)
class Owner:
    """A process of some machine.

    Attributes:
        host: name of the machine.
        process: its number there.
        started: when it started, as the system tells it ("" where it does not): a number that is
            given to a new process is not taken for the old one.
    """

    host: str
    process: int
    started: str

    @property
    def label(self) -> str:
        """For file names: "host-123-4567"; `parse_owner` reads it."""
        return f"{self.host}-{self.process}-{self.started}"

    @property
    def gone(self) -> bool:
        """Whether it certainly runs no more; of another machine nothing is certain."""
        if self.host != socket.gethostname() or os.name == "nt":  # there, asking would end it
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # it is there, but belongs to somebody else
            pass
        return bool(self.started) and _start_time(self.process) not in ("", self.started)


def this_process() -> Owner:
    """The process that asks."""
    return _owner(os.getpid())


def parse_owner(label: str) -> Owner | None:
    """Inverse of `Owner.label`; None for a text that is none."""
    host, _, rest = label.rpartition("-")
    host, _, process = host.rpartition("-")
    return Owner(host, int(process), rest) if host and process.isdecimal() else None


@cache
def _owner(process: int) -> Owner:  # of a fork it is another one
    return Owner(socket.gethostname(), process, _start_time(process))


def _start_time(process: int) -> str:
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[_STARTED]
