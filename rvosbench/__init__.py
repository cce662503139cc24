"""Datasets, corruptions, exact metrics and a leaderboard for referring video segmentation.

>>> import rvosbench
>>> dataset = rvosbench.load_dataset("demo", None, "valid")
>>> len(dataset)
24
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rvosbench.datasets import load_dataset
    from rvosbench.runs.evaluate import evaluate, score
    from rvosbench.runs.methods import load_method

__all__ = ["__version__", "evaluate", "load_dataset", "load_method", "score"]

_HOMES = {
    "load_dataset": "rvosbench.datasets",
    "load_method": "rvosbench.runs.methods",
    "evaluate": "rvosbench.runs.evaluate",
    "score": "rvosbench.runs.evaluate",
}


def __getattr__(name: str) -> object:
    """Import a public function when it is first used: `import rvosbench` stays instant."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'rvosbench' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
