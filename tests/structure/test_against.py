"""The stopwatch of `benchmarks/against.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.against import Workload, compared, measured, milliseconds
from benchmarks.trees import HERE, Tree

BUSY = (
    "import subprocess, sys, time\n"
    "work = 'import time\\nwhile time.process_time() < {}: pass'\n"
    "subprocess.run([sys.executable, '-c', work.format(0.4)], check=True)\n"
    "print('  480p  12.0 x   reference 1.000 ms a pair, rvosbench   0.125 ms')\n"
)


def test_children_count_and_waiting_does_not(tmp_path: Path) -> None:
    tree = Tree(HERE, tmp_path / "scratch")
    work = Workload("busy", lambda tree, folder: ["-c", BUSY + "time.sleep(0.7)"], milliseconds)
    figures = measured(work, tree, tmp_path / "run")
    assert 0.4 <= figures["busy, processor s"] < 1
    assert figures["busy, its own ms"] == pytest.approx(0.125)


def test_every_run_has_a_folder_of_its_own_and_the_first_is_not_counted(tmp_path: Path) -> None:
    trees = [Tree(HERE, tmp_path / name) for name in ("old", "new")]
    seen: list[tuple[Path, Path]] = []

    def arguments(tree: Tree, folder: Path) -> list[str]:
        seen.append((tree.scratch, folder))
        return ["-c", "print(1)"]

    work = Workload("one", arguments, lambda text: [float(text) * len(seen)])
    old, new = compared(work, trees, 3, tmp_path / "runs")
    assert len({folder for _, folder in seen}) == len(seen) == 8
    order = [scratch.name for scratch, _ in seen]
    assert order == ["old", "new", "old", "new", "new", "old", "old", "new"]
    assert (old["one, its own ms"], new["one, its own ms"]) == pytest.approx((6, 5))


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    work = Workload("wrong", lambda tree, folder: ["-c", "raise SystemExit('no such thing')"])
    with pytest.raises(SystemExit, match="no such thing"):
        measured(work, Tree(HERE, tmp_path / "scratch"), tmp_path / "run")


def test_a_tree_runs_its_own_code(tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "rvosbench").mkdir(parents=True)
    (other / "rvosbench" / "__init__.py").write_text("")
    (other / "pyproject.toml").write_text(
        '[project]\nname = "rvosbench"\nversion = "0"\n'
        '[project.entry-points."rvosbench.methods"]\nonly = "nothing:SPEC"\n'
    )
    code = (
        "import rvosbench; from importlib.metadata import entry_points; print(rvosbench.__file__,"
        " *(e.name for e in entry_points(group='rvosbench.methods')))"
    )
    told = Tree(other, tmp_path / "scratch").python(["-c", code], tmp_path)
    assert told.split() == [str(other / "rvosbench" / "__init__.py"), "only"]
    assert not list(other.rglob("__pycache__"))
