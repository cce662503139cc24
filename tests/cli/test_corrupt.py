"""`rvosbench corrupt` and `--corruption`, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvosbench.corruptions import Plan
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.datasets import load_dataset


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from rvosbench.cli.app import main; main()", *arguments]
    env = {**os.environ, "COLUMNS": "160"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def write_clip(root: Path) -> Path:
    """A folder dataset of one video of three frames, with a mask."""
    content = {"videos": {"clip": {"expressions": {"0": {"exp": "a box", "objects": ["1"]}}}}}
    (root / "JPEGImages" / "clip").mkdir(parents=True)
    (root / "Annotations" / "clip").mkdir(parents=True)
    (root / "meta_expressions.json").write_text(json.dumps(content))
    for index in range(3):
        frame = np.full((40, 60, 3), 60 * index, np.uint8)
        Image.fromarray(frame).save(root / "JPEGImages" / "clip" / f"{index}.jpg")
        mask = np.zeros((40, 60), np.uint8)
        mask[5:20, 5:20] = 1
        Image.fromarray(mask).save(root / "Annotations" / "clip" / f"{index}.png")
    return root


def test_as_it_stands_it_writes_the_demo_and_the_copy_opens(tmp_path: Path) -> None:
    done = run("corrupt", "--type", "motion_blur", "--severity", "5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "corrupted" / "demo-valid-motion_blur-5"
    copy, clean = load_dataset("folder", out), load_dataset("demo")
    assert [s.video.id for s in copy] == [s.video.id for s in clean]
    video = clean.sample("valid-0003").video
    noisy = corrupted_frame(
        Plan("motion_blur", 5), video.id, video.frame_names[7], 7, video.read(7)
    )
    np.testing.assert_array_equal(copy.sample("valid-0003").video.read(7), noisy)
    e = clean.sample("valid-0003").expressions[1].id
    assert copy.target("valid-0003", e).union() == clean.target("valid-0003", e).union()
    assert "frames/s" in done.stderr
    assert "--dataset folder --data corrupted/demo-valid-motion_blur-5" in done.stderr
    assert run("corrupt", "--verify", str(out), cwd=tmp_path).returncode == 0


def test_a_copy_is_verified_repaired_and_scored_as_corrupted(tmp_path: Path) -> None:
    write_clip(tmp_path / "mine")
    make = ["corrupt", "--type", "fog", "--severity", "2", "--dataset", "folder", "--data", "mine"]
    made = run(*make, "--seed", "4", "--out", "copy", "--names", "keep", "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    facts = json.loads(made.stdout)
    assert facts["corruption"] == "fog:2@fast.1,per_frame,seed4"
    assert facts["files"] == 3
    frame = tmp_path / "copy" / "JPEGImages" / "clip" / "1.jpg"
    assert frame.read_bytes()[1:4] == b"PNG"
    frame.write_bytes(frame.read_bytes()[:50])
    found = run("corrupt", "--verify", "copy", "--json", cwd=tmp_path)
    assert found.returncode == 1
    assert json.loads(found.stdout)["wrong"] == [
        {"path": "JPEGImages/clip/1.jpg", "what": "changed (50 bytes)"}
    ]
    again = run(*make, "--seed", "4", "--out", "copy", "--names", "keep", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert run("corrupt", "--verify", "copy", cwd=tmp_path).returncode == 0
    score = ["eval", "--method", "empty", "--dataset", "folder", "--json"]
    results = [
        json.loads(run(*score, *rest, cwd=tmp_path).stdout)
        for rest in (
            ["--data", "copy"],
            ["--data", "mine", "--corruption", "fog:2", "--corruption-seed", "4"],
            ["--data", "mine"],
        )
    ]
    assert results[0]["corruption"] == facts["corruption"]
    assert results[0]["signature"] == results[1]["signature"] != results[2]["signature"]
    assert len({r["result"] for r in results}) >= 2


def test_several_corruptions_give_a_robustness_report(tmp_path: Path) -> None:
    write_clip(tmp_path / "mine")
    command = ["eval", "--method", "empty", "--dataset", "folder", "--data", "mine", "--out", "run"]
    done = run(*command, "--corruption", "contrast:1-2,zoom_blur:3", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert [c["name"] for c in content["corruptions"]] == ["zoom_blur", "contrast"]
    assert list(content["corruptions"][1]["severities"]) == ["1", "2"]
    assert content["groups"]["moving"]["corruptions"] == 1
    for suffix in ("html", "svg", "png", "json"):
        assert (tmp_path / "run" / f"robustness.{suffix}").stat().st_size > 200
    table = run(*command, "--corruption", "contrast:1-2,zoom_blur:3", "--resume", cwd=tmp_path)
    assert "J&F at severity" in table.stdout
    assert "report: run/robustness.html" in table.stderr


def test_a_contact_sheet_of_one_corruption(tmp_path: Path) -> None:
    done = run("corrupt", "--contact-sheet", "sheet.png", "--type", "contrast", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 5 * 128


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["corrupt"], 2, "which corruption?"),
        (["corrupt", "--type", "motionblur"], 2, "did you mean 'motion_blur'"),
        (["corrupt", "--type", "fog", "--severity", "0"], 2, "from 1 to 5"),
        (
            ["corrupt", "--type", "fog", "--temporal", "video"],
            2,
            "'per_frame', 'per_video', 'drift'",
        ),
        (["corrupt", "--type", "fog", "--format", "webp"], 2, "'png', 'jpeg'"),
        (["corrupt", "--type", "fog", "--names", "old"], 2, "'frame', 'keep'"),
        (["corrupt", "--type", "fog", "--names", "keep"], 2, "no file names to keep"),
        (["corrupt", "--type", "frost", "--frost-dir", "absent"], 2, "no frost pictures"),
        (["corrupt", "--verify", "absent"], 1, "manifest.json is missing"),
        (["eval", "--method", "empty", "--corruption", "fog:9"], 2, "from 1 to 5"),
        (["eval", "--method", "empty", "--corruption", "smog:3"], 2, "did you mean 'fog'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_end_with_advice_and_without_a_traceback(
    arguments: list[str], code: int, message: str, tmp_path: Path
) -> None:
    shown = run(*arguments, cwd=tmp_path)
    assert shown.returncode == code, shown.stderr
    assert message in " ".join(shown.stderr.split())
    assert "Traceback" not in shown.stderr
