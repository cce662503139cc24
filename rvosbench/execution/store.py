"""The finished outputs of a list of units, each stamped with the digest of what decided it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rvosbench.execution.units import Unit
from rvosbench.files.atomic import discard, move, write_json
from rvosbench.files.names import file_name


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
            made_from = stamp["digest"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return bool(made_from == unit.digest) and self.output(unit.key).exists()

    def accept(self, unit: Unit, written: Path) -> None:
        """Move a complete output to its place, then stamp it: a kill between costs one unit."""
        discard(self._stamp(unit.key))
        move(written, self.output(unit.key))
        write_json(self._stamp(unit.key), {"key": unit.key, "digest": unit.digest})

    def _stamp(self, key: str) -> Path:
        return self.folder / ".stamps" / (file_name(key) + ".json")
