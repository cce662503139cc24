"""A run on disk: damaged files are told or made again, and two runs never mix."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rvosbench.errors import ResultError, UsageError
from rvosbench.execution.units import Unit
from rvosbench.files.claims import CLAIMS, claimed
from rvosbench.files.owner import this_process
from rvosbench.recipe import Recipe, digest
from rvosbench.report.cases import open_run
from rvosbench.runs.evaluate import RunOptions, evaluate, score
from rvosbench.runs.result import read_result
from rvosbench.runs.run_folder import RunFolder
from rvosbench.runs.submission import pack_run

from ..toys import LeftAlways, ToyDataset


@pytest.fixture
def run(tmp_path: Path) -> Path:
    evaluate(LeftAlways(), ToyDataset(), run=RunOptions(tmp_path / "run"))
    return tmp_path / "run"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def resume(run: Path) -> list[str]:
    method = LeftAlways()
    evaluate(method, ToyDataset(), run=RunOptions(run, resume=True))
    return method.asked


def test_cut_predictions_are_named_wherever_they_are_read(run: Path, tmp_path: Path) -> None:
    cut(run / "videos" / "a" / "predictions.json")
    with pytest.raises(ResultError, match=r"a/predictions\.json: cannot be read.*--resume"):
        score(run, ToyDataset())
    with pytest.raises(ResultError, match=r"a/predictions\.json: cannot be read"):
        pack_run(run, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()
    assert resume(run) == ["a"]
    assert score(run, ToyDataset()).summary is not None


@pytest.mark.parametrize("missing", ["frames", "size", "expressions", "video"])
def test_predictions_without_a_key_are_named(run: Path, missing: str) -> None:
    file = run / "videos" / "a" / "predictions.json"
    content = json.loads(file.read_text())
    del content[missing]
    file.write_text(json.dumps(content))
    with pytest.raises(ResultError, match=f"is not complete.*'{missing}' is missing"):
        score(run, ToyDataset())
    assert resume(run) == ["a"]


def test_predictions_with_too_few_masks_are_named(run: Path) -> None:
    file = run / "videos" / "a" / "predictions.json"
    content = json.loads(file.read_text())
    content["expressions"]["1"]["masks"].pop()
    file.write_text(json.dumps(content))
    with pytest.raises(ResultError, match="expression '1' has 3 masks"):
        score(run, ToyDataset())


@pytest.mark.parametrize("name", ["scores.json", "predictions.json"])
def test_a_finished_video_whose_file_is_damaged_is_made_again(run: Path, name: str) -> None:
    file, whole = run / "videos" / "b%2Fc" / name, (run / "result.json").read_bytes()
    before = file.read_bytes()
    cut(file)
    assert resume(run) == ["b/c"]
    assert file.read_bytes() == before
    file.write_bytes(before.replace(b"0.5", b"0.6"))  # as long, and still readable
    assert resume(run) == ["b/c"]
    file.unlink()
    assert resume(run) == ["b/c"]
    assert resume(run) == []
    assert (run / "result.json").read_bytes() == whole


def test_files_of_a_run_with_stamps_of_the_first_kind_are_read_to_be_checked(run: Path) -> None:
    for stamp in (run / "videos" / ".stamps").iterdir():
        content = json.loads(stamp.read_text())
        stamp.write_text(json.dumps({k: content[k] for k in ("key", "digest")}))
    assert resume(run) == []
    cut(run / "videos" / "d" / "scores.json")
    assert resume(run) == ["d"]


def test_a_cut_mark_is_told_and_repaired_where_the_result_says_which_run_it_is(run: Path) -> None:
    cut(run / "run.json")
    assert resume(run) == []
    assert json.loads((run / "run.json").read_text())["recipe"]["dataset"] == "toy"
    cut(run / "run.json")
    with pytest.raises(UsageError, match=r"holds another run: .*videos is none, wanted \['a'\]"):
        evaluate(LeftAlways(), ToyDataset(), videos=["a"], run=RunOptions(run))
    (run / "result.json").unlink()
    for again in (True, False):
        with pytest.raises(ResultError, match=r"run\.json: cannot be read.*another --out"):
            evaluate(LeftAlways(), ToyDataset(), run=RunOptions(run, again))
    assert len(list((run / "videos").iterdir())) == 4  # nothing was deleted


def test_a_run_without_result_says_what_to_do(run: Path, tmp_path: Path) -> None:
    (run / "result.json").unlink()
    reads: list[Callable[[Path], object]] = [open_run, lambda r: pack_run(r, tmp_path / "z.zip")]
    for read in reads:
        with pytest.raises(ResultError, match=r"no finished run here .*begun.*--resume"):
            read(run)
    with pytest.raises(ResultError, match=r"no finished run here \(result\.json is missing\)"):
        open_run(tmp_path / "nothing")
    assert resume(run) == []
    assert read_result(run / "result.json").summary is not None


def test_another_run_is_refused_and_told_by_name(run: Path) -> None:
    with pytest.raises(UsageError, match=r"holds another run: fingerprint is toy-1, wanted toy-2"):
        evaluate(LeftAlways(), ToyDataset(fingerprint="toy-2"), run=RunOptions(run))


def test_a_mark_of_the_first_kind_is_recognised(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())["recipe"]
    older = {k: v for k, v in facts.items() if k not in ("code", "object", "configuration")}
    (run / "run.json").write_text(json.dumps({"run": digest(older)}))
    assert resume(run) == []
    (run / "run.json").write_text(json.dumps({"run": digest({**older, "split": "train"})}))
    with pytest.raises(UsageError, match="holds another run: its data, configuration or protocol"):
        resume(run)


def test_a_run_that_starts_again_has_no_result_until_it_is_done(run: Path) -> None:
    def interrupted(unit: Unit, reused: bool) -> None:
        assert not (run / "result.json").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(LeftAlways(), ToyDataset(), run=RunOptions(run, on_done=interrupted))
    assert not (run / "result.json").exists()


def test_a_resumed_run_with_work_to_do_has_no_stale_result(run: Path) -> None:
    (run / "videos" / "d" / "scores.json").unlink()

    def interrupted(unit: Unit, reused: bool) -> None:
        if not reused:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(LeftAlways(), ToyDataset(), run=RunOptions(run, True, on_done=interrupted))
    assert not (run / "result.json").exists()


def test_a_second_process_on_the_folder_is_told_who_works_there(run: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        owner = replace(this_process(), process=other.pid, started="")
        mine = run / CLAIMS / f"{owner.label}.json"
        mine.parent.mkdir()
        mine.write_text(json.dumps({**vars(owner), "since": "2026-11-26T12:00", "share": ""}))
        with pytest.raises(UsageError, match=f"process {other.pid} of .* works here since 2026"):
            resume(run)
        other.kill()
    assert resume(run) == []  # its claim is taken over
    assert not (run / CLAIMS).exists()


def test_the_claim_lasts_as_long_as_the_work(run: Path) -> None:
    recipe = Recipe(json.loads((run / "run.json").read_text())["recipe"])
    with RunFolder(run).claimed(recipe, resume=True):
        assert [p.name for p in (run / CLAIMS).iterdir()] == [f"{this_process().label}.json"]
        with claimed(run):
            pass  # the same process
        assert (run / CLAIMS).exists()
    assert not (run / CLAIMS).exists()


def test_a_run_lists_its_videos_by_id(run: Path) -> None:
    folder = RunFolder(run)
    in_the_making = folder.videos / ".part-00-h-1-2@e"
    in_the_making.mkdir()
    (in_the_making / "predictions.json").write_text("{}")
    assert folder.video_ids() == ["a", "b/c", "d"]
    assert RunFolder(run / "nothing").video_ids() == []
    kept = folder.video("b/c").predictions()
    assert (kept.video, kept.frames[0], len(kept.by_expression)) == ("b/c", "00000", 4)
    assert kept.by_expression["0"].score == 0.5
