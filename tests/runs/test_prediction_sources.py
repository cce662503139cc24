"""Run lengths in JSON, runs of `eval` and label images as predictions, and how they are scored."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rvosbench.contracts import Dataset
from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.missing import Missing
from rvosbench.records import Sample
from rvosbench.runs.evaluate import RunOptions, evaluate, score
from rvosbench.runs.prediction_sources import PredictionSource
from rvosbench.runs.predictions import open_predictions, write_predictions
from rvosbench.runs.result import Result

from ..toys import SIZE, LeftAlways, ToyDataset

DATASET = ToyDataset()
SAMPLE = DATASET.sample("a")


def answers(wrap: bool = True) -> dict[str, Any]:
    """What LeftAlways says, as Sa2VA writes it or as plain lists."""
    found: dict[str, Any] = {}
    for sample in DATASET:
        for key, prediction in LeftAlways().predict(sample).items():
            rles = [prediction.masks.rle(i) for i in range(len(prediction.masks))]
            entry = {"prediction_masks": rles, "frames": list(sample.video.frame_names)}
            found.setdefault(sample.video.id, {})[key] = entry if wrap else rles
    return found


def scores(result: Result) -> list[tuple[float, float]]:
    return [(e.score.j, e.score.f) for e in result.expressions]


@pytest.mark.parametrize("wrap", [True, False])
def test_run_lengths_in_json_score_as_the_method(tmp_path: Path, wrap: bool) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(answers(wrap)))
    expected = evaluate(LeftAlways(), DATASET)
    got = score(file, DATASET)
    assert scores(got) == scores(expected)
    if wrap:
        assert score(file, DATASET, run=RunOptions(workers=2)) == got


def test_a_run_folder_scores_as_the_run(tmp_path: Path) -> None:
    result = evaluate(LeftAlways(), DATASET, run=RunOptions(tmp_path / "run"))
    again = score(tmp_path / "run", DATASET)
    assert [e.score for e in again.expressions] == [e.score for e in result.expressions]


def test_every_form_of_the_same_masks_has_the_same_signature(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(answers()))
    for sample in DATASET:
        for key, prediction in LeftAlways().predict(sample).items():
            write_predictions(tmp_path / "masks", sample.video, key, prediction.masks)
    evaluate(LeftAlways(), DATASET, run=RunOptions(tmp_path / "run"))
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        for path in sorted((tmp_path / "masks").rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path / "masks"))
    forms = ("results.json", "masks", "run", "masks.zip")
    assert len({score(tmp_path / form, DATASET).signature for form in forms}) == 1


def edited(change: Any) -> dict[str, Any]:  # noqa: ANN401
    content = answers()
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["a"].pop("1"), "expression '1' are missing; found 0, 2, 3, wanted 1"),
        (lambda c: c["a"].update({"1": None}), "expression '1' are missing; found .*wanted 1"),
        (lambda c: c["a"]["1"]["frames"].pop(), "4 masks, wanted 3"),
        (
            lambda c: (c["a"]["1"]["frames"].pop(), c["a"]["1"]["prediction_masks"].pop()),
            "1 of 4 masks .* expression '1' are missing; found .*, wanted 00003",
        ),
        (lambda c: c["a"].update({"1": "x"}), "wanted a list of RLE"),
        (lambda c: c["a"]["1"].update(score=2), "got score 2"),
        (lambda c: c["a"]["1"]["prediction_masks"][0].update(size=[3, 3]), "RLE of frame 0"),
        (
            lambda c: c["a"]["1"]["prediction_masks"][0].update(counts="o"),
            r"results.json: video 'a', expression '1': run lengths .* do not fit",
        ),
        (lambda c: c.update({"a": []}), "video 'a' is a list"),
        (lambda c: c["a"].update({"9": c["a"]["0"]}), "such as 'a/9'"),
        (lambda c: c.update({"z": {}}), "such as 'z'"),
    ],
)
def test_what_is_wrong_with_a_json_file_is_told(
    tmp_path: Path,
    change: Any,  # noqa: ANN401
    message: str,
) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(edited(change)))
    with pytest.raises(PredictionError, match=message):
        score(file, DATASET)


def test_what_a_json_file_lacks_may_count_as_empty(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(edited(lambda c: c["a"].pop("0"))))
    result = score(file, DATASET, missing="zero")
    assert result.expressions[0].score.j == 0.0
    assert result.facts["missing"] == "zero"


@pytest.mark.parametrize("content", ["[]", "{", "1"])
def test_other_json_files_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "results.json"
    file.write_text(content)
    with pytest.raises(PredictionError, match=r"results\.json"):
        open_predictions(file, samples=DATASET)


def test_a_changed_answer_changes_the_digest_of_its_video_only(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(answers()))
    before = [open_predictions(file).digest(s) for s in DATASET]
    file.write_text(json.dumps(edited(lambda c: c["a"].pop("0"))))
    after = [open_predictions(file).digest(s) for s in DATASET]
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, True]


def test_an_unfinished_run_is_incomplete(tmp_path: Path) -> None:
    evaluate(LeftAlways(), DATASET, videos=["a"], run=RunOptions(tmp_path / "run"))
    with pytest.raises(IncompletePredictionError, match="video 'b/c'"):
        score(tmp_path / "run", DATASET)
    assert score(tmp_path / "run", DATASET, videos=["a"]).summary is not None


def open_labels(path: Path, samples: Sequence[Sample] = ()) -> PredictionSource:
    return open_predictions(path, "error", samples, "labels")


def labels(root: Path, mode: str = "P") -> Path:
    """Label images of video "a": label 1 left, label 3 right, on all frames."""
    folder = root / "a"
    folder.mkdir(parents=True)
    image = np.zeros(SIZE, np.uint8)
    image[3:8, 1:6], image[3:8, 40:45] = 1, 3
    for name in SAMPLE.video.frame_names:
        picture = Image.fromarray(image)
        if mode == "P":
            picture.putpalette([0] * 768)  # all colours are black: the index decides
        picture.save(folder / f"{name}.png")
    return root


@pytest.mark.parametrize("mode", ["P", "L"])
@pytest.mark.parametrize("packed", [False, True])
def test_label_images_are_masks_by_label(tmp_path: Path, mode: str, packed: bool) -> None:
    path = labels(tmp_path / "top", mode)
    if packed:
        path = tmp_path / "labels.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted((tmp_path / "top").rglob("*.png")):
                archive.write(file, Path("around") / file.relative_to(tmp_path / "top"))
    opened = open_labels(path, [SAMPLE])
    found = opened.predict(SAMPLE)
    assert list(found) == ["1", "3"]
    assert found["3"].masks.areas().tolist() == [25] * 4
    assert opened.extra([SAMPLE]) == ()
    assert opened.digest(SAMPLE) == open_labels(path).digest(SAMPLE)
    assert opened.holds("a")
    assert not opened.holds("d")


def test_other_entries_beside_label_images_are_found(tmp_path: Path) -> None:
    labels(tmp_path)
    (tmp_path / "stranger").mkdir()
    assert open_labels(tmp_path).extra([SAMPLE]) == ("stranger",)
    with pytest.raises(PredictionError, match="holds none of the 1 videos"):
        open_labels(tmp_path, [DATASET.sample("d")])


def test_label_images_that_are_there_twice_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        labels(tmp_path / name)
    opened = open_predictions(tmp_path, "zero", answers="labels")
    for read in (opened.predict, opened.digest):
        with pytest.raises(PredictionError, match="video 'a' is in 'one/a' and in 'two/a'"):
            read(SAMPLE)
    assert list(open_labels(tmp_path / "one", [SAMPLE]).predict(SAMPLE)) == ["1", "3"]


def test_label_images_that_are_missing_stop_or_count_as_background(tmp_path: Path) -> None:
    labels(tmp_path)
    (tmp_path / "a" / "00001.png").unlink()
    with pytest.raises(IncompletePredictionError, match=r"1 of 4 label images.*00001\.png"):
        open_labels(tmp_path).predict(SAMPLE)
    found = open_predictions(tmp_path, "zero", answers="labels").predict(SAMPLE)
    assert found["1"].masks.areas().tolist() == [25, 0, 25, 25]
    assert found.filled == Missing(1, 0)


def test_masks_of_expressions_are_no_label_images(tmp_path: Path) -> None:
    write_predictions(tmp_path, SAMPLE.video, "0", LeftAlways().predict(SAMPLE)["0"].masks)
    with pytest.raises(PredictionError, match="holds none"):
        open_labels(tmp_path, [SAMPLE])


@dataclass(frozen=True)
class Frameless(ToyDataset):
    """A dataset whose frames are not on disk."""

    def sample(self, video_id: str) -> Any:  # noqa: ANN401
        from dataclasses import replace

        from rvosbench.errors import DatasetError

        def missing() -> tuple[int, int]:
            raise DatasetError("no frames")

        found = super().sample(video_id)
        return replace(found, video=replace(found.video, measure=missing))


def test_files_are_scored_without_the_frames(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(answers()))
    dataset: Dataset = Frameless()
    assert scores(score(file, dataset)) == scores(score(file, DATASET))


def test_the_official_variant_is_in_the_signature(tmp_path: Path) -> None:
    from rvosbench.metrics.official import protocol

    file = tmp_path / "results.json"
    file.write_text(json.dumps(edited(lambda c: c["a"].pop("0"))))
    with pytest.raises(IncompletePredictionError):
        score(file, DATASET)
    result = score(file, DATASET, protocol("mevis", as_official=True))
    assert "mevis.1-as-official" in result.signature
    assert len(result.expressions) == 11  # officially, the missing one vanishes
