"""Processor time of this tree against an older worktree's, alternating in one run.

    git worktree add ../older 1c25e4b
    python benchmarks/against.py --old ../older                   an hour, if nothing else runs
    python benchmarks/against.py --old ../older --only metrics --runs 3
    python benchmarks/against.py --old ../older --quick           minutes; not for publication

Compared are the main command (`rvosbench eval --method sola` on the demo), `benchmarks/metrics.py`
and `benchmarks/corruptions.py`, each tree with its own files, caches and entry points, on one
thread. Processor time is user and system of a command and all its children; a ratio is that of the
medians. The two benchmarks repeat their work until it takes long enough, so their processor time
says little: what they print themselves, the milliseconds of ours, is compared too, as the geometric
mean of their lines. One run of each tree before the first round fills the caches and is not
counted. Exit code 1 if a ratio is above the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.trees import COMMAND, HERE, Tree, commit_of, say

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Workload:
    """Something that both trees do.

    Attributes:
        name: for the table and --only.
        arguments: of Python, for a tree and a fresh folder.
        printed: what its output says in milliseconds; empty if it says nothing.
    """

    name: str
    arguments: Callable[[Tree, Path], list[str]]
    printed: Callable[[str], Sequence[float]] = lambda output: ()


def evaluation(limit: int | None) -> Workload:
    """The main command, on all videos of the demo or the first ones."""
    few = ["--limit", str(limit)] if limit else []

    def arguments(tree: Tree, folder: Path) -> list[str]:
        return ["-c", COMMAND, "eval", "--method", "sola", *few, "--out", str(folder / "run")]

    return Workload("eval --method sola", arguments)


def metrics(quick: bool) -> Workload:
    """Speed of scoring, in memory and from files."""
    parts = ["kernel"] if quick else ["kernel", "files"]

    def arguments(tree: Tree, folder: Path) -> list[str]:
        return [str(tree.root / "benchmarks" / "metrics.py"), *parts]

    return Workload("metrics.py", arguments, milliseconds)


def corruptions(quick: bool) -> Workload:
    """Speed of all corruptions."""
    size = ["--size", "432x240", "--repeat", "3"] if quick else []

    def arguments(tree: Tree, folder: Path) -> list[str]:
        return [str(tree.root / "benchmarks" / "corruptions.py"), "--json", *size]

    return Workload("corruptions.py", arguments, lambda text: [r["ms"] for r in json.loads(text)])


def milliseconds(text: str) -> list[float]:
    """The lines of `metrics.py`: what a pair of masks takes."""
    return [float(found) for found in re.findall(r"rvosbench\s+([\d.]+) ms", text)]


def measured(workload: Workload, tree: Tree, folder: Path) -> Figures:
    """One run: seconds of processor time, and what the output says, by the name of the figure.

    Raises:
        SystemExit: the run failed.
    """
    folder.mkdir(parents=True)
    command = [sys.executable, *workload.arguments(tree, folder)]
    with (folder / "stdout").open("w+") as out, (folder / "stderr").open("w+") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=tree.environment(), stdout=out, stderr=errors
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = (folder / "stdout").read_text("utf-8")
    if process.returncode:
        raise SystemExit(f"{tree.root}: {workload.name} failed\n{(folder / 'stderr').read_text()}")
    figures = {f"{workload.name}, processor s": used.ru_utime + used.ru_stime}
    lines = workload.printed(text)
    if lines:
        figures[f"{workload.name}, its own ms"] = statistics.geometric_mean(lines)
    return figures


def compared(workload: Workload, trees: Sequence[Tree], runs: int, folder: Path) -> list[Figures]:
    """Medians of each tree; the order changes from round to round."""
    for tree in trees:
        measured(workload, tree, folder / f"warm-{trees.index(tree)}")
    found: list[list[Figures]] = [[] for _ in trees]
    for turn in range(runs):
        for index in sorted(range(len(trees)), reverse=bool(turn % 2)):
            figures = measured(workload, trees[index], folder / f"{turn}-{index}")
            found[index].append(figures)
            told = "  ".join(f"{value:.3f}" for value in figures.values())
            say(f"  {workload.name}, round {turn + 1}, {'old' if index == 0 else 'new'}: {told}")
    return [
        {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        for rounds in found
    ]


def main() -> None:
    """Run the workloads, print the table, and exit 1 above the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--old", type=Path, required=True, help="the older worktree")
    parser.add_argument("--runs", type=int, default=7, help="rounds that count (default 7)")
    parser.add_argument("--only", choices=("eval", "metrics", "corruptions"), action="append")
    parser.add_argument("--videos", type=int, help="of the main command; default: all of the demo")
    parser.add_argument("--quick", action="store_true", help="less work in each")
    parser.add_argument("--limit", type=float, default=1.05, help="largest ratio (default 1.05)")
    given = parser.parse_args()
    workloads = {
        "eval": evaluation(given.videos or (2 if given.quick else None)),
        "metrics": metrics(given.quick),
        "corruptions": corruptions(given.quick),
    }
    old: dict[str, float] = {}
    new: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trees = [Tree(given.old.resolve(), folder / "old"), Tree(HERE, folder / "new")]
        for each in given.only or workloads:
            medians = compared(workloads[each], trees, given.runs, folder / each)
            old.update(medians[0])
            new.update(medians[1])
    say(f"\nmedians of {given.runs} alternating runs; load {os.getloadavg()[0]:.1f}")
    commits = [commit_of(tree.root) or "?" for tree in trees]
    say(f"{'':36} {commits[0]:>10} {commits[1]:>10}  ratio")
    ratios = {name: new[name] / old[name] for name in old}
    for name, ratio in ratios.items():
        mark = "  ABOVE THE LIMIT" if ratio > given.limit else ""
        say(f"{name:36} {old[name]:10.3f} {new[name]:10.3f}  {ratio:5.3f}{mark}")
    if any(ratio > given.limit for ratio in ratios.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
