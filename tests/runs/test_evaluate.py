from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvosbench.errors import (
    IncompletePredictionError,
    NoGroundTruthError,
    PredictionError,
    ResultError,
    UsageError,
)
from rvosbench.masks import MaskSequence
from rvosbench.records import Sample
from rvosbench.runs.evaluate import RunOptions, evaluate, score
from rvosbench.runs.predictions import write_predictions
from rvosbench.runs.result import read_result
from rvosbench.runs.submission import pack_run

from ..toys import SIZE, LeftAlways, Perfect, ToyDataset


def test_the_left_square_scores_where_the_sentence_means_it() -> None:
    result = evaluate(LeftAlways(), ToyDataset())
    by_text = {s.expression.text: s.score for s in result.expressions}
    assert (by_text["left"].j, by_text["left"].f) == (1.0, 1.0)
    assert (by_text["right"].j, by_text["none"].j) == (0.0, 0.0)
    assert by_text["both"].j == 0.5
    assert result.summary is not None
    assert result.summary.j == pytest.approx((1 + 0 + 0.5 + 0) / 4, abs=1e-15)
    assert len(result.expressions) == 12


def test_a_method_that_sees_the_truth_is_an_upper_bound() -> None:
    result = evaluate(Perfect(), ToyDataset())
    assert result.upper_bound
    assert result.summary is not None
    assert result.summary.jf == 1.0


def test_the_signature_knows_what_changes_a_number() -> None:
    whole = evaluate(LeftAlways(), ToyDataset())
    again = evaluate(LeftAlways(), ToyDataset())
    part = evaluate(LeftAlways(), ToyDataset(), videos=["a"])
    other = evaluate(LeftAlways(), ToyDataset(fingerprint="toy-2"))
    assert whole == again
    assert len({r.signature for r in (whole, part, other)}) == 3


class Killed(LeftAlways):
    """Dies on its second video."""

    name = "LeftAlways"

    def predict(self, sample: Sample) -> dict[str, MaskSequence]:  # type: ignore[override]
        if self.asked:
            raise KeyboardInterrupt
        return dict(super().predict(sample))  # type: ignore[arg-type]


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    evaluate(LeftAlways(), ToyDataset(), run=RunOptions(whole))
    with pytest.raises(KeyboardInterrupt):
        evaluate(Killed(), ToyDataset(), run=RunOptions(half))
    rest = LeftAlways()
    evaluate(rest, ToyDataset(), run=RunOptions(half, resume=True))
    assert rest.asked == ["b/c", "d"]
    assert (half / "result.json").read_bytes() == (whole / "result.json").read_bytes()
    for file in sorted(whole.rglob("*.json")):
        assert (half / file.relative_to(whole)).read_bytes() == file.read_bytes()


def test_without_resume_everything_is_done_again(tmp_path: Path) -> None:
    evaluate(LeftAlways(), ToyDataset(), run=RunOptions(tmp_path))
    again = LeftAlways()
    evaluate(again, ToyDataset(), run=RunOptions(tmp_path))
    assert again.asked == ["a", "b/c", "d"]


def test_workers_change_no_byte(tmp_path: Path) -> None:
    for workers in (0, 2):
        evaluate(
            LeftAlways(), ToyDataset(), run=RunOptions(tmp_path / str(workers), False, workers)
        )
    one, two = (tmp_path / str(w) / "result.json" for w in (0, 2))
    assert one.read_bytes() == two.read_bytes()


def test_a_folder_of_another_run_or_of_other_things_is_left_alone(tmp_path: Path) -> None:
    evaluate(LeftAlways(), ToyDataset(), run=RunOptions(tmp_path / "run"))
    with pytest.raises(UsageError, match="holds another run"):
        evaluate(LeftAlways(), ToyDataset(), videos=["a"], run=RunOptions(tmp_path / "run"))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(UsageError, match="holds no run"):
        evaluate(LeftAlways(), ToyDataset(), run=RunOptions(tmp_path / "thesis"))
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "x"


def test_a_hidden_split_gives_predictions_and_no_score(tmp_path: Path) -> None:
    result = evaluate(LeftAlways(), ToyDataset(hidden=True), run=RunOptions(tmp_path / "run"))
    assert result.summary is None
    assert result.expressions == ()
    assert read_result(tmp_path / "run" / "result.json") == result
    assert pack_run(tmp_path / "run", tmp_path / "out.zip") == 3 * 4 * 4
    with pytest.raises(NoGroundTruthError, match="needs the ground truth"):
        evaluate(Perfect(), ToyDataset(hidden=True))


def test_a_run_that_lost_predictions_is_not_packed(tmp_path: Path) -> None:
    evaluate(LeftAlways(), ToyDataset(), run=RunOptions(tmp_path / "run"))
    (tmp_path / "run" / "videos" / "d" / "predictions.json").unlink()
    with pytest.raises(ResultError, match=r"predictions of video 'd' are gone \(1 of 3 videos\)"):
        pack_run(tmp_path / "run", tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_packed_predictions_score_as_the_run_did(tmp_path: Path) -> None:
    result = evaluate(LeftAlways(), ToyDataset(), run=RunOptions(tmp_path / "run"))
    pack_run(tmp_path / "run", tmp_path / "out.zip")
    scored = score(tmp_path / "out.zip", ToyDataset())
    for again, first in zip(scored.expressions, result.expressions, strict=True):
        figures = {**again.score.metrics, "score": 0.5}  # PNGs carry no confidence
        assert replace(again.score, metrics=figures) == first.score


def files(root: Path, skip: str = "") -> Path:
    for sample in ToyDataset():
        for e in sample.expressions:
            if f"{sample.video.id}/{e.id}" != skip:
                answer = LeftAlways().predict(sample)[e.id].masks
                write_predictions(root, sample.video, e.id, answer)
    return root


def test_scores_of_files_carry_a_hash_of_their_pixels(tmp_path: Path) -> None:
    first = score(files(tmp_path / "one"), ToyDataset())
    second = score(files(tmp_path / "two"), ToyDataset())
    assert first == second
    changed = tmp_path / "two" / "a" / "0"
    write_predictions(
        tmp_path / "two", next(iter(ToyDataset())).video, changed.name, MaskSequence.empty(4, SIZE)
    )
    assert score(tmp_path / "two", ToyDataset()).signature != first.signature


def test_what_is_missing_stops_the_score_or_counts_as_empty(tmp_path: Path) -> None:
    root = files(tmp_path, skip="a/3")
    with pytest.raises(IncompletePredictionError, match="a"):
        score(root, ToyDataset())
    counted = score(root, ToyDataset(), missing="zero")
    assert [s.score.j for s in counted.expressions][3] == 1.0  # nothing meant, nothing predicted
    assert counted.facts["missing"] == "zero"


def test_entries_that_nobody_asked_for_are_an_error_unless_left_out(tmp_path: Path) -> None:
    root = files(tmp_path)
    (root / "z" / "0").mkdir(parents=True)
    (root / "z" / "0" / "00000.png").write_bytes(b"")
    with pytest.raises(PredictionError, match="right split"):
        score(root, ToyDataset())
    assert score(root, ToyDataset(), missing="zero").summary is not None


class Incomplete:
    def predict(self, sample: Sample) -> dict[str, MaskSequence]:
        return {"0": MaskSequence.from_arrays(np.zeros((4, *SIZE), bool))}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evaluate(object(), ToyDataset()), "not a method"),  # type: ignore[arg-type]
        (lambda: evaluate(LeftAlways(), ToyDataset(), "mevsi"), "did you mean 'mevis'"),
        (lambda: evaluate(LeftAlways(), ToyDataset(), "ref-youtube-vos"), "does not fit toy"),
        (lambda: evaluate(LeftAlways(), ToyDataset(), videos=["q"]), "has no video 'q'"),
        (lambda: evaluate("slao", ToyDataset()), "did you mean 'sola'"),
    ],
)
def test_an_impossible_request_is_told_at_once(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(UsageError, match=message):
        call()


def test_a_method_that_leaves_out_an_expression_is_stopped() -> None:
    with pytest.raises(IncompletePredictionError, match="Incomplete"):
        evaluate(Incomplete(), ToyDataset())


def test_the_run_folder_holds_predictions_as_run_lengths(tmp_path: Path) -> None:
    evaluate(LeftAlways(), ToyDataset(), run=RunOptions(tmp_path))
    content = json.loads((tmp_path / "videos" / "b%2Fc" / "predictions.json").read_text())
    assert content["video"] == "b/c"
    assert content["size"] == list(SIZE)
    assert content["expressions"]["0"]["score"] == 0.5
