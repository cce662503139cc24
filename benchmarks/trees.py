"""Two trees of rvosbench on one machine: each runs its own code, whatever is installed.

Entry points come from the tree's own `pyproject.toml` and not from the installed package, bytecode
and compiled loops go to a scratch folder: the tree itself stays as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]

HERE = Path(__file__).resolve().parents[1]
"""The tree that this file belongs to."""

PACKAGES = ("rvosbench", "baselines", "sola", "leaderboard")
COMMAND = "import sys; from rvosbench.cli.app import main; sys.argv[0] = 'rvosbench'; main()"
"""What the console script does."""


@dataclass(frozen=True)
class Tree:
    """A checkout and a folder of its own for what running it leaves behind.

    Attributes:
        root: folder of its `pyproject.toml`.
        scratch: made if need be; caches stay warm while it lives.
    """

    root: Path
    scratch: Path

    def environment(self) -> dict[str, str]:
        """Variables of a process that runs this tree's code, on one thread."""
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(self._entry_points()), str(self.root)]),
            "PYTHONPYCACHEPREFIX": str(self.scratch / "bytecode"),
            "NUMBA_CACHE_DIR": str(self.scratch / "numba"),
            "XDG_CACHE_HOME": str(self.scratch / "cache"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
        }

    def python(self, arguments: Sequence[str], folder: Path) -> str:
        """Standard output of a Python process in `folder`.

        Raises:
            SystemExit: it failed; the message holds what it wrote to stderr.
        """
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(
                f"{self.root}: {' '.join(arguments)[-400:]} failed\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def rvosbench(self, arguments: Sequence[str], folder: Path) -> str:
        """Standard output of a command of this tree."""
        return self.python(["-c", COMMAND, *arguments], folder)

    def _entry_points(self) -> Path:
        """A folder that stands before the installed package and says the same of this tree."""
        folder = self.scratch / "metadata"
        project = tomllib.loads((self.root / "pyproject.toml").read_text("utf-8"))["project"]
        groups = project.get("entry-points", {})
        lines = [
            line
            for group, names in groups.items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in names.items()))
        ]
        info = folder / f"{project['name']}-{project['version']}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n",
            "utf-8",
        )
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
        return folder


def commit_of(root: Path) -> str:
    """Short commit id of a checkout, "+" behind it if files differ; empty outside of git."""
    found = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def parsed(output: str) -> object:
    """JSON of the last line of an output."""
    return json.loads(output.strip().splitlines()[-1])
