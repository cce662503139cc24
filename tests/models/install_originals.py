"""Install the authors' packages of SAM2 and GroundingDINO without CUDA, into a folder of their own.

    python tests/models/install_originals.py FOLDER
    PYTHONPATH=FOLDER python -m pytest -m original tests/models

Nothing of the environment changes: no dependency is resolved, and torch stays what it is. The
torchvision of PyPI is compiled for CUDA, so next to a CPU torch its operators cannot be loaded and
`import torchvision` fails; the copy in FOLDER is given the two declarations that importing needs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "sam2==1.1.0",
    "rf-groundingdino==0.3.0",
    "hydra-core==1.3.*",  # read the configurations of sam2
    "omegaconf==2.3.*",
    "antlr4-python3-runtime==4.9.3",
    "iopath",
    "portalocker",
    "timm",  # imported by groundingdino, as are the following
    "addict",
    "yapf",
    "platformdirs",
    "matplotlib",
    "contourpy",
    "cycler",
    "fonttools",
    "kiwisolver",
    "pyparsing",
)
BUILD = ("setuptools", "wheel")  # of sam2 and antlr4, which have no wheels
DECLARATIONS = """
if not _has_ops():
    _declared = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _declared.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def install(folder: Path) -> None:
    """Fill the folder; raises CalledProcessError when pip cannot."""
    import torch

    minor = int(torch.__version__.split(".")[1])  # torchvision 0.28 belongs to torch 2.13
    vision = f"torchvision==0.{minor + 15}.*"
    _pip("--target", str(folder / "build"), *BUILD)
    paths = {"PYTHONPATH": str(folder / "build"), "SAM2_BUILD_CUDA": "0"}
    _pip("--no-build-isolation", "--target", str(folder), vision, *PACKAGES, **paths)
    extension = folder / "torchvision" / "extension.py"
    text = extension.read_text(encoding="utf-8")
    if DECLARATIONS not in text:
        extension.write_text(text + DECLARATIONS, encoding="utf-8")


def _pip(*arguments: str, **variables: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *arguments]
    subprocess.run(command, check=True, env=os.environ | variables)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(Path(sys.argv[1]).resolve())
