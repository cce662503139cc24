"""A method as a stranger installs it: a package with an entry point, on disk."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from rvosbench.runs.code_hash import source_hash
from rvosbench.runs.methods import MethodChoice

CODE = """
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rvosbench.contracts import MethodIdentity, MethodSpec
from rvosbench.masks import MaskSequence
from rvosbench.records import MethodCard

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Config:
    width: int = 5


class Box:
    def __init__(self, config):
        with (HERE / "built.log").open("a") as log:
            log.write(f"{os.getpid()}\\n")
        self.width, self.weights = config.width, weights()

    def predict(self, sample):
        boxes = np.zeros((len(sample.video), *sample.video.size), bool)
        boxes[:, 3:8, 1 : 1 + self.width] = True
        return {e.id: MaskSequence.from_arrays(boxes) for e in sample.expressions}

    def provenance(self):
        return {"weights": self.weights}

    @property
    def card(self):
        return MethodCard("A box", training_data=f"weights {self.weights}")


def weights():
    return (HERE / "weights.bin").read_text()


def identify(config, device, videos):
    return MethodIdentity({"weights": weights()}, MethodCard("A box", training_data=TOLD))


TOLD = f"weights {weights()}"
SPEC = MethodSpec(Config, lambda config, device: Box(config), MethodCard("Boxes"))
"""
TELLS = CODE + "\nimport dataclasses\nSPEC = dataclasses.replace(SPEC, identify=identify)\n"
"""As `CODE`, and it says what it is without being built."""

_numbers = count()


@dataclass(frozen=True)
class ToyPlugin:
    """The package `name` in a folder of `sys.path`; its method has the same name."""

    folder: Path
    name: str

    def write(self, code: str, weights: str = "1") -> MethodChoice:
        """Write or edit it, as if in a new process; gives its method."""
        package = self.folder / self.name
        package.mkdir(exist_ok=True)
        (package / "weights.bin").write_text(weights)
        (package / "__init__.py").write_text("")
        (package / "method.py").write_text(code)
        for module in [m for m in sys.modules if m.partition(".")[0] == self.name]:
            del sys.modules[module]
        importlib.invalidate_caches()
        source_hash.cache_clear()
        return MethodChoice(self.name)

    @property
    def built_by(self) -> list[int]:
        """The processes that built the method, in order."""
        log = self.folder / self.name / "built.log"
        return [int(line) for line in log.read_text().split()] if log.exists() else []


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyPlugin:
    """An installed package without code; another one in every test."""
    name = f"toyplugin{os.getpid()}n{next(_numbers)}"
    info = tmp_path / "site" / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    entry = f"[rvosbench.methods]\n{name} = {name}.method:SPEC\n"
    (info / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # edits may come within a second
    return ToyPlugin(tmp_path / "site", name)
