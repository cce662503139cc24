"""`rvosbench doctor`: what is installed, what is missing, what stands in the way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, util
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

import typer

from rvosbench import plugins
from rvosbench.cli import options
from rvosbench.cli.screen import answer
from rvosbench.errors import RvosbenchError
from rvosbench.models.weights import EMBEDDED, WEIGHTS_FILE

OURS = ("rvosbench", "baselines", "sola", "leaderboard")
LIBRARIES = (
    "numpy",
    "scipy",
    "pillow",
    "opencv-python-headless",
    "pycocotools",
    "torch",
    "transformers",
    "safetensors",
)


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it is well, what was found, what to do if not."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def doctor_command(as_json: options.AsJson = False) -> None:
    """Check this installation: versions, devices, plugins, weights, shadowed packages.

    Exits 1 if something is wrong. Example: rvosbench doctor
    """
    found = [*_versions(), _device(), *_packages(), *_plugins(), *_weights()]
    rows = [["ok" if f.ok else "WRONG", f.check, f.found, "" if f.ok else f.advice] for f in found]
    heads = ["", "check", "found", "what to do"]
    answer(as_json, [vars(f) for f in found], "", heads, rows)
    if not all(f.ok for f in found):
        raise typer.Exit(1)


def _versions() -> Iterator[Finding]:
    python = ".".join(str(n) for n in sys.version_info[:3])
    yield Finding("python", sys.version_info >= (3, 10), python, "Python 3.10 or newer is needed")
    for name in LIBRARIES:
        try:
            yield Finding(name, True, version(name))
        except PackageNotFoundError:
            yield Finding(name, False, "not installed", f"pip install {name}")


def _device() -> Finding:
    if util.find_spec("torch") is None:
        return Finding("device", True, "no torch: scoring works, models do not")
    torch = import_module("torch")
    if torch.cuda.is_available():
        return Finding("device", True, f"cuda: {torch.cuda.get_device_name(0)}")
    if torch.backends.mps.is_available():
        return Finding("device", True, "mps")
    return Finding("device", True, f"cpu, {torch.get_num_threads()} threads (no GPU found)")


def _packages() -> Iterator[Finding]:
    """`baselines` and `leaderboard` are also names on PyPI; pip does not notice a clash."""
    owners = packages_distributions()
    for name in OURS:
        others = sorted(set(owners.get(name, [])) - {"rvosbench"})
        spec = util.find_spec(name)
        place = str(Path(spec.origin).parent) if spec and spec.origin else "not found"
        clash = f"also claimed by {', '.join(others)}"
        advice = "reinstall rvosbench"
        if others:
            advice = f"pip uninstall {' '.join(others)}; then {advice}"
        well = not others and place != "not found"
        yield Finding(f"package {name}", well, clash if others else place, "" if well else advice)


def _plugins() -> Iterator[Finding]:
    groups = ((plugins.DATASETS, plugins.dataset_spec), (plugins.METHODS, plugins.method_spec))
    for group, load in groups:
        for name in plugins.names(group):
            try:
                load(name)
                yield Finding(f"{group} {name}", True, "loads")
            except RvosbenchError as error:
                yield Finding(f"{group} {name}", False, str(error), "reinstall or remove it")


def _weights() -> Iterator[Finding]:
    for name in ("sam2", "grounder", "text"):
        file = EMBEDDED / name / WEIGHTS_FILE
        found = f"{file.stat().st_size / 2**20:.1f} MB" if file.is_file() else "not found"
        advice = "" if file.is_file() else "reinstall rvosbench"
        yield Finding(f"demo weights {name}", file.is_file(), found, advice)
