"""Being interrupted: a signal asks a training to stop after the step that is being done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether somebody has asked to stop."""

    def __init__(self) -> None:
        self.made = False

    def make(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Ask; a second SIGINT or SIGTERM then acts at once, as usual."""
        del number, frame
        self.made = True


@contextmanager
def listening() -> Iterator[StopRequest]:
    """Turns the first SIGINT or SIGTERM into a request; the old handlers come back at the end.

    Outside the main thread, where Python has no signals, nothing is listened to.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    old = {number: signal.getsignal(number) for number in SIGNALS}

    def receive(number: int, frame: FrameType | None) -> None:
        request.make()
        for name, handler in old.items():
            signal.signal(name, handler)

    for number in SIGNALS:
        signal.signal(number, receive)
    try:
        yield request
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
