"""docs/datasets.md and docs/metrics.md list the datasets, splits and protocols that there are."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from rvosbench.metrics.official import PROTOCOLS
from rvosbench.plugins import DATASETS, dataset_spec, names

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str) -> dict[str, list[str]]:
    """First name in code of every table row -> the other cells."""
    text = (DOCS / page).read_text("utf-8")
    found = re.findall(r"^\| `([\w-]+)`[^|]* \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}


def in_code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("name", names(DATASETS))
def test_a_dataset_has_the_splits_and_protocols_of_its_row(name: str) -> None:
    spec = dataset_spec(name)
    splits, hidden, _, protocols = rows("datasets.md")[name]
    also = set(in_code(splits)) - set(spec.splits)
    assert [split for split in in_code(splits) if split not in also] == list(spec.splits)
    assert also <= set(spec.aliases)
    if hidden == "all but `train`":
        assert spec.hidden == set(spec.splits) - {"train"}
    else:
        assert in_code(hidden) == sorted(spec.hidden)
    module = importlib.import_module(spec.open.__module__)
    assert tuple(in_code(protocols)) == module.PROTOCOLS


def test_every_protocol_has_a_row() -> None:
    listed = {name for name in rows("metrics.md") if "-" in name or name in PROTOCOLS}
    assert listed == set(PROTOCOLS)
