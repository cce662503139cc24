"""docs/motionshapes.md says what the commands print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rvosbench.datasets import load_dataset
from rvosbench.demo.check.parser import read
from rvosbench.demo.dataset import VERSION
from rvosbench.demo.expressions import CATEGORIES
from rvosbench.runs.evaluate import evaluate
from rvosbench.runs.result import parts

from ..cli.test_app import run

PAGE = (Path(__file__).parents[2] / "docs" / "motionshapes.md").read_text("utf-8")


@pytest.mark.parametrize("split", ["valid", "test"])
def test_the_statistics_are_those_of_the_command(split: str, tmp_path: Path) -> None:
    command = f"rvosbench data stats --dataset demo --split {split}"
    shown = re.search(rf"    {command}\n\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    printed = run(*command.split()[1:], cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert [line.rstrip() for line in printed.stdout.splitlines()] == shown[1].splitlines()


def test_the_ceiling_on_valid_is_that_of_the_command() -> None:
    head = re.search(r"^\| MotionShapes, J&F x 100 \| (.*) \|$", PAGE, re.MULTILINE)
    line = re.search(r"^\| valid: truth-box grounder \| (.*) \|$", PAGE, re.MULTILINE)
    assert head is not None
    assert line is not None
    names, values = head[1].split(" | "), line[1].split(" | ")
    assert set(names) == {"all", *CATEGORIES}
    result = evaluate("truth-grounder", load_dataset("demo", None, "valid"))
    assert result.summary is not None
    found = {p.value: p.jf for p in parts(result) if p.by == "category"}
    found["all"] = result.summary.jf
    printed = {name: f"{100 * found[name]:.1f}" for name in names}
    assert printed == dict(zip(names, values, strict=True))


def test_every_category_is_explained_with_examples_that_can_be_read() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    explained = {name: examples for name, examples in rows if name in CATEGORIES}
    assert set(explained) == set(CATEGORIES)
    for examples in explained.values():
        for example in examples.split(";"):
            read(example)


def test_the_version_is_the_generators() -> None:
    assert f"(`rvosbench.demo.dataset.VERSION`, now {VERSION})" in PAGE
