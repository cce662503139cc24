"""docs/demo.md: its table is that of the commands, and carries what the page claims."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rvosbench.datasets import load_dataset
from rvosbench.runs.evaluate import evaluate
from rvosbench.runs.result import Result

from ..sola.reproduce.reports import read_report

DOCS = Path(__file__).parents[2] / "docs"
ROUNDING = 0.05
MOTION = ("change", "direction", "order", "speed")


def table() -> dict[str, dict[str, float]]:
    """Method -> category -> J&F x 100, from the page's only table."""
    rows = [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in (DOCS / "demo.md").read_text("utf-8").splitlines()
        if line.startswith("|") and not re.match(r"\|[-:| ]+$", line)
    ]
    columns = rows[0][1:]
    return {row[0]: dict(zip(columns, map(float, row[1:]), strict=True)) for row in rows[1:]}


def by_category(result: Result) -> dict[str, float]:
    """As the table has it: mean J&F x 100 of the expressions of each category, and of all."""
    found: dict[str, list[float]] = {}
    for expression in result.expressions:
        score = 50 * (expression.score.j + expression.score.f)
        for name in ("all", *expression.expression.tags):
            found.setdefault(name, []).append(score)
    return {name: round(sum(values) / len(values), 1) for name, values in found.items()}


@pytest.mark.parametrize(
    ("method", "row"),
    [("empty", "Empty prediction"), ("truth-grounder", "Truth boxes, one frame at a time")],
)
def test_rows_that_need_no_network_are_what_the_command_prints(method: str, row: str) -> None:
    found = by_category(evaluate(method, load_dataset("demo", None, "valid")))
    assert found == pytest.approx(table()[row], abs=0.06)


def test_sola_is_what_the_reproduction_measured() -> None:
    videos = read_report(DOCS / "reproduction.json").measured["valid"]["shipped"].videos
    mean = 100 * sum(videos.values()) / len(videos)
    assert mean == pytest.approx(table()["SOLA"]["all"], abs=0.5)


def test_sola_comes_near_the_oracle_and_gains_where_things_move() -> None:
    rows = table()
    sola, oracle = rows["SOLA"], rows["Oracle track selection"]
    baseline = rows["GroundingDINO (w/o selection module)"]
    assert sola["all"] + ROUNDING >= 0.85 * (oracle["all"] - ROUNDING)
    assert baseline["appearance"] >= 0.8 * sola["appearance"]
    for category in MOTION:
        assert sola[category] > baseline[category], category
