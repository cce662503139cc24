"""How long a training goes on: processor time, or an exact number of steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """When a training ends.

    Attributes:
        minutes: processor time of all threads, without evaluations: a busy machine changes nothing
            but the wait. Two runs of the same minutes differ in their number of steps.
        steps: exact number of optimizer steps, instead of minutes: repeats a training exactly.
    """

    minutes: float = 0.0
    steps: int | None = None

    def progress(self, step: int, seconds: float) -> float:
        """Share that is done after `step` steps and `seconds` of training; 1 ends it."""
        done, whole = (seconds, self.minutes * 60) if self.steps is None else (step, self.steps)
        return min(1.0, done / whole) if whole > 0 else 1.0


class Clock:
    """Processor seconds of a training, begun before or not.

    Args:
        seconds: that the training took until now.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._before = seconds
        self._started = time.process_time()

    def seconds(self) -> float:
        """Of the training until now."""
        return self._before + time.process_time() - self._started

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What happens inside does not count."""
        self._before = self.seconds()
        try:
            yield
        finally:
            self._started = time.process_time()
