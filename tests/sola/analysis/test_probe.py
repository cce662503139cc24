"""Linear probes of object tokens: PASCAL VOC's layout, and the objects of MotionShapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rvosbench.errors import AnnotationError, DatasetError, UnknownNameError, UsageError
from rvosbench.execution.units import Unit
from sola.analysis.motion_shapes import VISIBLE, ShapeObjects
from sola.analysis.probe import probe
from sola.analysis.probe_data import ObjectTokens, Tracker, collect_objects, planned
from sola.analysis.voc import CLASSES, VocObjects, open_voc
from sola.cli.app import app

SIZE = (96, 128)
LOOKS: Mapping[str, tuple[int, int, int]] = {
    "aeroplane": (215, 35, 35),
    "bird": (40, 70, 215),
    "tvmonitor": (240, 220, 40),
}
DEMO = Tracker("demo", "cpu", "float32")


def palette_png(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels.astype(np.uint8), "P")
    image.putpalette(list(np.random.default_rng(0).integers(0, 256, 768)))
    image.save(path)


def toy_image(root: Path, name: str, looks: list[str], rng: np.random.Generator) -> None:
    """Coloured squares, each with a rim of void."""
    image = np.full((*SIZE, 3), 90, np.uint8) + rng.integers(0, 40, (*SIZE, 1), dtype=np.uint8)
    numbers, classes = np.zeros((2, *SIZE), np.uint8)
    for index, look in enumerate(looks):
        top, left = int(rng.integers(8, 56)), 6 + 42 * index + int(rng.integers(0, 8))
        inner = np.s_[top : top + 28, left : left + 28]
        for labels, value in ((numbers, index + 1), (classes, CLASSES.index(look) + 1)):
            labels[top - 2 : top + 30, left - 2 : left + 30] = 255
            labels[inner] = value
        image[inner] = LOOKS[look]
    (root / "JPEGImages").mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(root / "JPEGImages" / f"{name}.jpg", quality=92)
    palette_png(root / "SegmentationObject" / f"{name}.png", numbers)
    palette_png(root / "SegmentationClass" / f"{name}.png", classes)


@pytest.fixture(scope="module")
def voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VOCdevkit with 8 images to learn from, 4 to ask about, and one without objects."""
    devkit = tmp_path_factory.mktemp("VOCdevkit")
    root, rng = devkit / "VOC2012", np.random.default_rng(5)
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for split, count in (("train", 8), ("val", 4)):
        names = [f"2007_{split}{i}" for i in range(count)]
        for name in names:
            toy_image(root, name, [str(n) for n in rng.choice(list(LOOKS), 3)], rng)
        (lists / f"{split}.txt").write_text("\n".join(names) + "\n", encoding="ascii")
    toy_image(root, "2007_none", [], rng)
    with (lists / "train.txt").open("a", encoding="ascii") as file:
        file.write("2007_none\n")
    return devkit


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["analyze", "probe", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_the_command_reads_voc_and_finds_its_classes(voc: Path, tmp_path: Path) -> None:
    common = ("--dataset", "voc", "--data", str(voc), "--tracker", "demo", "--out", str(tmp_path))
    code, text = run(*common, "--device", "cpu", "--json")
    found = json.loads(text)
    assert (code, found["train"], found["test"]) == (0, 24, 12)
    answer = found["answers"]["class"]
    assert answer["accuracy"] >= 0.75
    assert answer["accuracy"] > answer["majority"]
    by_name = {c["name"]: c for c in answer["classes"]}
    assert len(by_name) == 20
    assert by_name["cat"] == {"name": "cat", "train": 0, "test": 0, "accuracy": None}
    assert sum(by_name[n]["test"] for n in LOOKS) == 12
    assert json.loads((tmp_path / "probe.json").read_text()) == {
        k: v for k, v in found.items() if k != "written"
    }
    code, shown = run(*common, "--device", "cpu")
    assert code == 0
    assert "tvmonitor" in shown


def test_a_second_run_takes_up_the_tokens_and_a_changed_image_does_not(
    voc: Path, tmp_path: Path
) -> None:
    source, reused = open_voc(voc), []

    def note(unit: Unit, there: bool) -> None:
        reused.append(there)

    first = collect_objects(source, DEMO, tmp_path, limit=2, on_done=note)
    again = collect_objects(source, DEMO, tmp_path, limit=2, on_done=note)
    assert reused == [False] * 4 + [True] * 4
    assert planned(source, 2) == 4
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(first, again, strict=True))
    label = source.root / "SegmentationObject" / "2007_train0.png"
    label.write_bytes(label.read_bytes() + b"\0")
    collect_objects(source, DEMO, tmp_path, limit=2, on_done=note)
    assert reused[8:].count(False) == 1


def test_voc_is_found_from_above_and_its_truth_is_read_without_void(voc: Path) -> None:
    source = open_voc(voc)
    assert source.root == (voc / "VOC2012").resolve() == open_voc(voc / "VOC2012").root
    assert source.facts.name == "PASCAL VOC2012"
    masks, classes = source.truth("2007_val0", SIZE)
    assert masks.sum(axis=(1, 2)).tolist() == [28 * 28] * 3
    assert set(classes) <= {CLASSES.index(name) for name in LOOKS}
    none, no_classes = source.truth("2007_none", SIZE)
    assert none.shape == (0, *SIZE)
    assert no_classes.shape == (0,)


def test_what_is_wrong_with_a_voc_folder_is_named(voc: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs its folder"):
        open_voc(None)
    with pytest.raises(DatasetError, match="no SegmentationObject folder"):
        open_voc(tmp_path)
    source = open_voc(voc)
    with pytest.raises(DatasetError, match=r"trainval\.txt cannot be read"):
        source.keys("trainval")
    with pytest.raises(DatasetError, match=r"JPEGImages/lost\.jpg is missing"):
        source.identity("train", "lost")
    with pytest.raises(AnnotationError, match="was one of them resized"):
        source.truth("2007_val0", (96, 96))


@pytest.mark.parametrize("value", [0, 21, 255])
def test_an_object_without_a_class_is_an_error(tmp_path: Path, value: int) -> None:
    labels = np.zeros(SIZE)
    labels[:9, :9] = 1
    palette_png(tmp_path / "SegmentationObject" / "a.png", labels)
    palette_png(tmp_path / "SegmentationClass" / "a.png", labels * value)
    with pytest.raises(AnnotationError, match=f"object 1 have the value {value}, wanted a class"):
        VocObjects(tmp_path).truth("a", SIZE)


def test_a_broken_image_is_named(voc: Path, tmp_path: Path) -> None:
    source = VocObjects(tmp_path)
    (tmp_path / "JPEGImages").mkdir()
    (tmp_path / "JPEGImages" / "a.jpg").write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"a\.jpg cannot be read as an image"):
        source.objects(None, "train", "a")  # type: ignore[arg-type]


def test_motion_shapes_tell_looks_and_places_of_tracked_objects(tmp_path: Path) -> None:
    source = ShapeObjects()
    train, test = collect_objects(source, DEMO, tmp_path, limit=4)
    assert len(train.tokens) > 30
    assert train.values.min() > 0
    assert train.values.max() < 1
    assert (train.values[:, 2] ** 2 * 128**2 >= VISIBLE - 1).all()
    report = probe(source, train, test)
    colour = report.answers["colour"]
    assert colour.accuracy > colour.majority + 0.2
    assert set(report.explained) == {"x", "y", "size"}
    assert report.explained["x"] > 0.2


def test_the_demo_command_in_small(tmp_path: Path) -> None:
    code, text = run("--limit", "2", "--out", str(tmp_path), "--json")
    found = json.loads(text)
    assert code == 0
    assert set(found["answers"]) == {"colour", "shape", "texture"}
    assert found["limit"] == 2


def made(tokens: list[list[float]], labels: list[int]) -> ObjectTokens:
    rows = np.array(tokens, np.float32).reshape(len(labels), 4)
    return ObjectTokens(
        rows, {"class": np.array(labels, np.int64)}, np.zeros((len(labels), 0), np.float32)
    )


def test_accuracies_count_as_said(tmp_path: Path) -> None:
    a, b = [1.0, 0, 0, 0], [0, 1.0, 0, 0]
    known = made([a, a, b], [0, 0, 1])
    report = probe(VocObjects(tmp_path), known, made([a, a, a, b, a], [0, 0, 0, 1, 2]))
    answer = report.answers["class"]
    assert answer.accuracy == pytest.approx(4 / 5)
    assert answer.class_mean == pytest.approx(2 / 3)
    assert answer.majority == pytest.approx(3 / 5)
    assert [c.accuracy for c in answer.classes[:4]] == [1, 1, 0, None]
    assert report.explained == {}


def test_a_split_without_objects_and_a_negative_decay_are_errors(tmp_path: Path) -> None:
    some, none = made([[1.0, 0, 0, 0]], [0]), made([], [])
    with pytest.raises(DatasetError, match="no object in the val split"):
        probe(VocObjects(tmp_path), some, none)
    with pytest.raises(UsageError, match="decay"):
        probe(VocObjects(tmp_path), some, some, decay=-1)


def test_tokens_come_back_from_their_file(tmp_path: Path) -> None:
    before = made([[1, 2, 3, 4.5]], [7])
    before.save(tmp_path / "a")
    after = ObjectTokens.load(tmp_path / "a")
    assert np.array_equal(after.tokens, before.tokens)
    assert after.labels["class"].tolist() == [7]
    assert after.values.shape == (1, 0)


def test_unknown_data_and_a_folder_for_the_demo_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="dataset to probe 'coco'"):
        run("--dataset", "coco")
    with pytest.raises(UsageError, match="the demo has no folder"):
        run("--data", str(tmp_path))
