"""DAVIS protocols: the official tool's figures on real label images, and its rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvosbench.contracts import ExpressionScore
from rvosbench.datasets import load_dataset
from rvosbench.errors import DatasetError, PredictionError, UsageError
from rvosbench.metrics.official import protocol
from rvosbench.metrics.values import decay, recall
from rvosbench.records import Prediction, Sample
from rvosbench.runs.evaluate import evaluate, score

from . import scenes
from .golden import DAVIS, load_json, needs_golden

SIZE = (6, 8)
LEFT, RIGHT = (np.arange(8)[None, :].repeat(6, axis=0) < 4), np.zeros(SIZE, bool)
RIGHT[1:4, 5:8] = True
NOTHING = np.zeros(SIZE, bool)
NAMES = {"J-Mean": "j", "F-Mean": "f", "J&F-Mean": "jf"}
FURTHER = {
    "J-Recall": "j_recall",
    "J-Decay": "j_decay",
    "F-Recall": "f_recall",
    "F-Decay": "f_decay",
}


@needs_golden
@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("unsupervised/osvos", "davis-unsup"),
        ("unsupervised/rvos", "davis-unsup"),
        ("semi-supervised/osvos", "davis-semi"),
    ],
)
@pytest.mark.parametrize("as_official", [False, True])
def test_a_folder_of_label_images_scores_as_officially(
    task: str, name: str, as_official: bool
) -> None:
    golden = load_json("davis_official_aggregate.json")
    expected = golden["results"][task]
    folder = DAVIS / "predictions" / task.split("/")[1]
    dataset = load_dataset("ref-davis17", DAVIS, "valid")
    result = score(folder, dataset, protocol(name, as_official))
    assert result.summary is not None
    got = {k: getattr(result.summary, v) for k, v in NAMES.items()}
    got |= {k: result.summary.metrics[v] for k, v in FURTHER.items()}
    assert got == pytest.approx({k: expected[k] for k in got}, abs=1e-12, rel=0)
    rows = {f"{s.score.video}_{s.score.expression}": s.score for s in result.expressions}
    assert {k: s.j for k, s in rows.items()} == expected["J_per_object"]
    assert {k: s.f for k, s in rows.items()} == expected["F_per_object"]
    assert result.facts["videos"] == sorted(golden["sequences"])  # the two others have no folder


def _scene(
    objects: dict[str, Sequence[Any]], length: int, void: Sequence[Any] | None = None
) -> tuple[Sample, scenes.Truth]:
    sample = scenes.sample("v", length, SIZE, ["0"])
    target = scenes.target(objects, SIZE, range(length), void)
    return sample, scenes.truth({"0": target})


def _score(
    name: str, scene: tuple[Sample, scenes.Truth], answers: dict[str, Prediction], **how: bool
) -> dict[str, ExpressionScore]:
    rows = protocol(name, **how).score_video(*scene, answers)
    return {row.expression: row for row in rows}


def test_proposals_may_come_in_any_order_and_rows_are_named_by_object() -> None:
    scene = _scene({"1": [LEFT], "2": [RIGHT]}, 1)
    answers = {"1": scenes.answer([RIGHT]), "2": scenes.answer([NOTHING])}
    assert {k: r.j for k, r in _score("davis-unsup", scene, answers).items()} == {"1": 0, "2": 1}
    official = _score("davis-unsup", scene, answers, as_official=True)
    assert {k: r.j for k, r in official.items()} == {"1": 1, "2": 0}  # by proposal


def test_missing_proposals_are_empty_and_surplus_ones_are_free() -> None:
    scene = _scene({"1": [LEFT], "2": [RIGHT]}, 1)
    assert {k: r.j for k, r in _score("davis-unsup", scene, {}).items()} == {"1": 0, "2": 0}
    answers = {str(k): scenes.answer([m]) for k, m in enumerate((NOTHING, RIGHT, LEFT), 1)}
    assert {k: r.j for k, r in _score("davis-unsup", scene, answers).items()} == {"1": 1, "2": 1}


def test_void_counts_for_neither_side_without_supervision_only() -> None:
    scene = _scene({"1": [RIGHT] * 3}, 3, void=[LEFT] * 3)
    answers = {"1": scenes.answer([RIGHT | LEFT] * 3)}
    assert _score("davis-unsup", scene, answers)["1"].j == 1.0
    assert _score("davis-semi", scene, answers)["1"].j < 1.0


def test_semi_supervised_leaves_out_the_first_and_the_last_frame() -> None:
    scene = _scene({"1": [RIGHT] * 4}, 4)
    answers = {"1": scenes.answer([NOTHING, RIGHT, RIGHT, NOTHING])}
    (row,) = _score("davis-semi", scene, answers).values()
    assert (row.j, row.frames) == (1.0, (1, 2))
    with pytest.raises(DatasetError, match="needs three"):
        _score("davis-semi", _scene({"1": [RIGHT] * 2}, 2), {})


def test_objects_are_those_up_to_the_highest_of_the_first_frame() -> None:
    scene = _scene({"2": [RIGHT, RIGHT], "3": [NOTHING, LEFT]}, 2)
    assert set(_score("davis-unsup", scene, {})) == {"1", "2"}


def test_labels_that_cannot_be_are_refused() -> None:
    scene = _scene({"1": [RIGHT] * 3}, 3)
    with pytest.raises(PredictionError, match="label 2 is predicted, there are 1 objects"):
        _score("davis-semi", scene, {"2": scenes.answer([RIGHT] * 3)})
    with pytest.raises(PredictionError, match=r"labels go up to 255.*0 and 255"):
        _score("davis-unsup", scene, {"255": scenes.answer([RIGHT] * 3)})
    with pytest.raises(PredictionError, match="label 1: got 2 masks, wanted 3"):
        _score("davis-unsup", scene, {"1": scenes.answer([RIGHT] * 2)})
    with pytest.raises(DatasetError, match="called car"):
        _score("davis-unsup", _scene({"car": [RIGHT]}, 1), {})


def test_recall_is_strict_and_decay_compares_the_first_and_last_quarter() -> None:
    assert recall(np.array([0.5, 0.6, 1.0, 0.0])) == 0.5
    values = np.linspace(1, 0, 9)
    assert decay(values) == pytest.approx(values[:3].mean() - values[6:].mean(), abs=1e-15)
    assert decay(np.array([0.3])) == 0.0


def test_decay_of_long_videos_is_right_unless_the_official_defect_is_asked_for() -> None:
    values = np.linspace(1, 0, 300)
    assert decay(values) == pytest.approx(0.75, abs=0.01)
    assert np.isnan(decay(values, wrap=True))  # the last border wraps to 43: an empty bin
    assert decay(values[:256], wrap=True) == decay(values[:256])


@needs_golden
def test_a_method_cannot_be_scored_by_labels() -> None:
    with pytest.raises(UsageError, match="scores label images"):
        evaluate("empty", load_dataset("ref-davis17", DAVIS, "valid"), "davis-unsup")


@needs_golden
def test_label_images_that_do_not_fit_say_so(tmp_path: Path) -> None:
    from PIL import Image

    dataset = load_dataset("ref-davis17", DAVIS, "valid")
    folder = tmp_path / "tennis"
    folder.mkdir()
    names = dataset.sample("tennis").video.frame_names
    Image.fromarray(np.zeros((480, 854), np.uint8)).save(folder / f"{names[0]}.png")
    with pytest.raises(PredictionError, match="1 of 2 label images of video 'tennis'"):
        score(tmp_path, dataset, "davis-unsup")
    result = score(tmp_path, dataset, "davis-unsup", missing="zero", videos=["tennis"])
    assert result.summary is not None
    assert result.summary.j == 0.0
    Image.fromarray(np.zeros((480, 854, 3), np.uint8)).save(folder / f"{names[1]}.png")
    with pytest.raises(PredictionError, match=r"colour image \(RGB\)"):
        score(tmp_path, dataset, "davis-unsup")
