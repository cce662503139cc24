"""What commit 1c25e4b left on people's disks opens today; `make.py` says how each file was made."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from rvosbench.cli.app import main
from rvosbench.errors import RvosbenchError
from rvosbench.runs.result import read_result

from .make import FILES, SMALL_TRACKS, TOY_METHOD, TRAINING

ONE = ("--dataset", "demo", "--split", "valid", "--videos", "valid-0000")
TWO = ("--dataset", "demo", "--split", "valid", "--limit", "2")
BOTH = ("--dataset", "demo", "--split", "valid", "--videos", "valid-0000,valid-0001")
TOY = ("--dataset", "folder", "--split", "all", "--data", "dataset")
Command = Callable[..., str]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The old files, where a command may write into them."""
    return Path(shutil.copytree(FILES, tmp_path / "files"))


@pytest.fixture
def rvosbench(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A command that runs beside the files and must succeed; returns what it prints."""

    def run(*arguments: str) -> str:
        monkeypatch.chdir(files)
        monkeypatch.setattr(sys, "argv", ["rvosbench", *arguments])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        assert not code, printed.err
        return printed.out

    return run


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@pytest.mark.parametrize("folder", ["run", "scored", "run-toy"])
def test_a_result_verifies_by_what_it_carries(folder: str) -> None:
    path = FILES / folder / "result.json"
    result, written = read_result(path), content(path)
    assert result.summary is not None
    assert (result.summary.j, result.summary.f, result.summary.jf) == tuple(
        written["summary"][name] for name in ("j", "f", "jf")
    )
    assert len(result.expressions) == len(written["expressions"])
    assert result.facts == written["facts"]


@pytest.mark.parametrize(
    ("fact", "value"), [("method", "mine"), ("split", "test"), ("videos", None), ("more", 1)]
)
@pytest.mark.parametrize("folder", ["run", "scored"])
def test_a_result_that_was_edited_is_refused(
    files: Path, folder: str, fact: str, value: object
) -> None:
    path = files / folder / "result.json"
    changed = content(path)
    changed["facts"][fact] = value
    path.write_text(json.dumps(changed, indent=1), "utf-8")
    with pytest.raises(RvosbenchError, match=r"result\.json"):
        read_result(path)


def test_scores_that_were_edited_enter_no_leaderboard(files: Path, rvosbench: Command) -> None:
    assert rvosbench("leaderboard", "add", "run-toy", "--into", "kept", "--json")
    changed = content(files / "run-toy" / "result.json")
    for name in ("j", "f", "jf"):
        changed["summary"][name] = 0.99
    (files / "run-toy" / "result.json").write_text(json.dumps(changed), "utf-8")
    with pytest.raises(AssertionError, match=r"its expressions give J .* but it says 0\.99"):
        rvosbench("leaderboard", "add", "run-toy", "--into", "kept")


def test_a_run_scores_as_it_did(rvosbench: Command) -> None:
    scored = json.loads(rvosbench("score", "run", *ONE, "--json"))
    for folder in ("run", "scored"):
        before = content(FILES / folder / "result.json")["summary"]
        assert [scored[name] for name in ("j", "f", "jf")] == [
            before[name] for name in ("j", "f", "jf")
        ]


def test_a_track_cache_is_sound_and_says_how_it_was_made(rvosbench: Command) -> None:
    told = json.loads(rvosbench("tracks", "info", "tracks", "--json"))
    assert told["counts"]["videos"] == 2
    told = json.loads(rvosbench("tracks", "verify", "tracks", *BOTH, "--json"))
    assert told["ok"], told["problems"]


def test_a_track_cache_is_not_built_again(files: Path, rvosbench: Command) -> None:
    before = {path: path.read_bytes() for path in (files / "tracks").glob("*.parquet")}
    told = rvosbench("tracks", "build", "--out", "tracks", *TWO, *SMALL_TRACKS, "--truth", "--json")
    assert (json.loads(told)["made"], json.loads(told)["reused"]) == (0, len(before))
    assert all(path.read_bytes() == kept for path, kept in before.items())


@pytest.mark.slow
def test_a_method_takes_its_tracks_from_a_cache(rvosbench: Command) -> None:
    told = rvosbench(
        "eval", "--method", "sola", *TWO, *SMALL_TRACKS, "--tracks", "tracks", "--json"
    )
    assert 0 < json.loads(told)["jf"] < 1


def test_a_selector_chooses_as_it_did(rvosbench: Command) -> None:
    told = json.loads(rvosbench(*TOY_METHOD, "--json"))
    before = content(FILES / "run-toy" / "result.json")["summary"]
    assert [told[name] for name in ("j", "f", "jf")] == [before[name] for name in ("j", "f", "jf")]


def test_an_interrupted_training_ends_as_the_uninterrupted_one(
    files: Path, rvosbench: Command
) -> None:
    assert (files / "unfinished" / "resume.pt").is_file()
    train = ("sola", "train", "--tracks", "tracks-toy", "--data", "dataset", *TRAINING)
    rvosbench(*train, "--out", "unfinished")
    resumed, whole = (
        load_file(files / folder / "model.safetensors") for folder in ("unfinished", "selector")
    )
    assert resumed.keys() == whole.keys()
    for name, tensor in whole.items():  # other processors round otherwise
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-4, atol=1e-5)
    assert not (files / "unfinished" / "resume.pt").exists()
    lines = [
        (files / folder / "train.jsonl").read_text("utf-8").splitlines()
        for folder in ("unfinished", "selector")
    ]
    assert len(lines[0]) == len(lines[1]) == 3


def test_a_finished_training_is_not_repeated(files: Path, rvosbench: Command) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in (files / "selector").iterdir()}
    train = ("sola", "train", "--tracks", "tracks-toy", "--data", "dataset", *TRAINING)
    told = json.loads(rvosbench(*train, "--out", "selector", "--json"))
    assert told["best"] == content(FILES / "selector" / "training.json")["best"]
    after = {path.name: path.stat().st_mtime_ns for path in (files / "selector").iterdir()}
    assert after == before


def test_another_training_is_not_mixed_into_an_old_state(
    files: Path, rvosbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = ("sola", "train", "--tracks", "tracks-toy", "--data", "dataset", *TRAINING)
    with pytest.raises(AssertionError, match=r"seed is 0, wanted 1"):
        rvosbench(*train, "--out", "unfinished", "--seed", "1")


def test_a_corrupted_copy_is_known_as_one(rvosbench: Command) -> None:
    told = json.loads(rvosbench("eval", "--method", "empty", *TOY[:4], "--data", "copy", "--json"))
    assert told["corruption"] == content(FILES / "copy" / "manifest.json")["corruption"]
    assert "gaussian_noise:3@" in told["corruption"]
