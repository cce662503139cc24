"""The whole chain in small: tracks, trainings, evaluations, tables; and that it goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rvosbench.cli.app import _mount_plugins, app
from rvosbench.errors import NoGroundTruthError, RvosbenchError, UsageError
from rvosbench.records import Json
from rvosbench.tables.training import learned_from
from sola.network.weights import read_training
from sola.reproduce.page import page

from ...models.test_grounding_dino import save_network, save_tokenizer
from .reports import read_report

TRACKS = [
    *("--set", "prompts.points_per_side=3"),
    *("--set", "prompts.predicted_iou=0.2"),
    *("--set", "prompts.stability=0.2"),
    *("--set", "prompts.max_grid_tracks=3"),
    *("--set", "prompts.frame_interval=100"),
]
SMALL = ["--expressions", "40", "--epochs", "2", "--seeds", "2", "--device", "cpu", *TRACKS]


@pytest.fixture(scope="module", autouse=True)
def _mounted() -> None:
    _mount_plugins()


def call(*arguments: str) -> tuple[str, str]:
    """Standard output and error; errors of ours are raised as they are."""
    result = CliRunner().invoke(app, ["sola", "reproduce", *arguments])
    if isinstance(result.exception, RvosbenchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def trained(out: Path) -> dict[str, Json]:
    return {
        path.name.rpartition("-")[0]: read_training(path)
        for path in sorted((out / "trainings").iterdir())
        if path.name != "done"
    }


@pytest.mark.slow
def test_a_table_of_the_demo_is_made_once(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = ["--table", "5a", "--train-videos", "3", "--limit", "2", "--out", str(out), *SMALL]
    shown, told = call(*command, "--page", str(tmp_path / "page.md"))
    assert "Table 5a" in shown
    assert "4/4 trainings" in told
    assert "(was there)" not in told
    report = read_report(tmp_path / "page.json")
    assert (tmp_path / "page.md").read_text("utf-8") == page(report, "page.json")
    assert (out / "report.json").read_bytes() == (tmp_path / "page.json").read_bytes()
    assert {t: len(m.jf) for t, m in report.measured["test"].items()} == {
        "sola": 2,
        "no-alignment": 2,
    }
    identities = {name: content["identity"] for name, content in trained(out).items()}
    assert sorted(identities) == ["full-0", "full-1", "no-alignment-0", "no-alignment-1"]
    assert identities["no-alignment-1"]["training"]["loss"]["alignment_weight"] == 0
    assert identities["full-1"]["training"]["seed"] == 1
    assert learned_from(identities["full-0"]) == ("demo",)

    (out / "evaluations" / "done" / "test%2Fsola%2F1.json").unlink()
    again, told = call(*command, "--workers", "2")
    assert again == shown
    assert told.count("(was there)") == 4 + 7
    made = [line for line in told.splitlines() if "evaluations:" in line and "was" not in line]
    assert [line.split(": ")[1] for line in made] == ["test/sola/1"]
    assert (out / "report.json").read_bytes() == (tmp_path / "page.json").read_bytes()

    told = call(*command, "--set", "threshold=0.6")[1]
    assert told.count("(was there)") == 4  # trainings; all evaluations are made again


@pytest.mark.slow
def test_real_data_run_the_same_way(shared_data: Path, tmp_path: Path) -> None:
    """All ablations on MeViS frames, with box tracks of a random GroundingDINO."""
    grounder = tmp_path / "grounder"
    grounder.mkdir()
    save_tokenizer(grounder)
    save_network(grounder)
    models = {
        "tracker": "demo",
        "text_encoder": "demo",
        "grounder": str(grounder),
        "prompts.box_threshold": "0.0",
        "prompts.box_stability": "0.0",
        "prompts.max_box_tracks": "2",
        "prompts.box_interval": "12",
        "train.selector.object_token_dim": "128",
        "train.selector.lang_token_dim": "128",
        "train.batch_size": "4",
    }
    changes = [word for k, v in models.items() for word in ("--set", f"{k}={v}")]
    data = ["--dataset", "mevis", "--data", str(shared_data / "mevis-mini")]
    some = ["--train-split", "valid_u", "--split", "valid_u", "--limit", "1"]
    tables = ["--table", "A.2a", "--table", "4"]
    out = tmp_path / "run"
    shown = call(
        *data, *some, *tables, *SMALL, "--seeds", "1", "--out", str(out), *changes, "--json"
    )
    report = json.loads(shown[0])
    assert set(report["missing"]) == {"shipped", "truth-grounder"}
    assert set(report["measured"]["valid_u"]) == {
        *("sola", "no-background", "no-background-at-inference", "grounder", "oracle", "empty"),
    }
    assert {p.name for p in (out / "tracks").iterdir()} == {"valid_u", "valid_u-training"}
    content = trained(out)["no-background-0"]["identity"]
    assert content["training"]["background_training"] is False
    assert learned_from(content) == ("mevis",)
    assert content["selector"]["object_token_dim"] == 128
    result = next((out / "evaluations").glob("valid_u-no-background-at-inference-0-*"))
    facts = json.loads((result / "result.json").read_text("utf-8"))["facts"]
    assert facts["config"]["background_inference"] is False
    assert facts["preset"] == "released"


def test_a_split_without_ground_truth_is_refused(shared_data: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "mevis" / "valid"
    source = shared_data / "mevis-mini" / "valid_u"
    hidden.mkdir(parents=True)
    for name in ("JPEGImages", "meta_expressions.json"):
        (hidden / name).symlink_to(source / name)
    data = ["--dataset", "mevis", "--data", str(tmp_path / "mevis"), "--split", "valid"]
    with pytest.raises(NoGroundTruthError, match="--split valid_u"):
        call("--table", "4", *data, "--out", str(tmp_path / "run"))


def test_tables_are_asked_for_by_name_or_all_together(tmp_path: Path) -> None:
    for words in ([], ["--all", "--table", "4"]):
        with pytest.raises(UsageError, match="--all"):
            call(*words, "--out", str(tmp_path))


def test_a_plan_makes_nothing(tmp_path: Path) -> None:
    shown, _ = call("--all", "--plan", "--json", "--out", str(tmp_path / "run"))
    assert len(json.loads(shown)["trainings"]) == 7
    assert "trainings (" in call("--table", "5b", "--plan", "--out", str(tmp_path / "run"))[0]
    assert not (tmp_path / "run").exists()


def test_the_number_of_expressions_may_be_given_under_its_old_name() -> None:
    new, old = (call("--all", "--plan", name, "77")[0] for name in ("--expressions", "--sentences"))
    assert "77 expressions" in new
    assert old == new
