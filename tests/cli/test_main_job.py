"""The main job, end to end, with the embedded weights: what the README promises."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rvosbench.datasets import load_dataset
from rvosbench.runs.evaluate import evaluate
from rvosbench.runs.result import Result

from .test_app import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    demo = load_dataset("demo", split="valid")
    return {name: evaluate(name, demo) for name in ("empty", "everything", "sola", "oracle")}


def test_selection_beats_nothing_and_everything_and_stays_below_the_oracle(
    results: dict[str, Result],
) -> None:
    score = {name: r.summary.jf for name, r in results.items() if r.summary}
    assert score["empty"] < score["everything"] < score["sola"] < score["oracle"]


def test_the_card_tells_what_was_really_run(results: dict[str, Result]) -> None:
    card = results["sola"].card
    assert card.trainable_parameters == 1_058_432
    assert card.training_data == "MotionShapes"
    assert set(results["sola"].facts["provenance"]) >= {"tracker", "text_encoder", "selector"}
    assert results["oracle"].upper_bound


def test_a_killed_process_resumes_to_the_bytes_of_an_uninterrupted_one(tmp_path: Path) -> None:
    command = ["eval", "--method", "everything", "--limit", "4"]
    assert run(*command, "--out", "whole", cwd=tmp_path).returncode == 0
    _kill_after_first_video([*command, "--out", "half"], tmp_path)
    stamps = tmp_path / "half" / "videos" / ".stamps"
    before = {p.name: p.stat().st_mtime_ns for p in stamps.iterdir()}
    assert 1 <= len(before) < 4
    assert run(*command, "--out", "half", "--resume", cwd=tmp_path).returncode == 0
    after = {p.name: p.stat().st_mtime_ns for p in stamps.iterdir()}
    assert {name: after[name] for name in before} == before  # finished videos: not done again
    for file in sorted((tmp_path / "whole").rglob("*.json")):
        again = tmp_path / "half" / file.relative_to(tmp_path / "whole")
        assert again.read_bytes() == file.read_bytes(), file.name


def _kill_after_first_video(arguments: list[str], cwd: Path) -> None:
    code = "from rvosbench.cli.app import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=cwd, stderr=subprocess.DEVNULL
    ) as process:
        stamps = cwd / "half" / "videos" / ".stamps"
        while process.poll() is None and not (stamps.is_dir() and any(stamps.glob("*.json"))):
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dataset", "mevis", "--split", "valid_u", "--videos", "a1c0ffee0003"],
        ["--dataset", "ref-davis17", "--videos", "bear,tennis",
         "--protocol", "ref-davis17-expressions"],
    ],
    ids=["mevis", "ref-davis17"],
)  # fmt: skip
def test_the_embedded_models_run_on_real_video(
    arguments: list[str], shared_data: Path, tmp_path: Path
) -> None:
    root = {"mevis": "mevis-mini", "ref-davis17": "ref-davis-mini"}[arguments[1]]
    command = ["eval", "--method", "sola", "--preset", "demo", "--data", str(shared_data / root)]
    shown = run(*command, *arguments, "--json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    result = json.loads(shown.stdout)
    scores = [(e["j"], e["f"]) for e in result["expressions"]]
    assert len(scores) == {"mevis": 3, "ref-davis17": 12}[arguments[1]]
    assert result["j"] == pytest.approx(sum(j for j, _ in scores) / len(scores), abs=1e-12)
    assert result["f"] == pytest.approx(sum(f for _, f in scores) / len(scores), abs=1e-12)
