"""The baseline without selection: unions of boxes, its variants, real networks of small size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.grounding_dino import SPEC, GroundingDinoBaseline, GroundingDinoConfig, best_frame
from leaderboard.numbers.ablation import ablation_of_facts
from rvosbench.contracts import MethodIdentity
from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.masks import pack
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Json, Prediction, Sample, Video
from rvosbench.runs.methods import load_method
from rvosbench.tracks.config import Compute
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.prompts import Prompt, prompt_of

from ..models.test_grounding_dino import save_network, save_tokenizer
from ..tracks.worlds import LENGTH, SIZE, Reader, make_sample, random_sam2

LEFT, RIGHT, WIDE = (2.0, 5.0, 30.0, 50.0), (45.0, 5.0, 78.0, 50.0), (5.0, 20.0, 75.0, 40.0)
TEXTS = {"0": "left", "1": "right one", "2": "left", "3": "both", "4": "nothing"}
KNOWN = {
    "left": [(LEFT, 0.9)],
    "right one": [(WIDE, 0.3), (RIGHT, 0.8)],
    "both": [(LEFT, 0.5), (RIGHT, 0.4)],
}


class Opened:
    """Stands in for the opened networks of a configuration."""

    def __init__(self, sam2: Sam2, compute: Compute) -> None:
        self.sam2, self.grounder, self.compute = sam2, Reader(KNOWN), compute

    def follower(self, video: Video) -> Follower:
        return Follower.of(self.sam2, video, self.compute)

    def provenance(self) -> dict[str, Json]:
        return {"tracker": "random"}


@pytest.fixture(scope="module")
def sam2() -> Sam2:
    return random_sam2()


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(TEXTS)


def run(sam2: Sam2, sample: Sample, **changes: object) -> Mapping[str, Prediction]:
    config = replace(GroundingDinoConfig(), **changes)  # type: ignore[arg-type]
    models = Opened(sam2, config.compute)
    return GroundingDinoBaseline(config, models).predict(sample)  # type: ignore[arg-type]


def box_masks(sam2: Sam2, sample: Sample, *boxes: tuple[float, ...]) -> np.ndarray:
    """(boxes, T, H, W): SAM2's single mask of each box in each frame, computed one by one."""
    follower = Follower.of(sam2, sample.video, Compute())
    masks = np.zeros((len(boxes), LENGTH, *SIZE), bool)
    for i, box in enumerate(boxes):
        for t in range(LENGTH):
            found = sam2.segment(
                follower.features(t), frame_size=SIZE, boxes=np.array([box]), multimask=False
            )
            masks[i, t] = sam2.upscale(found.logits[0, 0], SIZE).numpy()
    return masks


def test_a_frame_is_the_union_of_its_boxes_masks(sam2: Sam2, sample: Sample) -> None:
    answers = run(sam2, sample)
    left, right, wide = box_masks(sam2, sample, LEFT, RIGHT, WIDE)
    assert left.any()
    assert not np.array_equal(left, right)
    wanted = {"0": left, "1": right | wide, "2": left, "3": left | right}
    for expression, mask in wanted.items():
        assert np.array_equal(answers[expression].masks.arrays(), mask)
    assert answers["1"].score == 0.8
    assert answers["1"].diagnostics == {"boxes": [2] * LENGTH}


def test_nothing_found_is_an_empty_answer(sam2: Sam2, sample: Sample) -> None:
    nothing = run(sam2, sample)["4"]
    assert nothing.masks.areas().tolist() == [0] * LENGTH
    assert nothing.score == 0
    for variant in ("best", "propagate"):
        assert not run(sam2, sample, variant=variant)["4"].masks.areas().any()


def test_the_threshold_goes_from_all_boxes_to_none(sam2: Sam2, sample: Sample) -> None:
    counts = {t: run(sam2, sample, box_threshold=t)["1"] for t in (0.0, 0.3, 0.8, 1.0)}
    assert [a.diagnostics["boxes"][0] for a in counts.values()] == [2, 1, 0, 0]
    assert not counts[1.0].masks.areas().any()


def test_best_keeps_one_box_a_frame(sam2: Sam2, sample: Sample) -> None:
    answers = run(sam2, sample, variant="best")
    left, right = box_masks(sam2, sample, LEFT, RIGHT)
    assert np.array_equal(answers["1"].masks.arrays(), right)
    assert np.array_equal(answers["3"].masks.arrays(), left)


def test_propagation_follows_the_boxes_of_the_first_best_frame(sam2: Sam2, sample: Sample) -> None:
    answers = run(sam2, sample, variant="propagate")
    left, right = box_masks(sam2, sample, LEFT, RIGHT)
    follower = Follower.of(sam2, sample.video, Compute())
    outputs = sam2.propagate(follower.features, LENGTH, 0, np.stack([left[0], right[0]]))
    wanted = np.zeros((LENGTH, *SIZE), bool)
    for output in outputs:
        wanted[output.frame] = sam2.upscale(output.logits, SIZE).numpy().any(axis=0)
    assert np.array_equal(answers["3"].masks.arrays(), wanted)
    assert answers["0"].masks == answers["2"].masks


def prompt(frame: int, score: float, pixels: int) -> Prompt:
    mask = np.zeros(SIZE, bool)
    mask[0, :pixels] = True
    return prompt_of(frame, pack(mask), SIZE[1], score)


def test_boxes_without_a_mask_make_no_frame_the_best() -> None:
    seen, faint, empty = prompt(1, 0.6, 4), prompt(1, 0.2, 2), prompt(0, 0.9, 0)
    assert best_frame([[empty], [seen, faint], [prompt(2, 0.6, 9)]]) == [seen, faint]
    assert best_frame([[empty], []]) == best_frame([]) == []


@pytest.mark.parametrize("variant", ["frames", "best", "propagate"])
def test_a_sentence_is_answered_as_if_it_were_alone(
    sam2: Sam2, sample: Sample, variant: str
) -> None:
    together = run(sam2, sample, variant=variant, compute=Compute(batch_size=2))
    for expression in sample.expressions:
        alone = run(sam2, replace(sample, expressions=(expression,)), variant=variant)
        assert alone[expression.id].masks == together[expression.id].masks
        assert alone[expression.id].score == together[expression.id].score


def test_without_expressions_there_is_nothing_to_do(sam2: Sam2, sample: Sample) -> None:
    assert run(sam2, replace(sample, expressions=())) == {}


@pytest.fixture(scope="module")
def grounder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("grounder")
    save_tokenizer(place)
    save_network(place)
    return place


@pytest.mark.parametrize("variant", ["frames", "propagate"])
def test_the_same_class_runs_checkpoints(grounder: Path, variant: str) -> None:
    changes = {"grounder": str(grounder), "variant": variant, "box_threshold": "0"}
    method = load_method("grounding-dino", "demo", changes, "cpu").build()
    assert isinstance(method, GroundingDinoBaseline)
    sample = make_sample({"0": "the red circle", "1": "left"})
    answers = method.predict(sample)
    assert set(answers) == {"0", "1"}
    assert all(a.masks.size == SIZE and len(a.masks) == LENGTH for a in answers.values())
    assert 0 < answers["0"].score < 1
    said = method.provenance()
    choice = load_method("grounding-dino", "demo", changes, "cpu")
    assert choice.identify([]) == MethodIdentity(said, method.card)
    assert {"tracker", "grounder", "device", "libraries"} <= said.keys()


def test_a_run_stands_in_the_papers_row_without_selection() -> None:
    assert ablation_of_facts({"method": "grounding-dino"}) == {"selection_module": False}
    assert SPEC.card.trainable_parameters == 0


def test_a_configuration_that_cannot_work_is_refused() -> None:
    for changes in ({"grounder": ""}, {"box_threshold": "1.5"}, {"variant": "all"}):
        with pytest.raises(ConfigurationError):
            load_method("grounding-dino", "released", changes, "cpu")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    changes = {"grounder": str(tmp_path / "no-such")}
    with pytest.raises(WeightsError, match="no-such"):
        load_method("grounding-dino", "demo", changes, "cpu").build()
