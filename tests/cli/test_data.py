"""`rvosbench data`: figures of a split, and mistakes in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from rvosbench.cli.app import app

from ..toys import ToyDataset


@dataclass(frozen=True)
class Doubtful(ToyDataset):
    """Finds fault with one of its videos."""

    def problems(self, video_id: str) -> Iterable[str]:
        return ["'left': is it really the left one?"] if video_id == "d" else []


def test_a_sound_split_has_no_problems() -> None:
    done = CliRunner().invoke(app, ["data", "check", "--split", "valid", "--limit", "3"])
    assert done.exit_code == 0
    assert "demo/valid: no problems in 3 videos" in done.stderr


def test_problems_are_listed_and_end_with_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvosbench.datasets.choice.load_dataset", lambda *_: Doubtful())
    done = CliRunner().invoke(app, ["data", "check"])
    assert done.exit_code == 1
    assert done.stdout == "video 'd': 'left': is it really the left one?\n"
    told = CliRunner().invoke(app, ["data", "check", "--json", "--limit", "2"])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["videos"] == 2


def test_figures_for_machines() -> None:
    told = json.loads(CliRunner().invoke(app, ["data", "stats", "--json"]).stdout)
    assert told["vocabulary"] > 80
    assert sum(told["tags"].values()) == told["expressions"] == 144
    by_category, clips = told["details"]
    assert by_category["columns"][:2] == ["category", "expressions"]
    assert by_category["rows"][-1][:2] == ["all", 144]
    assert clips["rows"][0][0] == "shapes"
