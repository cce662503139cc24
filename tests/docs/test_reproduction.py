"""docs/reproduction.md says what its numbers say, and its numbers are those of the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rvosbench.datasets import load_dataset
from rvosbench.runs.evaluate import evaluate
from sola.reproduce.page import page
from sola.reproduce.report import Report

from ..sola.reproduce.reports import read_report

DOCS = Path(__file__).parents[2] / "docs"
PAGE, NUMBERS = DOCS / "reproduction.md", DOCS / "reproduction.json"
TOLERANCE = 0.02
"""Of a video's J&F: another processor may move a pixel of a mask, and now and then a track."""


@pytest.fixture(scope="module")
def report() -> Report:
    return read_report(NUMBERS)


def test_the_page_is_what_its_numbers_give(report: Report) -> None:
    assert PAGE.read_text("utf-8") == page(report, NUMBERS.name)


def test_the_shipped_selector_scores_what_the_page_says(report: Report) -> None:
    stored = report.measured["valid"]["shipped"].videos
    some = sorted(stored)[:2]
    result = evaluate("sola", load_dataset("demo", None, "valid"), videos=some)
    for video in some:
        scores = [e.score for e in result.expressions if e.score.video == video]
        mean = np.mean([(s.j + s.f) / 2 for s in scores])
        assert mean == pytest.approx(stored[video], abs=TOLERANCE)
