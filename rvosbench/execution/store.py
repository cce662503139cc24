"""The finished outputs of a list of units, each stamped with the digest of what decided it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
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
        hashed: stamps hold a hash of the output, and an output that was changed since is not
            finished; for small outputs, as they are read whenever a list of units is taken up.
        readable: whether an output can be used; asked where a stamp holds no hash.
    """

    folder: Path
    suffix: str = ".json"
    hashed: bool = False
    readable: Callable[[Path], bool] = Path.exists

    def output(self, key: str) -> Path:
        """Where the output of `key` lies."""
        return self.folder / (file_name(key) + self.suffix)

    def finished(self, unit: Unit) -> bool:
        """Whether the output is there, was made from the same inputs, and is not damaged."""
        output = self.output(unit.key)
        try:
            stamp = json.loads(self._stamp(unit.key).read_text(encoding="utf-8"))
            if stamp["digest"] != unit.digest or not output.exists():
                return False
            if self.hashed and "content" in stamp:
                return bool(stamp["content"] == content_hash(output))
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return self.readable(output)

    def accept(self, unit: Unit, written: Path) -> None:
        """Move a complete output to its place, then stamp it: a kill between costs one unit."""
        stamp = {"key": unit.key, "digest": unit.digest}
        if self.hashed:
            stamp["content"] = content_hash(written)
        discard(self._stamp(unit.key))
        move(written, self.output(unit.key))
        write_json(self._stamp(unit.key), stamp)

    def _stamp(self, key: str) -> Path:
        return self.folder / ".stamps" / (file_name(key) + ".json")


def content_hash(output: Path) -> str:
    """sha256 over a file, or over the names and files of a folder."""
    content = hashlib.sha256()
    files = sorted(p for p in output.rglob("*") if p.is_file()) if output.is_dir() else [output]
    for file in files:
        content.update(f"{file.relative_to(output).as_posix()}\0{file.stat().st_size}\0".encode())
        content.update(file.read_bytes())
    return content.hexdigest()
