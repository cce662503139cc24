"""Pictures of runs: overlays, strips, the page, and the command that makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rvosbench.cli.app import app
from rvosbench.contracts import TruthLookup
from rvosbench.datasets import load_dataset
from rvosbench.errors import ResultError, UsageError
from rvosbench.masks import MaskSequence
from rvosbench.records import Sample
from rvosbench.report.cases import RunCases, jf, open_run
from rvosbench.report.pictures import PREDICTED, TRUE, outline, overlay, paint, spread
from rvosbench.report.run_page import to_html
from rvosbench.report.strips import check_comparable, strip, telling
from rvosbench.runs.evaluate import RunOptions, evaluate, score
from rvosbench.runs.result import ScoredExpression

VIDEOS = ["valid-0000", "valid-0001"]


@dataclass(frozen=True)
class EveryOther:
    """Answers every other expression with the truth, the others with nothing."""

    first: int = 0

    def predict_with_truth(self, sample: Sample, truth: TruthLookup) -> Mapping[str, MaskSequence]:
        nothing = MaskSequence.empty(len(sample.video), sample.video.size)
        return {
            e.id: truth(e.id).union() if i % 2 == self.first else nothing
            for i, e in enumerate(sample.expressions)
        }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    demo = load_dataset("demo")
    for first, name in enumerate(("even", "odd")):
        evaluate(EveryOther(first), demo, videos=VIDEOS, run=RunOptions(folder / name))
    return folder / "even", folder / "odd"


def test_an_overlay_keeps_the_answers_colours_and_draws_both_outlines() -> None:
    frame = np.full((20, 20, 3), (200, 0, 0), np.uint8)
    predicted, true = np.zeros((2, 20, 20), bool)
    predicted[2:8, 2:8], true[10:18, 10:18] = True, True
    picture = overlay(frame, predicted, true)
    assert tuple(picture[4, 4]) == (200, 0, 0)
    assert tuple(picture[2, 2]) == PREDICTED
    assert tuple(picture[10, 10]) == TRUE
    assert np.ptp(picture[0, 0]) < 90  # pale
    assert np.array_equal(overlay(frame, predicted)[4:8, 4:8], picture[4:8, 4:8])
    assert not np.array_equal(overlay(frame, predicted)[10, 10], TRUE)


def test_an_outline_follows_the_edge_of_the_picture_too() -> None:
    whole = outline(np.ones((5, 6), bool), 1)
    assert whole.sum() == 5 * 6 - 3 * 4
    assert not outline(np.zeros((5, 6), bool), 2).any()


def test_frames_are_spread_evenly() -> None:
    assert spread(range(20), 3) == [0, 10, 19]
    assert spread([4, 9], 6) == [4, 9]


def test_a_strip_has_the_truth_and_a_row_for_each_method(runs: tuple[Path, Path]) -> None:
    even, odd = (open_run(folder) for folder in runs)
    name = "valid-0000/1"
    made = strip([("Even", even(even.find(name))), ("Odd ones", odd(odd.find(name)))], 4)
    assert made.expression == even.dataset.sample("valid-0000").expressions[1].text
    assert "valid-0000/1" in made.remark
    labels = ["ground truth", "Even\nJ&F 0.0", "Odd ones\nJ&F 100.0"]
    assert [row.label for row in made.rows] == labels
    assert all(len(row.pictures) == 4 for row in made.rows)
    truth, wrong, right = (np.array(row.pictures) for row in made.rows)
    blue, orange = np.array(TRUE), np.array(PREDICTED)
    assert (truth == blue).all(axis=-1).any()
    assert (wrong == blue).all(axis=-1).any()  # what it should have found
    assert not (wrong == orange).all(axis=-1).any()
    assert (right == orange).all(axis=-1).any()
    picture = paint([made, made])
    assert picture.height > 2 * 3 * 150
    assert picture.width > 4 * 150


def test_the_most_telling_sentences(runs: tuple[Path, Path]) -> None:
    even, odd = (open_run(folder) for folder in runs)
    (best,) = telling(even, odd, 1)
    gain = jf(best) - jf(odd.find(f"{best.score.video}/{best.score.expression}"))
    assert gain == max(
        jf(s) - jf(odd.find(f"{s.score.video}/{s.score.expression}"))
        for s in even.result.expressions
    )
    assert [jf(s) for s in telling(even, None, 9)] == [1.0, 1.0]  # one of each video


def test_telling_sentences_are_of_different_kinds_first(runs: tuple[Path, Path]) -> None:
    run = open_run(runs[0])
    made = [
        _scored(run, video, kind, value)
        for video, kind, value in (
            ("a", "nobody", 0.9),
            ("b", "nobody", 0.8),
            ("c", "order", 0.3),
            ("c", "speed", 0.2),
            ("d", "speed", 0.1),
        )
    ]
    chosen = telling(replace(run, result=replace(run.result, expressions=tuple(made))), None, 4)
    assert [(s.score.video, *s.expression.tags) for s in chosen] == [
        ("a", "nobody"),
        ("c", "order"),
        ("d", "speed"),
        ("b", "nobody"),
    ]


def _scored(run: RunCases, video: str, kind: str, value: float) -> ScoredExpression:
    one = run.result.expressions[0]
    score = replace(one.score, video=video, j=value, f=value)
    return ScoredExpression(replace(one.expression, tags=(kind,)), score)


def test_the_page_compares_by_category(runs: tuple[Path, Path]) -> None:
    even, odd = (open_run(folder) for folder in runs)
    page = to_html(even.result, odd.result, [])
    for tag in {t for s in even.result.expressions for t in s.expression.tags}:
        assert f">category: {tag}</th>" in page
    assert "gain" in page
    assert "upper bound" in page
    assert "gain" not in to_html(even.result, None, [])


def view(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["view", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_writes_a_page_or_a_strip(runs: tuple[Path, Path], tmp_path: Path) -> None:
    even, odd = runs
    page = tmp_path / "page.html"
    told = json.loads(view(even, "--against", odd, "--out", page, "--count", 1, "--json"))
    assert told == {"page": str(page), "strip": None}
    assert page.read_text("utf-8").count("data:image/jpeg;base64,") == 1
    picture = tmp_path / "strip.png"
    view(even, "--expression", "valid-0001/0", "--frames", 2, "--strip", picture)
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.height < 3 * 170
    view(even, "--strip", tmp_path / "strip.jpg")
    assert not (even / "view.html").exists()
    view(even)
    assert (even / "view.html").exists()


def test_a_table_by_category_for_pages(runs: tuple[Path, Path]) -> None:
    even, odd = runs
    head, line, *rows = view(even, "--against", odd, "--table").splitlines()
    names = [cell.strip() for cell in head.strip("|").split("|")]
    assert names[:2] == ["method", "all"]
    assert line.count("---") == len(names)
    tags = {t for s in open_run(even).result.expressions for t in s.expression.tags}
    assert set(names[2:]) == tags
    assert [row.split("|")[1].strip() for row in rows] == ["*EveryOther*"] * 2
    summary = open_run(odd).result.summary
    assert summary is not None
    assert rows[1].split("|")[2].strip() == f"{100 * summary.jf:.1f}"


def test_what_cannot_be_shown_is_explained(runs: tuple[Path, Path], tmp_path: Path) -> None:
    even, _ = runs
    opened, demo = open_run(even), load_dataset("demo")
    with pytest.raises(UsageError, match=r"no expression 'valid-0000/99'.*such as valid-0000/0"):
        opened.find("valid-0000/99")
    with pytest.raises(ResultError, match=r"result\.json"):
        open_run(tmp_path)
    evaluate(EveryOther(), demo, videos=VIDEOS[:1], run=RunOptions(tmp_path / "one"))
    with pytest.raises(UsageError, match="differ in their videos"):
        check_comparable(opened, open_run(tmp_path / "one"))
    score(even, demo, videos=VIDEOS[:1], run=RunOptions(tmp_path / "scored"))
    scored = open_run(tmp_path / "scored")
    with pytest.raises(ResultError, match="not made by `rvosbench eval`"):
        scored(scored.result.expressions[0])
    wrong = CliRunner().invoke(app, ["view", str(even), "--strip", "strip.gif"])
    assert isinstance(wrong.exception, UsageError)
    assert "wanted a name that ends with .png or .jpg" in str(wrong.exception)
