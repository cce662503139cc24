"""What everybody waits for at every start must not bring torch, and what nobody asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "transformers")
COMMAND = """
import sys
from rvosbench.cli.app import main
sys.argv = ["rvosbench", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
TELL = "\nimport sys; print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"


def heavy_modules(code: str, *arguments: str, folder: Path) -> str:
    """Which of `HEAVY` a fresh process has imported at its end, as the last line of stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code + TELL.format(heavy=HEAVY), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "module", ["rvosbench", "rvosbench.cli.app", "leaderboard", "leaderboard.cli", "sola.config"]
)
def test_importing_brings_no_torch(module: str, tmp_path: Path) -> None:
    assert heavy_modules(f"import {module}", folder=tmp_path) == "[]"


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("methods", "list"), ("score", "--help"), ("eval", "--help"), ("data", "list")],
    ids=" ".join,
)
def test_a_command_that_computes_nothing_brings_no_torch(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert heavy_modules(COMMAND, *arguments, folder=tmp_path) == "[]"


def test_scoring_brings_no_torch(tmp_path: Path) -> None:
    one = ("--dataset", "demo", "--split", "valid", "--videos", "valid-0000")
    made = heavy_modules(COMMAND, "eval", "--method", "empty", *one, "--out", "e", folder=tmp_path)
    assert made == "[]"
    assert heavy_modules(COMMAND, "score", "e", *one, folder=tmp_path) == "[]"
