from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from rvosbench.contracts import Dataset, DatasetSpec
from rvosbench.datasets import load_dataset, split_of
from rvosbench.datasets.mevis import SPEC
from rvosbench.errors import DatasetError, UnknownNameError, UsageError

from . import toys

LOADERS = ("mevis", "ref_youtube_vos", "ref_davis17", "folder")


@pytest.fixture
def mevis_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> DatasetSpec:
        assert name == "mevis"
        return SPEC

    monkeypatch.setattr("rvosbench.datasets.dataset_spec", find)


@pytest.mark.parametrize("module", LOADERS)
def test_every_loader_offers_a_spec_with_its_default_split_first(module: str) -> None:
    spec = importlib.import_module(f"rvosbench.datasets.{module}").SPEC
    assert isinstance(spec, DatasetSpec)
    assert set(spec.aliases.values()) <= set(spec.splits)
    assert spec.hidden <= set(spec.splits)
    assert not set(spec.aliases) & set(spec.splits)
    assert spec.card.title
    assert spec.card.licence
    with pytest.raises(UsageError, match="needs its folder"):
        spec.open(None, spec.splits[0])


@pytest.mark.usefixtures("mevis_by_name")
@pytest.mark.parametrize("split", [None, "valid_u", "val_u"])
def test_the_default_split_and_aliases(tmp_path: Path, split: str | None) -> None:
    dataset = load_dataset("mevis", str(toys.write_mevis(tmp_path)), split)
    assert isinstance(dataset, Dataset)
    assert (dataset.name, dataset.split, len(dataset)) == ("mevis", "valid_u", 2)


def test_an_unknown_split_names_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown split of mevis 'valid_v'.*'valid_u'"):
        split_of("mevis", SPEC, "valid_v")


@pytest.mark.usefixtures("mevis_by_name")
def test_a_missing_root_is_a_usage_error_that_shows_the_layout() -> None:
    with pytest.raises(UsageError, match=r"--data DIR.*mask_dict\.json"):
        load_dataset("mevis")


@pytest.mark.usefixtures("mevis_by_name")
def test_a_root_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        load_dataset("mevis", tmp_path / "nowhere")
    file = tmp_path / "mevis.zip"
    file.touch()
    with pytest.raises(DatasetError, match="is a file"):
        load_dataset("mevis", file)
