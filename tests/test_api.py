"""The names that other people's scripts rely on."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import rvosbench

from .toys import LeftAlways, ToyDataset


def test_public_functions_stay_functions_whatever_was_imported_before() -> None:
    for module in (
        "rvosbench.runs.evaluate",
        "rvosbench.runs.run_folder",
        "rvosbench.runs.methods",
    ):
        importlib.import_module(module)
    assert all(callable(getattr(rvosbench, name)) for name in rvosbench.__all__ if name[0] != "_")
    assert rvosbench.evaluate(LeftAlways(), ToyDataset()) == rvosbench.evaluate(
        LeftAlways(), ToyDataset()
    )


def test_a_dataset_opens_and_a_missing_name_is_an_attribute_error() -> None:
    assert len(rvosbench.load_dataset("demo")) == 24
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        _ = rvosbench.evalute


def test_every_package_is_typed_and_nothing_shadows_a_function() -> None:
    root = Path(rvosbench.__file__).parent
    assert (root / "py.typed").is_file()
    modules = {p.stem for p in root.glob("*.py")} | {p.name for p in root.iterdir() if p.is_dir()}
    assert not modules & set(rvosbench.__all__)
