"""The robustness report: its numbers, its table, its plot."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from rvosbench.contracts import Summary
from rvosbench.corruptions import CORRUPTIONS, Plan
from rvosbench.errors import NoGroundTruthError
from rvosbench.report.drawing import ticks, to_image, to_svg
from rvosbench.report.robustness import (
    Robustness,
    Row,
    Trial,
    group_of,
    mean_score,
    measure,
    to_json,
)
from rvosbench.report.robustness_page import plot, to_html, write_report
from rvosbench.runs.evaluate import RunOptions
from rvosbench.runs.methods import load_method

from ..datasets.copies import Generated


def score(jf: float) -> Summary:
    return Summary(jf - 0.02, jf + 0.02, jf)


REPORT = Robustness(
    "A <method> & friends",
    score(0.5),
    (
        Row("fog", 1, score(0.4)),
        Row("fog", 5, score(0.2)),
        Row("contrast", 3, score(0.1)),
        Row("zoom_blur", 3, score(0.25)),
        Row("saturate", 2, score(0.5)),
    ),
    "fast.1,per_frame,seed0",
)


def test_a_corruption_counts_once_whatever_its_severities() -> None:
    means = REPORT.group("benchmark")
    assert means is not None
    assert means.corruptions == 2
    assert means.score.jf == pytest.approx((0.3 + 0.1) / 2)
    assert means.relative == pytest.approx(0.4)
    assert means.drop == pytest.approx(0.3)
    fog = REPORT.corruption("fog")
    assert (fog.score.jf, fog.relative) == pytest.approx((0.3, 0.6))


def test_what_moves_pixels_and_what_is_for_validation_is_reported_apart() -> None:
    moving, validation = REPORT.group("moving"), REPORT.group("validation")
    assert moving is not None
    assert validation is not None
    assert (moving.score.jf, validation.relative) == (0.25, 1.0)
    groups = [group_of(name) for name in CORRUPTIONS]
    assert [groups.count(g) for g in ("benchmark", "moving", "validation")] == [12, 3, 4]


def test_zero_stays_defined() -> None:
    nothing = Robustness("x", score(0), (Row("fog", 1, score(0)),), "")
    assert nothing.corruption("fog").relative is None
    assert nothing.group("moving") is None
    assert "-" in to_html(nothing, "")
    assert mean_score([score(0.2), score(0.4)]).jf == pytest.approx(0.3)


def test_the_page_holds_every_number_and_escapes_names() -> None:
    page = to_html(REPORT, "<svg/>")
    for text in (
        "A &lt;method&gt; &amp; friends",
        ">40.0<",
        ">20.0<",
        ">30.0<",
        ">60.0<",
        "<svg/>",
    ):
        assert text in page
    assert "<script" not in page
    assert page.index("Corruptions of the benchmark") < page.index("that move pixels")


def test_the_plot_has_a_curve_a_corruption_from_the_clean_score_on() -> None:
    drawing = plot(REPORT)
    svg = ElementTree.fromstring(to_svg(drawing))
    width, height = drawing.size
    curves = [e.get("points", "").split() for e in svg.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in curves if len(points) > 2] == [3]  # fog: clean, 1 and 5
    for points in curves:
        for x, y in (map(float, point.split(",")) for point in points):
            assert 0 <= x <= width
            assert 0 <= y <= height
    names = {e.text for e in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"fog", "zoom blur", "weather: J&F x 100", "clean", "severity"} <= names
    image = np.array(to_image(drawing))
    assert image.shape == (2 * height, 2 * width, 3)
    assert (image < 250).any(axis=2).mean() > 0.005


@pytest.mark.parametrize(
    ("highest", "wanted"),
    [
        (0, [0, 10]),
        (9.9, [0, 10]),
        (10, [0, 10, 20]),
        (49.9, [0, 10, 20, 30, 40, 50]),
        (50, [0, 20, 40, 60]),
        (79, [0, 20, 40, 60, 80]),
        (100, [0, 20, 40, 60, 80, 100]),
    ],
)
def test_an_axis_ends_at_the_first_grid_line_above_all(highest: float, wanted: list[int]) -> None:
    assert list(ticks(highest)) == wanted


def test_the_report_is_written_as_four_files_of_the_same_bytes(tmp_path: Path) -> None:
    pages = [write_report(REPORT, tmp_path / name) for name in ("a", "b")]
    assert pages[0] == tmp_path / "a" / "robustness.html"
    for suffix in ("html", "svg", "png", "json"):
        one, other = (page.with_suffix(f".{suffix}").read_bytes() for page in pages)
        assert one == other
    content = json.loads(pages[0].with_suffix(".json").read_text())
    assert content == json.loads(json.dumps(to_json(REPORT)))
    assert content["corruptions"][1]["severities"]["5"]["jf"] == 0.2
    assert content["groups"]["benchmark"]["drop"] == pytest.approx(0.3)
    Image.open(io.BytesIO(pages[0].with_suffix(".png").read_bytes())).verify()


def test_a_method_is_measured_clean_and_corrupted_and_taken_up_again(tmp_path: Path) -> None:
    trial = Trial(Generated(), [Plan("fog", 1), Plan("contrast", 5)])
    method, steps, reused = load_method("empty"), [], []
    for resume in (False, True):
        run = RunOptions(resume=resume, on_done=lambda unit, again: reused.append(again))
        report = measure(method, trial, tmp_path, run, lambda *step: steps.append(step))
    assert steps[:3] == [("clean", 1, 3), ("fog:1", 2, 3), ("contrast:5", 3, 3)]
    assert reused == [False] * 6 + [True] * 6
    assert [row.name for row in report.rows] == ["fog", "contrast"]
    assert report.setting == "fast.1,per_frame,seed0"
    facts = json.loads((tmp_path / "contrast-5" / "result.json").read_text())["facts"]
    assert facts["corruption"] == "contrast:5@fast.1,per_frame,seed0"


def test_a_hidden_split_has_no_table(tmp_path: Path) -> None:
    trial = Trial(Generated(hidden=True), [Plan("fog", 1), Plan("fog", 2)])
    with pytest.raises(NoGroundTruthError, match="one corruption at a time"):
        measure(load_method("empty"), trial, tmp_path, RunOptions())
