"""`rvosbench sola`: the whole cycle on the demo, and mistakes."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rvosbench.cli.app import _mount_plugins, app
from rvosbench.errors import ConfigurationError, RvosbenchError, UnknownNameError, UsageError
from rvosbench.tracks.cache_file import TrackCacheError
from sola.cli.app import app as sola_app
from sola.cli.app import parse_thresholds
from sola.cli.session import Caches
from sola.training.observers import Board

SMALL = [
    *("--set", "prompts.points_per_side=3"),
    *("--set", "prompts.predicted_iou=0.2"),
    *("--set", "prompts.stability=0.2"),
    *("--set", "prompts.max_grid_tracks=3"),
    *("--set", "prompts.frame_interval=100"),
]


def call(*arguments: str) -> str:
    """Standard output of `rvosbench ...`; errors of ours are raised as they are."""
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RvosbenchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module", autouse=True)
def mounted() -> None:
    if "sola" not in {group.name for group in app.registered_groups}:
        _mount_plugins()


@pytest.mark.slow
def test_from_tracks_to_a_score(tmp_path: Path) -> None:
    cache, selector, run = (str(tmp_path / name) for name in ("cache", "selector", "run"))
    build = ["tracks", "build", "--out", cache, "--limit", "3", "--truth", *SMALL]
    call(*build, "--text-encoder", "demo", "--json")
    train = ["sola", "train", "--tracks", cache, "--split", "valid", "--out", selector]
    small = ["--set", "batch_size=9", "--epochs", "1", "--tensorboard", "--half"]
    made = json.loads(call(*train, *small, "--json"))
    assert made["selector"] == selector
    assert 0 <= made["best"]["jf"] <= 1
    assert list((tmp_path / "selector" / "tensorboard").iterdir())
    evaluate = ["eval", "--method", "sola", "--set", f"selector={selector}", "--limit", "3"]
    result = json.loads(call(*evaluate, *SMALL, "--tracks", cache, "--out", run, "--json"))
    facts = json.loads((tmp_path / "run" / "result.json").read_text())["facts"]
    trained = facts["provenance"]["training"]
    assert trained["training"]["loss"]["alignment_weight"] == 0.1
    assert trained["data"]["train"][0]["dataset"] == "demo"
    swept = json.loads(call("sola", "sweep", run, "--tracks", cache, "--json"))
    (own,) = [row for row in swept["rows"] if row["own"]]
    assert (own["j"], own["f"]) == (result["j"], result["f"])
    assert json.loads(call("sola", "sweep", run, "--json"))["rows"] == swept["rows"]
    assert "(the run)" in call("sola", "sweep", run, "--tracks", cache, "--thresholds", "0.2")


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        (["--set", "epoch=3"], ConfigurationError, "did you mean 'epochs'"),
        (["--set", "selector.n_layer=3"], ConfigurationError, "did you mean 'n_layers'"),
        (["--set", "schedule=linear"], ConfigurationError, "wanted plateau or cosine"),
        (["--preset", "dmeo"], UnknownNameError, "did you mean 'demo'"),
        (["--dataset", "demo", "--dataset", "demo"], UsageError, "2 datasets for 1 --tracks"),
        (["--minutes", "2", "--epochs", "3"], UsageError, "give it or --epochs, not both"),
        (["--minutes", "2", "--set", "epochs=3"], UsageError, "give it or --epochs, not both"),
        (["--seed", "1", "--set", "seed=2"], UsageError, "--seed and --set seed= say the same"),
        (["--epochs", "1", "--set", "epochs=2"], UsageError, "--epochs and --set epochs= say"),
        (["--set", "selector.n_groups=0"], ConfigurationError, "wanted at least 1"),
        (["--set", "selector.max_temporal_length=0"], ConfigurationError, "wanted at least 1"),
        (["--set", "learning_rate=-1"], ConfigurationError, "wanted more than 0"),
        (["--set", "learning_rate=nan"], ConfigurationError, "wanted more than 0"),
        (["--set", "clip_norm=0"], ConfigurationError, "wanted more than 0"),
        (["--split", "trian"], UnknownNameError, "did you mean 'train'"),
        ([], TrackCacheError, "no track cache here"),
    ],
)
def test_mistakes_are_named(
    more: list[str], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=message):
        call("sola", "train", "--tracks", str(tmp_path), *more)
    assert not list(tmp_path.iterdir())


def test_whose_validation_cache_it_is_must_be_clear(tmp_path: Path) -> None:
    train = Caches("--tracks", [tmp_path] * 2, ["demo", "ref-davis17"])
    valid = Caches("--valid-tracks", [tmp_path])
    with pytest.raises(UsageError, match=r"demo and ref-davis17: say whose .* --valid-dataset"):
        valid.of(train)
    asked = Caches("--valid-tracks", [tmp_path], ["demo"])
    (named,) = asked.of(replace(train, roots=[tmp_path])).opened()
    (only,) = valid.of(Caches("--tracks", [tmp_path] * 2, ["demo"])).opened()
    assert named.dataset.fingerprint == only.dataset.fingerprint
    assert (only.dataset.name, only.dataset.split) == ("demo", "valid")


def test_one_value_is_for_all_caches_or_each_has_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    shared = Caches("--tracks", folders, ["demo"], ["valid"]).opened()
    own = Caches("--tracks", folders, ["demo"], ["valid", "test"]).opened()
    assert [s.cache for s in shared] == [s.cache for s in own] == folders
    assert [s.dataset.split for s in shared] == ["valid", "valid"]
    assert [s.dataset.split for s in own] == ["valid", "test"]
    with pytest.raises(UsageError, match="3 splits for 2 --tracks: give one for all"):
        Caches("--tracks", folders, ["demo"], ["valid"] * 3).opened()
    train = Caches("--tracks", folders, ["demo", "ref-davis17"])
    assert Caches("--valid-tracks", None).of(train).opened() == []


def test_validation_takes_the_folders_of_the_trainings_datasets(tmp_path: Path) -> None:
    roots = [tmp_path / "mevis", tmp_path / "davis"]
    names = ["mevis", "demo", "ref-davis17"]  # the demo needs no folder
    train = Caches("--tracks", [tmp_path] * 3, names, ["train"], roots)
    valid = Caches("--valid-tracks", [tmp_path], ["ref-davis17"])
    assert valid.of(train).roots == [roots[1]]
    assert Caches("--valid-tracks", [tmp_path] * 3).of(train).roots == roots
    assert replace(valid, roots=[tmp_path]).of(train).roots == [tmp_path]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["sola", "train", "--tracks", "x"], ["--minutes", "0"]),
        (["sola", "analyze", "probe"], ["--decay", "-1"]),
    ],
)
def test_numbers_out_of_range_are_refused_first(command: list[str], option: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, *option])
    assert (result.exit_code, type(result.exception)) == (2, SystemExit)


@pytest.mark.parametrize("text", ["a", "0.5,1.5"])
def test_thresholds_are_numbers(text: str) -> None:
    with pytest.raises(UsageError, match="wanted numbers"):
        parse_thresholds(text)


def test_a_missing_tensorboard_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r"pip install 'rvosbench\[tensorboard\]'"):
        Board(tmp_path)


def test_help_needs_no_torch() -> None:
    assert "train" in CliRunner().invoke(sola_app, ["--help"]).output
    import subprocess

    code = "import sys, sola.cli.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
