"""Run folders of commit 1c25e4b: packed, viewed, taken up, and never mixed with another run."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from rvosbench.cli.app import main
from rvosbench.runs.result import read_result
from rvosbench.runs.run_folder import RunFolder
from rvosbench.runs.submission import pack_run

from ..old.make import FILES, TOY_METHOD


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(FILES, tmp_path / "files")
    monkeypatch.chdir(tmp_path / "files")
    return tmp_path / "files"


def test_an_old_run_is_packed(files: Path) -> None:
    count = pack_run(files / "run", files / "out.zip")
    with zipfile.ZipFile(files / "out.zip") as archive:
        assert len(archive.namelist()) == count > 0
    kept = RunFolder(files / "run").video("valid-0000").predictions()
    assert count == len(kept.frames) * len(kept.by_expression)


def test_old_metric_values_keep_their_place() -> None:
    path = FILES / "run" / "result.json"
    written, result = json.loads(path.read_text()), read_result(path)
    assert written["format"] == 1
    assert result.summary is not None
    assert result.summary.metrics == written["summary"]["extra"]
    assert result.expressions[0].score.metrics == written["expressions"][0]["figures"]
    assert result.missing == {"masks": 0, "expressions": 0}


def test_an_old_run_is_taken_up_and_its_videos_are_made_again(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_result(files / "run-toy" / "result.json")
    stamps = files / "run-toy" / "videos" / ".stamps"
    old = {p.name: json.loads(p.read_text())["digest"] for p in stamps.iterdir()}
    resume = ["rvosbench", *TOY_METHOD, "--out", "run-toy", "--resume"]
    monkeypatch.setattr(sys, "argv", resume)
    assert main_ends() == 0
    after = read_result(files / "run-toy" / "result.json")
    assert after.summary == before.summary
    assert [e.score for e in after.expressions] == [e.score for e in before.expressions]
    assert before.facts.items() <= after.facts.items()
    new = {p.name: json.loads(p.read_text()) for p in stamps.iterdir()}
    assert new.keys() == old.keys()
    assert all(new[name]["digest"] != old[name] and new[name]["content"] for name in old)
    monkeypatch.setattr(sys, "argv", [*resume, "--set", "threshold=0.9"])
    capsys.readouterr()
    assert main_ends() == 2
    assert "configuration.threshold is 0.5, wanted 0.9" in " ".join(capsys.readouterr().err.split())


def main_ends() -> object:
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0
