"""The log of a training: `log.jsonl`, one line of JSON now and then."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

LOG_FILE = "log.jsonl"
logger = logging.getLogger(__name__)


class Log:
    """Running means of what every step measures, and lines about them.

    Args:
        folder: where `log.jsonl` lies; lines are added to it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG_FILE
        self._means: dict[str, float] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Takes over what a step measured; a name that it lacks keeps its mean."""
        for name, value in values.items():
            self._means[name] = 0.98 * self._means.get(name, value) + 0.02 * value

    def write_means(self, step: int, seconds: float) -> None:
        """Adds a line of kind "train" with the running means."""
        self.write("train", step, seconds, dict(sorted(self._means.items())))

    def write(self, kind: str, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Adds a line: its kind, minutes of training, steps taken, and `values`."""
        rounded = {name: round(value, 4) for name, value in values.items()}
        row = {"kind": kind, "minutes": round(seconds / 60, 2), "step": step, **rounded}
        line = json.dumps(row)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        logger.info("%s", line)
