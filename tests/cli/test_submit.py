"""`rvosbench submit` on masks that somebody made: all that is wrong at once, or the zip."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rvosbench.cli.app import app
from rvosbench.datasets.mevis import open_mevis
from rvosbench.masks import MaskSequence
from rvosbench.runs.predictions import write_predictions

from ..datasets import toys


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A hidden split: videos "b" with three expressions and "a" with one."""
    root = toys.write_mevis(tmp_path / "mevis", "valid", toys.without_objects(toys.mevis_meta()))
    (root / "valid" / "mask_dict.json").unlink()
    return root


@pytest.fixture
def masks(data: Path, tmp_path: Path) -> Path:
    """One mask for every frame of every expression."""
    for sample in open_mevis(data, "valid"):
        for e in sample.expressions:
            frames = [toys.object_mask(int(e.id), t) for t in range(len(sample.video))]
            found = MaskSequence.from_arrays(frames)
            write_predictions(tmp_path / "masks", sample.video, e.id, found)
    return tmp_path / "masks"


def run(command: str, predictions: Path, data: Path, *more: str) -> Result:
    task = ["--dataset", "mevis", "--split", "valid", "--data", str(data)]
    return CliRunner().invoke(app, ["submit", command, str(predictions), *task, *more])


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_sound_masks_pass_and_are_packed(masks: Path, data: Path, tmp_path: Path) -> None:
    checked = run("check", masks, data, "--json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout) == {
        "expressions": 4,
        "problems": [],
        "warnings": [],
        "passed": True,
    }
    assert run("pack", masks, data, "--out", str(tmp_path / "out.zip")).exit_code == 0
    files = sorted(masks.rglob("*.png"))
    assert sorted(names(tmp_path / "out.zip")) == [p.relative_to(masks).as_posix() for p in files]
    assert run("check", tmp_path / "out.zip", data).exit_code == 0


def test_everything_wrong_is_told_at_once_and_nothing_is_packed(
    masks: Path, data: Path, tmp_path: Path
) -> None:
    (masks / "b" / "1" / "00004.png").unlink()
    (masks / "a" / "0" / "00003.png").write_bytes(b"no png")
    (masks / "b" / "7").mkdir()
    checked = run("check", masks, data)
    assert checked.exit_code == 1
    first, second = checked.stdout.splitlines()
    assert "b/1: 1 of 3 masks" in first
    assert "a/0/00003.png: not a readable PNG" in second
    assert "nobody asks for b/7" in checked.stderr
    packed = run("pack", masks, data, "--out", str(tmp_path / "out.zip"))
    assert packed.exit_code == 1
    assert "b/1: 1 of 3" in str(packed.exception)
    assert "a/0/00003.png" in str(packed.exception)
    assert not (tmp_path / "out.zip").exists()


def test_a_zip_with_a_folder_around_is_named_and_repaired(
    masks: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "around").mkdir()
    masks.rename(tmp_path / "around" / "Annotations")
    packed = Path(shutil.make_archive(str(tmp_path / "theirs"), "zip", tmp_path / "around"))
    checked = run("check", packed, data)
    assert checked.exit_code == 1
    assert "the server wants b/, the zip has Annotations/b/" in checked.stdout
    assert run("pack", packed, data, "--out", str(tmp_path / "out.zip")).exit_code == 0
    assert run("check", tmp_path / "out.zip", data).exit_code == 0


def test_a_folder_of_masks_does_not_say_its_dataset(masks: Path) -> None:
    done = CliRunner().invoke(app, ["submit", "pack", str(masks)])
    assert done.exit_code != 0
    assert "is no run of `rvosbench eval`" in str(done.exception)
    assert "--dataset" in str(done.exception)
