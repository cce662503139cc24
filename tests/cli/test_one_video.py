"""Whoever asks for one video of a large split pays for one video.

The demo's train split has 2,000 clips that exist only when they are looked at: each one that is
looked at is drawn, and drawing is what is counted here, in a process that has drawn nothing yet.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TRAIN = ("--dataset", "demo", "--split", "train")
EMPTY = ("eval", "--method", "empty", *TRAIN)
COUNTED = """
import json, sys
from rvosbench.cli.app import main
from rvosbench.demo import dataset

draw, seeds = dataset.make_clip, []

def counted(seed, *more, **named):
    seeds.append(seed)
    assert len(seeds) < 20, "it draws on and on"
    return draw(seed, *more, **named)

dataset.make_clip = counted
sys.argv[0] = "rvosbench"
try:
    main()
finally:
    print(json.dumps(seeds), file=sys.stderr)
"""


def run(folder: Path, *arguments: str) -> tuple[set[int], dict[str, Any]]:
    """Numbers of the clips that a command draws, and what it prints for machines."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *arguments, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seeds = json.loads(done.stderr.splitlines()[-1])
    return {number for _, number in seeds}, json.loads(done.stdout)


@pytest.mark.parametrize(("video", "number"), [("train-0000", 0), ("train-1203", 1203)])
def test_a_video_by_its_name(video: str, number: int, tmp_path: Path) -> None:
    drawn, told = run(tmp_path, *EMPTY, "--videos", video)
    assert drawn == {number}
    assert {e["video"] for e in told["expressions"]} == {video}


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_videos(count: int, tmp_path: Path) -> None:
    drawn, _ = run(tmp_path, *EMPTY, "--limit", str(count))
    assert drawn == set(range(count))


def test_predictions_of_a_video(tmp_path: Path) -> None:
    run(tmp_path, *EMPTY, "--videos", "train-0007", "--out", "predictions")
    drawn, told = run(tmp_path, "score", "predictions", *TRAIN, "--videos", "train-0007")
    assert drawn == {7}
    assert {e["video"] for e in told["expressions"]} == {"train-0007"}


def test_tracks_of_a_part(tmp_path: Path) -> None:
    few = ("--set", "grounder=", "--set", "prompts.points_per_side=2")
    build = ("tracks", "build", "--out", "tracks", *TRAIN, "--part", "8/2000", *few)
    drawn, told = run(tmp_path, *build)
    assert drawn == {7}
    assert (told["made"], told["reused"]) == (1, 0)
    drawn, told = run(tmp_path, *build)
    assert drawn <= {7}
    assert (told["made"], told["reused"]) == (0, 1)
