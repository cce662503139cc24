from __future__ import annotations

import json
from pathlib import Path

import pytest

from rvosbench.contracts import ExpressionScore, Summary
from rvosbench.errors import ResultError
from rvosbench.records import Expression, MethodCard
from rvosbench.runs.result import Result, ScoredExpression, read_result, report, write_result

FACTS = {
    "method": "m",
    "preset": "demo",
    "dataset": "toy",
    "split": "valid",
    "protocol": "mevis",
    "protocol_version": "1",
    "corruption": None,
}
SCORE = ExpressionScore("v/1", "0", 0.1 + 0.2, 2 / 3, (0.1,), (1 / 3,), (4,))
RESULT = Result(
    FACTS,
    MethodCard("M"),
    Summary(0.3, 2 / 3, 0.5, {"x": 1.0}),
    (ScoredExpression(Expression("0", "a <b>", "1", ("t",)), SCORE),),
    True,
)


def test_a_result_survives_the_file_bit_for_bit(tmp_path: Path) -> None:
    write_result(tmp_path / "r.json", RESULT)
    assert read_result(tmp_path / "r.json") == RESULT
    write_result(tmp_path / "again.json", read_result(tmp_path / "r.json"))
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "r.json").read_bytes()


def test_unknown_keys_of_a_newer_writer_are_ignored(tmp_path: Path) -> None:
    write_result(tmp_path / "r.json", RESULT)
    content = json.loads((tmp_path / "r.json").read_text())
    content["new"] = content["card"]["new"] = content["summary"]["new"] = 1
    (tmp_path / "r.json").write_text(json.dumps(content))
    assert read_result(tmp_path / "r.json") == RESULT


@pytest.mark.parametrize("key", sorted(FACTS))
def test_every_fact_is_in_the_signature(key: str) -> None:
    other = Result({**FACTS, key: "other"}, RESULT.card, None)
    assert other.signature != RESULT.signature


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["facts"].update(split="train"), "changed after the run"),
        (lambda c: c.update(format=99), "format 99"),
        (lambda c: c.pop("card"), "not a complete result"),
        (lambda c: c.update(card="text"), "not a complete result"),
        (lambda c: c.update(facts=None), "not a complete result"),
        (lambda c: c["facts"].pop("dataset"), "not a complete result|changed after the run"),
        (lambda c: c.update(format=[1]), "format \\[1\\]"),
        (lambda c: c.clear(), "format None"),
    ],
)
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, change: object, message: str) -> None:
    assert callable(change)
    write_result(tmp_path / "r.json", RESULT)
    content = json.loads((tmp_path / "r.json").read_text())
    change(content)
    (tmp_path / "r.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match=message):
        read_result(tmp_path / "r.json")


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{")
    with pytest.raises(ResultError, match="cannot be read"):
        read_result(tmp_path / "r.json")


def test_the_report_for_machines_has_the_pinned_keys() -> None:
    pinned = [
        "signature",
        "method",
        "dataset",
        "split",
        "protocol",
        "corruption",
        "j",
        "f",
        "jf",
        "expressions",
        "result",
    ]
    shown = report(RESULT, Path("r.json"))
    assert list(shown) == [*pinned, "metrics", "missing", "parts"]
    row = {"video": "v/1", "expression": "0", "j": 0.1 + 0.2, "f": 2 / 3, "metrics": {}}
    assert shown["expressions"] == [row]
    assert report(Result(FACTS, RESULT.card, None), None)["jf"] is None
