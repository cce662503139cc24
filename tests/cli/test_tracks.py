"""`rvosbench tracks` as a person and a script meet it, in one process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rvosbench.cli.app import app
from rvosbench.errors import RvosbenchError, UsageError
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import TrackCacheError, read_header

SMALL = [
    *("--set", "prompts.points_per_side=3"),
    *("--set", "prompts.predicted_iou=0.2"),
    *("--set", "prompts.stability=0.2"),
    *("--set", "prompts.max_grid_tracks=3"),
    *("--set", "prompts.frame_interval=100"),
]


def call(*arguments: str) -> str:
    """Standard output; errors of ours are raised as they are."""
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RvosbenchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    build = ["tracks", "build", "--out", str(folder), "--limit", "2", "--json", *SMALL]
    made = json.loads(call(*build, "--text-encoder", "demo"))
    assert (made["made"], made["reused"]) == (2, 0)
    assert Path(made["texts"]).is_file()
    assert json.loads(call(*build))["reused"] == 2
    return folder


def test_a_method_reads_its_tracks_from_a_cache(cache: Path, tmp_path: Path) -> None:
    run = ["eval", "--method", "everything", "--limit", "2", "--json", *SMALL]
    plain = json.loads(call(*run, "--out", str(tmp_path / "plain")))
    cached = json.loads(call(*run, "--out", str(tmp_path / "cached"), "--tracks", str(cache)))
    assert cached["expressions"] == plain["expressions"]
    config = [
        json.loads((tmp_path / name / "result.json").read_text())["facts"]
        for name in ("plain", "cached")
    ]
    assert config[0]["config"] == config[1]["config"]  # paths are not part of a signature
    assert "tracks" in config[1]["provenance"]


def test_other_settings_than_those_of_the_cache_are_refused(cache: Path, tmp_path: Path) -> None:
    run = ["eval", "--method", "everything", "--limit", "1", "--out", str(tmp_path / "run")]
    with pytest.raises(TrackCacheError, match="points_per_side is 3, wanted 12"):
        call(*run, "--tracks", str(cache))
    with pytest.raises(TrackCacheError, match="no track cache here"):
        call(*run, "--tracks", str(tmp_path))


def test_info_counts_and_shows_recall(cache: Path) -> None:
    facts = json.loads(call("tracks", "info", str(cache), "--json"))
    assert facts["counts"]["videos"] == 2
    assert facts["recipe"]["points_per_side"] == 3
    assert facts["recall"] == []
    with_truth = json.loads(call("tracks", "info", str(cache), "--dataset", "demo", "--json"))
    assert {row["source"] for row in with_truth["recall"]} >= {"grid", "all"}
    assert "best union" in call("tracks", "info", str(cache), "--dataset", "demo")


def test_verify_says_what_is_wrong(cache: Path) -> None:
    ids = ",".join(read_header(path).video for path in TrackCache(cache).files())
    verify = ["tracks", "verify", str(cache), "--dataset", "demo", "--json"]
    assert json.loads(call(*verify, "--videos", ids))["ok"] is True
    wrong = CliRunner().invoke(app, verify)
    assert wrong.exit_code == 1
    assert len(json.loads(wrong.stdout)["problems"]) == 22
    people = CliRunner().invoke(app, [*verify[:-1], "--videos", ids])
    assert (people.exit_code, people.stdout) == (0, "")
    assert "all is well" in people.stderr


def test_parts_share_the_work() -> None:
    from rvosbench.cli.tracks import _part
    from rvosbench.datasets.choice import DatasetChoice

    chosen = DatasetChoice("demo", limit=5).video_ids
    parts = [_part(chosen, f"{i}/2") for i in (1, 2)]
    assert sorted(parts[0] + parts[1]) == chosen == [f"valid-{i:04d}" for i in range(5)]
    assert [len(part) for part in parts] == [3, 2]


def test_every_part_has_all_expressions(tmp_path: Path) -> None:
    from rvosbench.demo.dataset import open_demo
    from rvosbench.tracks.text_tokens import read_text_tokens

    demo = open_demo(None, "valid")
    videos = demo.video_ids()[:2]
    build = ["tracks", "build", "--out", str(tmp_path), "--limit", "2", "--part", "2/2", "--json"]
    made = json.loads(call(*build, *SMALL, "--text-encoder", "demo"))
    assert made["made"] == 1
    expressions = {e.text for v in videos for e in demo.sample(v).expressions}
    assert read_text_tokens(Path(made["texts"])).keys() == expressions


def test_info_of_the_wrong_folder_or_dataset_is_refused(cache: Path) -> None:
    with pytest.raises(TrackCacheError, match="not a file of a track cache"):
        call("tracks", "info", str(cache / "texts"))
    with pytest.raises(TrackCacheError, match=r"none of its 2 videos.*is in demo/train"):
        call("tracks", "info", str(cache), "--dataset", "demo", "--split", "train")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--part", "3/2"], "wanted I/N"),
        (["--part", "x"], "wanted I/N"),
        (["--videos", "nothing"], "no video 'nothing'"),
        (["--preset", "dmeo"], "did you mean 'demo'"),
        (["--videos", ""], "an empty video id"),
        (["--corruption", "fog:1,fog:2"], "one corruption, or none"),
        (["--set", "promts.order=frame"], "did you mean 'prompts.order'"),
    ],
)
def test_mistakes_are_named(more: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        call("tracks", "build", "--out", str(tmp_path / "cache"), *more)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("--token-dtype", "int8", ("float32", "float16")),
        ("--corruption-mode", "exactly", ("fast", "exact")),
        ("--temporal", "video", ("per_frame", "per_video", "drift")),
    ],
)
def test_choices_are_listed_where_one_is_unknown(
    option: str, value: str, known: tuple[str, ...], tmp_path: Path
) -> None:
    build = ["tracks", "build", "--out", str(tmp_path / "cache"), option, value]
    result = CliRunner().invoke(app, build)
    assert result.exit_code == 2
    assert all(name in result.stderr for name in (option, value, *known))
    assert not (tmp_path / "cache").exists()


def test_videos_may_have_blanks_between_them(cache: Path) -> None:
    verify = ["tracks", "verify", str(cache), "--dataset", "demo", "--json"]
    assert json.loads(call(*verify, "--videos", "valid-0000, valid-0001"))["ok"] is True
