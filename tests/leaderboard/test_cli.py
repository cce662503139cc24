"""The commands, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leaderboard.cli import app
from rvosbench.errors import RvosbenchError

from .making import published_file, published_row, result, saved, sola


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> str:
    """Standard output of a command that succeeds."""
    found = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_show_prints_a_table_in_every_format() -> None:
    assert "| SOLA | **32.9 M** | **48.6** |" in run("show", "--table", "1")
    assert r"\textbf{48.6}" in run("show", "--table", "5b", "--format", "latex")
    assert "<table>" in run("show", "--table", "A.1", "--format", "html")
    assert run("show", "--table", "3", "--format", "csv").startswith("Methods,MeViS J&F")
    assert json.loads(run("show", "--table", "2", "--format", "json"))["table"] == "2"
    assert json.loads(run("show", "--table", "2", "--json"))["table"] == "2"


def test_show_without_anything_lists_the_tables() -> None:
    listed = json.loads(run("show", "--json"))
    assert [t["name"] for t in listed][:9] == [
        "1",
        "2",
        "3",
        "4",
        "5a",
        "5b",
        "A.1",
        "A.2a",
        "A.2b",
    ]
    assert "mevis" in [t["name"] for t in listed]
    assert "Quantitative comparison on MeViS" in run("show")


def test_runs_join_and_misfits_are_told(tmp_path: Path) -> None:
    saved(tmp_path / "runs", sola(0.6), result(dataset="demo"))
    found = CliRunner().invoke(app, ["show", "--table", "1", "--with-runs", "runs"])
    assert "SOLA (run a)" in found.stdout
    assert "it is on demo, the table on mevis" in found.stderr
    assert "Mine (run a)" in run("show", "--table", "demo", "--with-runs", "runs")


def test_one_cut_result_is_named_and_hides_no_other(tmp_path: Path) -> None:
    saved(tmp_path / "runs", sola(0.6), result())
    cut = tmp_path / "runs" / "run-1" / "result.json"
    cut.write_text(cut.read_text()[:100])
    for command in (
        ["show", "--table", "1", "--with-runs", "runs"],
        ["show", sola(0.6).signature[-12:]],
        ["build", "--with-runs", "runs", "--table", "1"],
    ):
        found = CliRunner().invoke(app, command, catch_exceptions=False)
        assert found.exit_code == 0
        assert "left out: runs/run-1/result.json: cannot be read as a result" in found.stderr
    assert "SOLA (run a)" in Path("leaderboard-page/tables/1.md").read_text(encoding="utf-8")
    found = CliRunner().invoke(app, ["check", "--with-runs", "runs"])
    assert found.exit_code == 1  # a result that nobody can read is a finding
    assert "left out: runs/run-1/result.json" in found.stderr


def test_a_broken_file_that_is_asked_for_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(RvosbenchError, match=r"result\.json: cannot be read as a result"):
        run("show", "--table", "1", "--with-runs", "result.json")


def test_a_signature_is_resolved_in_the_runs_folder(tmp_path: Path) -> None:
    saved(tmp_path / "runs", sola(0.6))
    signature = sola(0.6).signature
    assert json.loads(run("show", signature, "--json"))["signature"] == signature
    assert json.loads(run("show", signature, "--format", "json"))["signature"] == signature
    assert "runs/run-0/result.json" in run("show", signature[-12:])
    with pytest.raises(RvosbenchError, match="none of the 1"):
        run("show", "0123456789ab")


def test_add_then_build_then_show(tmp_path: Path) -> None:
    saved(tmp_path / "mine", result())
    path = json.loads(run("add", "mine", "--card", "title=My method", "--json"))["result"]
    assert path.startswith("leaderboard-results/mevis/my-method-")
    assert "My method (run a)" in run("show", "--table", "mevis")
    assert "My method" not in run("show", "--table", "1")
    written = json.loads(run("build", "--json"))["written"]
    assert written[0] == "leaderboard-page/index.html"
    assert "My method" in Path(written[0]).read_text(encoding="utf-8")
    assert json.loads(run("show", path[-24:-12], "--json"))["method"] == "mine"


def test_check_passes_on_the_packages_own_numbers() -> None:
    text = run("check")
    assert "known mean: sola, Table 5b" in text
    assert "NEW" not in text
    assert run("check", "--new") == ""
    assert all(finding["known"] for finding in json.loads(run("check", "--json")))


def test_check_fails_on_a_new_contradiction(tmp_path: Path) -> None:
    published_file(tmp_path / "p", "s", published_row(jf=44.0))
    found = CliRunner().invoke(app, ["check", "--published", "p"])
    assert found.exit_code == 1
    assert "NEW   mean: s, Table 1: X on mevis/valid" in found.stdout
    assert "1 numbers checked: 1 new findings, 0 known" in found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "abc", "--table", "1"],
        ["show", "--format", "docx"],
        ["build", "--data", "mevis"],
        ["add", "x", "--server", "1"],
        ["add", "x", "--card", "title"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_an_unknown_table_names_the_known_ones() -> None:
    with pytest.raises(RvosbenchError, match=r"unknown table '5c'.*mevis-valid_u") as error:
        run("show", "--table", "5c")
    assert error.value.exit_code == 2


def test_the_group_is_mounted_and_torch_stays_out() -> None:
    code = (
        "import sys; sys.argv = ['rvosbench', 'leaderboard', 'show', '--table', '1']\n"
        "from rvosbench.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "**48.6**" in found.stdout
