"""The command line as a person and a script meet it, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rvosbench

STRANGER = Path(__file__).parents[1] / "stranger"


def run(*arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from rvosbench.cli.app import main; main()", *arguments]
    env = {**os.environ, "COLUMNS": "160"}
    if path is not None:
        env["PYTHONPATH"] = str(path)
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stranger's package, installed as pip does it."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    build = ["--no-build-isolation", "--disable-pip-version-check", "--root-user-action=ignore"]
    subprocess.run([*pip, *build, "--target", str(target), str(STRANGER)], check=True)
    return target


def test_a_place_that_cannot_be_written_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    out = ["--out", str(tmp_path / "file")]
    done = run("tracks", "build", "--limit", "1", *out, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"error: {tmp_path / 'file'}: " in done.stderr.replace("\n", "")


def test_a_strangers_method_and_dataset_work_by_name(stranger: Path, tmp_path: Path) -> None:
    command = ["eval", "--method", "box", "--dataset", "dots", "--json"]
    whole = json.loads(run(*command, cwd=tmp_path, path=stranger).stdout)
    half = json.loads(run(*command, "--set", "width=5", cwd=tmp_path, path=stranger).stdout)
    assert (whole["method"], whole["dataset"], whole["split"], whole["j"]) == (
        "box",
        "dots",
        "here",
        1.0,
    )
    assert half["j"] == 0.5
    assert half["signature"] != whole["signature"]
    assert (tmp_path / half["result"]).is_file()
    wrong = run(*command, "--set", "widht=5", cwd=tmp_path, path=stranger)
    assert wrong.returncode == 2
    assert "did you mean 'width'" in wrong.stderr


def test_a_strangers_parts_are_listed_and_its_commands_mounted(
    stranger: Path, tmp_path: Path
) -> None:
    datasets = json.loads(run("data", "list", "--json", cwd=tmp_path, path=stranger).stdout)
    methods = json.loads(run("methods", "list", "--json", cwd=tmp_path, path=stranger).stdout)
    assert {d["name"] for d in datasets} >= {"dots", "demo", "mevis", "ref-davis17"}
    assert {m["name"] for m in methods} >= {"box", "sola", "empty", "everything", "oracle"}
    greeting = run("stranger", "greet", cwd=tmp_path, path=stranger)
    assert greeting.stdout == "hello from outside\n"


def test_a_broken_plugin_is_named_and_does_no_other_harm(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rvosbench.commands]\nbroken = not_there:app\n[rvosbench.methods]\nbad = not_there:SPEC\n"
    )
    shown = run("eval", "--method", "bad", "--limit", "1", cwd=tmp_path, path=tmp_path)
    assert shown.returncode == 1
    assert "'broken' (not_there:app) cannot be loaded" in shown.stderr
    assert "method 'bad' of broken (not_there:SPEC) cannot be imported" in shown.stderr
    checked = run("doctor", "--json", cwd=tmp_path, path=tmp_path)
    assert checked.returncode == 1
    wrong = [f for f in json.loads(checked.stdout) if not f["ok"]]
    assert [f["check"] for f in wrong if "bad" in f["check"]] == ["rvosbench.methods bad"]


def test_the_doctor_finds_nothing_wrong_here(tmp_path: Path) -> None:
    checked = run("doctor", "--json", cwd=tmp_path)
    found = {f["check"]: f for f in json.loads(checked.stdout)}
    assert not [name for name, f in found.items() if not f["ok"]]
    assert found["demo weights sam2"]["found"].endswith(" MB")
    shown = run("doctor", cwd=tmp_path)
    assert (checked.returncode, shown.returncode) == (0, 0)
    assert "demo weights sam2" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["eval", "--method", "slao"], 2, "did you mean 'sola'"),
        (["eval", "--method", "empty", "--dataset", "demos"], 2, "did you mean 'demo'"),
        (["eval", "--method", "empty", "--split", "vald"], 2, "did you mean 'valid'"),
        (["eval", "--method", "empty", "--dataset", "mevis"], 2, "--data DIR"),
        (["eval", "--method", "empty", "--preset", "demo"], 2, "has no presets"),
        (["eval", "--method", "sola", "--set", "treshold=1"], 2, "did you mean 'threshold'"),
        (["eval", "--method", "sola", "--set", "threshold=7"], 2, "must be in [0, 1]"),
        (["eval", "--method", "empty", "--protocol", "ref-youtube-vos"], 2, "does not fit"),
        (["eval", "--method", "empty", "--videos", "nothing"], 2, "has no video 'nothing'"),
        (["score", "absent", "--dataset", "demo"], 1, "absent"),
        (["score", ".", "--dataset", "demo", "--missing", "skip"], 2, "skip"),
        (["submit", "pack", "absent"], 1, "absent"),
        (["data", "stats", "--dataset", "mevis", "--data", "absent"], 1, "does not exist"),
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
    assert shown.stdout == ""


def test_the_version_is_told_without_a_command(tmp_path: Path) -> None:
    shown = run("--version", cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, f"rvosbench {rvosbench.__version__}\n")


def modules(code: str, cwd: Path) -> set[str]:
    tail = "\nimport sys, json; sys.stderr.write('MODULES' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], cwd=cwd, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.split("MODULES")[1]))


def test_importing_the_package_imports_next_to_nothing(tmp_path: Path) -> None:
    assert not modules("import rvosbench", tmp_path) & {"numpy", "torch", "typer", "rich", "cv2"}


CALL = """
import sys
from rvosbench.cli.app import main
sys.argv = ["rvosbench", *{arguments!r}]
try:
    main()
except SystemExit as done:
    assert not done.code, done.code
"""
HEAVY = {"torch", "transformers", "cv2", "scipy", "numba", "pycocotools", "pandas", "datasets"}


def test_help_imports_no_heavy_library(tmp_path: Path) -> None:
    assert not modules(CALL.format(arguments=["--help"]), tmp_path) & HEAVY


def test_scoring_never_imports_torch(tmp_path: Path) -> None:
    run("eval", "--method", "empty", "--limit", "1", "--out", "run", cwd=tmp_path)
    run("submit", "pack", "run", "--out", "p.zip", cwd=tmp_path)
    arguments = ["score", "p.zip", "--dataset", "demo", "--missing", "zero", "--json"]
    assert not modules(CALL.format(arguments=arguments), tmp_path) & {"torch", "transformers"}


def test_results_go_to_stdout_and_everything_else_to_stderr(tmp_path: Path) -> None:
    shown = run("eval", "--method", "empty", "--limit", "1", "--json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    result = json.loads(shown.stdout)
    pinned = ["signature", "method", "dataset", "split", "protocol", "corruption"]
    assert list(result)[:11] == [*pinned, "j", "f", "jf", "expressions", "result"]
    assert result["jf"] == (result["j"] + result["f"]) / 2
    for_people = run("eval", "--method", "empty", "--limit", "1", cwd=tmp_path)
    assert "J&F" in for_people.stdout
    assert result["signature"] in for_people.stderr.replace("\n", "")


def test_an_eval_is_taken_up_again(tmp_path: Path) -> None:
    command = ["eval", "--method", "empty", "--limit", "2", "--out", "run"]
    assert run(*command, cwd=tmp_path).returncode == 0
    before = (tmp_path / "run" / "result.json").read_bytes()
    assert run(*command, "--resume", cwd=tmp_path).returncode == 0
    assert (tmp_path / "run" / "result.json").read_bytes() == before
