"""Results that come in, and signatures that lead back to them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from leaderboard.numbers.collection import details, resolve
from leaderboard.numbers.results import read_runs
from leaderboard.numbers.reviewed import add
from rvosbench.contracts import Summary
from rvosbench.errors import ResultError, UsageError
from rvosbench.records import MethodCard
from rvosbench.runs.result import Result, read_result
from rvosbench.tables.latex import escape

from .making import replaced, result, rows, saved, sola


def run(folder: Path, one: Result) -> Path:
    return saved(folder, one) / "run-0"


def test_a_run_becomes_one_small_file_with_the_same_signature(tmp_path: Path) -> None:
    one = sola(0.5)
    path = add(run(tmp_path, one), tmp_path / "in")
    assert path.parent == tmp_path / "in" / "mevis"
    assert path.name == f"sola-{one.signature[-12:]}.result.json"
    stored = read_result(path)
    assert (stored.signature, stored.card, stored.summary) == (one.signature, one.card, one.summary)
    assert all(s.score.frame_j == () for s in stored.expressions)
    assert [s.score.j for s in stored.expressions] == [s.score.j for s in one.expressions]
    lines = [line for line in path.read_text().splitlines() if line.startswith('{"video"')]
    assert len(lines) == len(one.expressions)


def test_adding_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = run(tmp_path, sola(0.5))
    first = add(folder, tmp_path / "in").read_bytes()
    assert add(folder, tmp_path / "in").read_bytes() == first
    assert len(list((tmp_path / "in").rglob("*.json"))) == 1


def test_a_stored_result_is_read_back_and_can_be_added_again(tmp_path: Path) -> None:
    path = add(run(tmp_path, sola(0.5)), tmp_path / "in")
    (entry,) = read_runs([tmp_path / "in"])[0]
    assert entry.about.method == "SOLA"
    assert add(path, tmp_path / "more").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (result(card=MethodCard("predictions")), "no title: give it with --card title"),
        (result(card=MethodCard("Mine")), "no training_data"),
        (result({}), "no scores: give the server's"),
        (result(videos=["a"]), "of 1 videos only"),
        (replaced(result(), summary=Summary(0.5, 0.6, 0.5)), "is not the mean"),
        (replaced(result(), summary=Summary(1.5, 1.5, 1.5)), r"wanted a number in \[0, 1\]"),
        (replaced(result(), summary=Summary(float("nan"), 0.5, 0.5)), "J is nan"),
        (replaced(result(), summary=Summary(0.1, 0.1, 0.1)), "its expressions give"),
    ],
)
def test_an_unfit_run_is_refused_with_every_reason(
    tmp_path: Path, one: Result, message: str
) -> None:
    with pytest.raises(ResultError, match=message):
        add(run(tmp_path, one), tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_a_card_can_be_completed(tmp_path: Path) -> None:
    card = {"title": "Mine", "training_data": "MeViS", "trainable_parameters": "1_000"}
    path = add(run(tmp_path, result(card=MethodCard("predictions"))), tmp_path / "in", card)
    assert read_result(path).card == MethodCard("Mine", "", "", 1000, "MeViS")
    with pytest.raises(UsageError, match="a card has backbone, bibtex"):
        add(run(tmp_path, result()), tmp_path / "in", {"titel": "x"})
    with pytest.raises(UsageError, match="wanted a count"):
        add(run(tmp_path, result()), tmp_path / "in", {"trainable_parameters": "many"})


def test_the_servers_scores_are_recorded_in_the_signature(tmp_path: Path) -> None:
    hidden = sola(0.5)
    hidden = dataclasses.replace(hidden, summary=None, expressions=())
    stored = read_result(add(run(tmp_path, hidden), tmp_path / "in", server=(45.2, 52.1)))
    assert stored.summary is not None
    assert stored.summary.jf == pytest.approx(0.4865)
    assert stored.facts["scored_by"] == "server"
    assert stored.signature != hidden.signature
    with pytest.raises(UsageError, match="this run has scores"):
        add(run(tmp_path / "b", sola(0.5)), tmp_path / "in", server=(45.2, 52.1))


def test_a_folder_of_several_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds 2 results, wanted one"):
        add(saved(tmp_path, result(), sola(0.5)), tmp_path / "in")


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return saved(tmp_path, result(), sola(0.5), sola(0.5, corruption="motion_blur:5@fast_x"))


def test_a_signature_leads_back_to_its_run(known: Path) -> None:
    entries = read_runs([known])[0]
    for entry in entries:
        assert entry.run is not None
        whole = entry.run.result.signature
        for text in (whole, whole[-12:], whole[-8:], f" {whole[:9]}\n{whole[9:]} ", escape(whole)):
            assert resolve(text, entries).path == entry.run.path


def test_unknown_ambiguous_and_senseless_signatures_are_errors(known: Path) -> None:
    entries = read_runs([known])[0]
    with pytest.raises(ResultError, match="none of the 3 known results"):
        resolve("0123456789ab", entries)
    signature = sola(0.5).signature
    with pytest.raises(ResultError, match="none of the 3"):
        resolve(signature.replace("mevis/valid", "mevis/valid_u"), entries)
    with pytest.raises(UsageError, match="is not a signature"):
        resolve("SOLA", entries)


def test_details_hold_every_choice(known: Path) -> None:
    entries = read_runs([known])[0]
    found = details(resolve(sola(0.5).signature, entries))
    assert found["facts"] == dict(sola(0.5).facts)
    assert found["card"]["title"] == "SOLA"
    assert 0 < found["jf"] < 1
    assert json.loads(json.dumps(found))["signature"] == sola(0.5).signature


def test_a_file_with_unknown_keys_of_a_later_version_is_read(tmp_path: Path) -> None:
    path = add(run(tmp_path, sola(0.5)), tmp_path / "in")
    content = json.loads(path.read_text())
    content["later"] = {"x": 1}
    content["summary"]["later"] = 2
    content["expressions"][0]["later"] = 3
    path.write_text(json.dumps(content))
    assert read_result(path).signature == sola(0.5).signature


def test_rows_of_different_scores_do_not_hide_each_other(tmp_path: Path) -> None:
    first = add(run(tmp_path / "a", sola(0.5)), tmp_path / "in")
    second = add(run(tmp_path / "b", result(rows(0.4))), tmp_path / "in")
    assert first != second
    assert len(read_runs([tmp_path / "in"])[0]) == 2
