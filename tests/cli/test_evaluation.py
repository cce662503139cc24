"""`rvosbench eval` and `score`: which videos are opened, and how a run is taken up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rvosbench.cli.app import app
from rvosbench.demo.dataset import MotionShapes
from rvosbench.errors import UsageError
from rvosbench.records import Sample

from ..runs.toy_plugin import CODE, ToyPlugin, plugin

__all__ = ["plugin"]

EMPTY = ("eval", "--method", "empty")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The videos of the demo that are opened."""
    monkeypatch.chdir(tmp_path)
    found: list[str] = []
    original = MotionShapes.sample

    def counted(self: MotionShapes, video_id: str) -> Sample:
        found.append(video_id)
        return original(self, video_id)

    monkeypatch.setattr(MotionShapes, "sample", counted)
    return found


def shown(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("chosen", [("--videos", "train-0000"), ("--limit", "1")])
def test_one_video_of_a_large_split_opens_one_video(
    opened: list[str], chosen: tuple[str, str]
) -> None:
    result = shown(*EMPTY, "--split", "train", *chosen)
    assert len(result["expressions"]) > 0  # type: ignore[arg-type]
    assert set(opened) == {"train-0000"}


def test_videos_are_read_by_one_parser(opened: list[str]) -> None:
    spaced = shown(*EMPTY, "--videos", "valid-0001, valid-0000")
    assert set(opened) == {"valid-0000", "valid-0001"}
    assert {e["video"] for e in spaced["expressions"]} == set(opened)  # type: ignore[attr-defined]
    run = str(Path(str(spaced["result"])).parent)
    for command in ((*EMPTY,), ("score", run, "--dataset", "demo")):
        done = CliRunner().invoke(app, [*command, "--videos", ""])
        assert isinstance(done.exception, UsageError), done.output
        assert "empty video id" in str(done.exception)


def test_a_score_is_resumed_in_a_folder_only(opened: list[str], tmp_path: Path) -> None:
    shown(*EMPTY, "--limit", "1", "--out", "run")
    score = ("score", "run", "--dataset", "demo", "--videos", "valid-0000")
    done = CliRunner().invoke(app, [*score, "--resume"])
    assert isinstance(done.exception, UsageError)
    assert "give --out" in str(done.exception)
    first = shown(*score, "--out", "scored")
    assert shown(*score, "--out", "scored", "--resume") == first
    assert first["missing"] == {"masks": 0, "expressions": 0}


def test_what_is_missing_is_counted_and_told(opened: list[str]) -> None:
    shown(*EMPTY, "--limit", "1", "--out", "run")
    both = ("score", "run", "--dataset", "demo", "--videos", "valid-0000,valid-0001")
    result = shown(*both, "--missing", "zero")
    absent = [e for e in result["expressions"] if e["video"] == "valid-0001"]  # type: ignore[attr-defined]
    length = absent[0]["metrics"]["length"]
    assert result["missing"] == {"masks": length * len(absent), "expressions": len(absent)}
    done = CliRunner().invoke(app, [*both, "--missing", "zero"])
    assert f"missing, counted as empty: {len(absent)} expressions" in done.stderr


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_a_method_prints_is_no_output_of_the_command(
    plugin: ToyPlugin, tmp_path: Path, workers: str
) -> None:
    noisy = CODE.replace("boxes = np", 'print("NOISE")\n        boxes = np')
    plugin.write(noisy)
    out = ("--out", str(tmp_path / "run"), "--workers", workers, "--limit", "2")
    done = CliRunner().invoke(app, ["eval", "--method", plugin.name, "--json", *out])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["method"] == plugin.name
