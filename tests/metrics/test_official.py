"""Protocols: the authors' numbers on real data, and the rules on tiny videos."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import (
    DatasetError,
    IncompletePredictionError,
    PredictionError,
    UnknownNameError,
    UsageError,
)
from rvosbench.masks import MaskSequence
from rvosbench.metrics.official import AS_OFFICIAL, PROTOCOLS, VARIANT, protocol
from rvosbench.records import Expression, Prediction, Sample, Target

from . import scenes
from .golden import DATA, METRICS, davis_truth, index_masks, load_json, needs_golden

SIZE = (4, 6)
LEFT = np.arange(6)[None, :].repeat(4, axis=0) < 3
NOTHING = np.zeros(SIZE, bool)


@needs_golden
def test_mevis_equals_the_authors_evaluator() -> None:
    expected = load_json("mevis_official.json")
    scores = [s for video in _mevis_meta() for s in _score_mevis(video)]
    got = {f"{s.video}_{s.expression}": {"J": s.j, "F": s.f} for s in scores}
    assert got == expected["per_expression"]
    summary = protocol("mevis").summarize(scores)
    assert (summary.j, summary.f, summary.jf) == pytest.approx(
        (expected["J"], expected["F"], expected["JF"]), abs=1e-12, rel=0
    )


def _mevis_meta() -> dict[str, Any]:
    meta = json.loads((DATA / "mevis-mini/valid_u/meta_expressions.json").read_text())
    videos: dict[str, Any] = meta["videos"]
    return videos


def _score_mevis(video: str) -> list[ExpressionScore]:
    content = _mevis_meta()[video]
    masks = json.loads((DATA / "mevis-mini/valid_u/mask_dict.json").read_text())
    targets, predictions = {}, {}
    for key, expression in content["expressions"].items():
        rles = {str(a): masks[str(a)] for a in expression["anno_id"]}
        size = next(tuple(r["size"]) for rle in rles.values() for r in rle if r)
        objects = {a: MaskSequence.from_rle(rle, size) for a, rle in rles.items()}
        targets[key] = Target(size, tuple(range(len(content["frames"]))), objects)
        frames = index_masks(DATA / "mevis-mini/predictions" / video / key)
        predictions[key] = scenes.answer(list(frames))
    sample = scenes.sample(video, len(content["frames"]), size, list(targets))
    return list(protocol("mevis").score_video(sample, scenes.truth(targets), predictions))


@needs_golden
def test_annotator_sets_equal_the_original_merging_and_davis_tool() -> None:
    expected = load_json("ref_davis_annotators.json")
    scorer = protocol("ref-davis17-annotators")
    scores: list[ExpressionScore] = []
    with np.load(METRICS / "ref_davis_annotators_soft.npz") as soft:
        for sequence in expected["sequences"]:
            scores += _score_davis(sequence, {k: soft[k] for k in soft if k.startswith(sequence)})
    summary = scorer.summarize(scores)
    got = [summary.metrics[f"set_{k}_{m}"] for k in range(4) for m in ("j", "f", "jf")]
    sets = [one[m] for one in expected["per_annotator_set"] for m in ("J", "F", "JF")]
    assert got == pytest.approx(sets, abs=1e-12, rel=0)
    mean = [expected["mean"][m] for m in ("J", "F", "JF")]
    assert [summary.j, summary.f, summary.jf] == pytest.approx(mean, abs=1e-12, rel=0)


def _score_davis(sequence: str, soft: dict[str, Any]) -> list[ExpressionScore]:
    labels = davis_truth(sequence)
    ids = sorted((key.split("/")[1] for key in soft), key=int)
    size, frames = labels.shape[1:], range(len(labels))
    targets, predictions = {}, {}
    for i in ids:
        number = int(i) // 4 + 1
        targets[i] = scenes.target({str(number): labels == number}, size, frames, labels == 255)
        values = soft[f"{sequence}/{i}"]
        predictions[i] = Prediction(MaskSequence.from_arrays(values >= 128), soft=values)
    sample = scenes.sample(sequence, len(labels), size, ids)
    scorer = protocol("ref-davis17-annotators")
    return list(scorer.score_video(sample, scenes.truth(targets), predictions))


def _one_expression(annotated: tuple[int, ...] = (0, 2)) -> tuple[Sample, Target]:
    sample = scenes.sample("v", 4, SIZE, ["0"])
    return sample, scenes.target({"1": [LEFT] * len(annotated)}, SIZE, annotated)


PLAIN = ["mevis", "mevis-v2", "ref-davis17-expressions", "ref-youtube-vos"]
BY_EXPRESSION = [name for name, scorer in PROTOCOLS.items() if scorer.answers == "expressions"]


@pytest.mark.parametrize("name", PLAIN)
def test_only_frames_with_truth_count(name: str) -> None:
    sample, target = _one_expression()
    answer = scenes.answer([LEFT, NOTHING, NOTHING, LEFT])
    (score,) = protocol(name).score_video(sample, scenes.truth({"0": target}), {"0": answer})
    assert (score.frames, score.frame_j, score.frame_f) == ((0, 2), (1.0, 0.0), (1.0, 0.0))
    assert (score.video, score.expression, score.j, score.f) == ("v", "0", 0.5, 0.5)


@pytest.mark.parametrize("name", PLAIN)
def test_void_is_not_used_where_the_authors_do_not_use_it(name: str) -> None:
    sample = scenes.sample("v", 1, SIZE, ["0"])
    target = scenes.target({"a": [NOTHING]}, SIZE, [0], void=[LEFT])
    (score,) = protocol(name).score_video(
        sample, scenes.truth({"0": target}), {"0": scenes.answer([LEFT])}
    )
    assert score.j == 0.0


def test_several_objects_are_one_mask_and_no_object_is_an_empty_one() -> None:
    sample = scenes.sample("v", 1, SIZE, ["both", "none"])
    targets = {
        "both": scenes.target({"a": [LEFT], "b": [~LEFT]}, SIZE, [0]),
        "none": scenes.target({}, SIZE, [0]),
    }
    answers = {"both": scenes.answer([LEFT]), "none": scenes.answer([NOTHING])}
    both, none = protocol("mevis").score_video(sample, scenes.truth(targets), answers)
    assert (both.j, none.j, none.f) == (0.5, 1.0, 1.0)


def test_every_expression_weighs_the_same() -> None:
    def score(video: str, j: float) -> ExpressionScore:
        return ExpressionScore(video, "0", j, 1.0)

    summary = protocol("mevis").summarize([score("a", 0.0), score("a", 0.0), score("b", 0.75)])
    assert (summary.j, summary.f, summary.jf) == (0.25, 1.0, 0.625)


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_nothing_to_average_is_an_error(name: str) -> None:
    with pytest.raises(DatasetError, match="no expression was scored"):
        protocol(name).summarize([])


@pytest.mark.parametrize("name", BY_EXPRESSION)
def test_answers_that_do_not_fit_are_refused(name: str) -> None:
    sample, target = _one_expression()
    lookup = scenes.truth({"0": target})
    with pytest.raises(IncompletePredictionError, match="'v', expression '0'"):
        protocol(name).score_video(sample, lookup, {})
    with pytest.raises(PredictionError, match="got 3 masks, wanted 4"):
        protocol(name).score_video(sample, lookup, {"0": scenes.answer([LEFT] * 3)})
    with pytest.raises(PredictionError, match=r"got masks of 6x4, wanted 4x6"):
        protocol(name).score_video(sample, lookup, {"0": scenes.answer([LEFT.T] * 4)})


@pytest.mark.parametrize("name", [n for n in BY_EXPRESSION if "annotators" not in n])
def test_an_expression_without_truth_on_any_frame_is_refused(name: str) -> None:
    sample, target = _one_expression(annotated=())
    with pytest.raises(DatasetError, match="no frame has ground truth"):
        protocol(name).score_video(
            sample, scenes.truth({"0": target}), {"0": scenes.answer([LEFT] * 4)}
        )


def test_the_table_and_the_protocols_agree_on_names() -> None:
    assert {key: scorer.name for key, scorer in PROTOCOLS.items()} == {k: k for k in PROTOCOLS}
    assert [name for name, scorer in PROTOCOLS.items() if not scorer.official] == [
        "mevis-v2",
        "ref-youtube-vos",
    ]


def test_unknown_protocols_and_variants_say_so() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mevis'"):
        protocol("mevsi")
    with pytest.raises(UsageError, match=r"'sola-released' has no other official behaviour"):
        protocol("sola-released", as_official=True)


def test_a_variant_says_so_in_its_version() -> None:
    for name, variant in AS_OFFICIAL.items():
        assert variant.version == PROTOCOLS[name].version + VARIANT
        assert variant.name == name


def _set_of_two(scores: tuple[float, float], masks: tuple[Any, Any]) -> dict[str, ExpressionScore]:
    """Objects left and right of one annotator set, answered with `masks`."""
    sample = scenes.sample("v", 1, SIZE, ["0", "4"])
    targets = {
        "0": scenes.target({"1": [LEFT]}, SIZE, [0]),
        "4": scenes.target({"2": [~LEFT]}, SIZE, [0]),
    }
    answers = {
        i: scenes.answer([mask], score)
        for i, mask, score in zip(("0", "4"), masks, scores, strict=True)
    }
    scorer = protocol("ref-davis17-annotators")
    return {s.expression: s for s in scorer.score_video(sample, scenes.truth(targets), answers)}


def test_annotator_sets_do_not_punish_swapped_objects() -> None:
    scores = _set_of_two((1.0, 1.0), (~LEFT, LEFT))
    assert [s.j for s in scores.values()] == [1.0, 1.0]


@pytest.mark.parametrize(("scores", "winner"), [((0.9, 0.9), "0"), ((0.5, 0.9), "4")])
def test_hard_claims_to_a_pixel_go_to_the_surer_then_to_the_first(
    scores: tuple[float, float], winner: str
) -> None:
    got = _set_of_two(scores, (LEFT, LEFT))
    assert {i for i, s in got.items() if s.j == 1.0} == {winner}


def test_annotator_sets_leave_void_out() -> None:
    sample = scenes.sample("v", 2, SIZE, ["0"])
    target = scenes.target({"1": [~LEFT, NOTHING]}, SIZE, [0, 1], void=[LEFT, LEFT])
    answer = scenes.answer([~LEFT, LEFT])
    (score,) = protocol("ref-davis17-annotators").score_video(
        sample, scenes.truth({"0": target}), {"0": answer}
    )
    assert (score.j, score.f) == (1.0, 1.0)


def test_annotator_sets_count_objects_without_a_sentence() -> None:
    sample = scenes.sample("v", 1, SIZE, ["0"])
    truth = scenes.Truth(
        {"0": scenes.target({"1": [LEFT]}, SIZE, [0])},
        {"2": MaskSequence.from_arrays([~LEFT])},
    )
    scorer = protocol("ref-davis17-annotators")
    scores = scorer.score_video(sample, truth, {"0": scenes.answer([LEFT])})
    assert [(s.expression, s.j) for s in scores] == [("0", 1.0), ("0/object 2", 0.0)]
    assert scorer.summarize(scores).j == 0.5


def test_annotator_sets_refuse_two_sentences_for_one_object() -> None:
    sample = scenes.sample("v", 1, SIZE, ["0", "4"])
    targets = {i: scenes.target({"1": [LEFT]}, SIZE, [0]) for i in ("0", "4")}
    answers = {i: scenes.answer([LEFT]) for i in targets}
    with pytest.raises(DatasetError, match=r"'0' and '4'.*both name object '1'"):
        protocol("ref-davis17-annotators").score_video(sample, scenes.truth(targets), answers)


def test_annotator_sets_refuse_other_data() -> None:
    scorer = protocol("ref-davis17-annotators")
    sample = Sample(scenes.sample("v", 1, SIZE, []).video, (Expression("car", "the car"),))
    one = scenes.target({"1": [LEFT]}, SIZE, [0])
    with pytest.raises(DatasetError, match=r"'car'.*ref-davis17-expressions"):
        scorer.score_video(sample, scenes.truth({"car": one}), {})
    sample = scenes.sample("v", 1, SIZE, ["0"])
    two = scenes.target({"1": [LEFT], "2": [~LEFT]}, SIZE, [0])
    with pytest.raises(DatasetError, match="names 2 objects"):
        scorer.score_video(sample, scenes.truth({"0": two}), {"0": scenes.answer([LEFT])})


def test_soft_masks_of_the_wrong_shape_are_refused() -> None:
    sample = scenes.sample("v", 1, SIZE, ["0"])
    target = scenes.target({"1": [LEFT]}, SIZE, [0])
    soft = np.zeros((2, *SIZE), np.uint8)
    answer = Prediction(MaskSequence.from_arrays([LEFT]), soft=soft)
    with pytest.raises(PredictionError, match=r"uint8 \(2, 4, 6\), wanted uint8 \(1, 4, 6\)"):
        protocol("ref-davis17-annotators").score_video(
            sample, scenes.truth({"0": target}), {"0": answer}
        )
