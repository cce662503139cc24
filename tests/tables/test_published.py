"""Published numbers: the schema, and that nothing of the collected literature is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rvosbench.errors import ResultError
from rvosbench.tables.published import (
    FOLDER,
    PublishedRow,
    Scores,
    printed_scores,
    read_published,
    read_source,
    schema_faults,
)

from ..leaderboard.making import published_file, published_row

COLLECTED = Path(__file__).resolve().parents[3] / "shared" / "reference" / "published_results.json"


def test_all_files_are_in_the_schema() -> None:
    files = sorted(FOLDER.glob("*.json"))
    assert len(files) == 20
    for path in files:
        assert schema_faults(json.loads(path.read_text(encoding="utf-8")), path.stem) == []


def test_every_row_has_the_same_keys_and_numbers_are_numbers() -> None:
    rows = [row for p in FOLDER.glob("*.json") for row in json.loads(p.read_text())["rows"]]
    assert len({tuple(row) for row in rows}) == 1
    assert all(isinstance(row["jf"], float) for row in rows)


def test_files_hold_one_row_a_line() -> None:
    for path in FOLDER.glob("*.json"):
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        lines = [
            x for x in path.read_text(encoding="utf-8").splitlines() if x.startswith('{"method')
        ]
        assert [json.loads(line.rstrip(",")) for line in lines] == rows


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jf": "45.0"}, "jf is '45.0', wanted a number in percent"),
        ({"jf": None}, "jf is None"),
        ({"j": True}, "j is True"),
        ({"method": " "}, "method is ' '"),
        ({"protocol": ""}, "protocol is ''"),
        ({"trainable_parameters": 32.9}, "trainable_parameters is 32.9, wanted a count"),
        ({"preferred": 1}, "preferred is 1"),
        ({"flags": [{"rule": "mean"}]}, "flags is"),
        ({"configuration": {"a": "b"}}, "configuration is"),
        ({"F": 50.0}, "unknown key 'F'"),
    ],
)
def test_a_row_out_of_the_schema_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = published_file(tmp_path, "s", published_row(), published_row(**changes))
    with pytest.raises(ResultError, match="not in the schema") as error:
        read_source(path)
    assert message in str(error.value)
    assert "row 2" in str(error.value)


def test_a_missing_key_a_wrong_name_and_no_json_are_refused(tmp_path: Path) -> None:
    row = published_row()
    del row["split"]
    with pytest.raises(ResultError, match=r"row 1 \('X'\) lacks 'split'"):
        read_source(published_file(tmp_path, "s", row))
    published_file(tmp_path, "s", published_row()).rename(tmp_path / "t.json")
    with pytest.raises(ResultError, match="'s' is not the file's name 't'"):
        read_source(tmp_path / "t.json")
    (tmp_path / "t.json").write_text("{")
    with pytest.raises(ResultError, match="cannot be read"):
        read_published(tmp_path)


@pytest.mark.parametrize("content", [[], {"schema": 1}, {"schema": 2, "source": {}, "rows": []}])
def test_a_file_of_another_shape_is_refused(content: object) -> None:
    assert len(schema_faults(content, "s")) == 1


def test_unknown_protocols_are_not_guessed() -> None:
    entries = read_published()
    davis = [e for e in entries if e.setting.dataset == "ref-davis17"]
    assert {e.setting.protocol for e in davis} == {
        "unknown",
        "ref-davis17-annotators",
        "ref-davis17-expressions",
    }
    assert all(e.citation and e.citation.protocol_evidence for e in davis if _known(e))
    assert all(e.setting.protocol == "unknown" for e in davis if _source(e) == "sola")


SOURCES = {
    "S1": "sola",
    "S2": "survey",
    "S3": "revseg",
    "S4": "emc",
    "S5": "agentrvos",
    "S6": "samwise",
    "S7": "unipixel",
    "S8": "sa2va-i",
    "S9": "glus",
    "S10": "onlinerefer",
    "S11": "referformer",
    "S12": "mevis",
    "S13": "refer-agent",
    "S14": "virst",
    "S15": "streamingrvos",
    "S16": "videochat-tpo",
    "S17": "movisa",
    "S18": "cogr-vos",
    "S19": "videolisa",
    "S20": "sa2va-issue-3",
}


def test_every_collected_row_is_there_with_its_source() -> None:
    if not COLLECTED.is_file():
        pytest.skip("../shared/reference/published_results.json is not beside the checkout")
    entries = read_published()
    rows = json.loads(COLLECTED.read_text(encoding="utf-8"))["rows"]
    assert len(rows) == 217
    for row in rows:
        sources = [SOURCES[key] for key in row["source"].split("/")]
        where = (row["dataset"], row["split"])
        found = [e for e in entries if (e.setting.dataset, e.setting.split) == where]
        mine = [e for e in found if _source(e) in sources and e.scores.jf == row["JF"]]
        assert mine, row
        if row["method"] == "LISA-13B" and row["JF"] == 66.0:
            # Collected as J&F of one source beside J and F of another: each has its own row.
            lisa = [e.scores for e in found if _named(e, "LISA-13B")]
            assert {(s.jf, s.j, s.f) for s in lisa} == {(66.0, None, None), (66.9, 63.2, 68.8)}
            continue
        for figure in ("J", "F"):
            values = {getattr(e.scores, figure.lower()) for e in mine if _named(e, row["method"])}
            assert row[figure] in values, row


def _known(entry: PublishedRow) -> bool:
    return entry.setting.protocol != "unknown"


def _source(entry: PublishedRow) -> str:
    return entry.citation.source.id if entry.citation else ""


def _named(entry: PublishedRow, name: str) -> bool:
    if name.startswith("GDINO-only"):
        return entry.configuration == {"selection_module": False}
    return name.startswith(entry.about.method)


def test_the_scores_of_a_row_are_found_by_what_it_is_about() -> None:
    assert printed_scores("sola", "4", configuration={"selection_module": False}).jf == 36.9
    both = {"inter_object_attention": True, "motion_attention": True}
    assert printed_scores("sola", "5b", configuration=both) == Scores(48.6, 45.2, 52.1)
    assert printed_scores("sola", "A.1", corruption="motion_blur:5").f == 43.0
    assert printed_scores("sola", "1", "LMPM").jf == 37.2


def test_a_row_that_is_not_printed_or_not_alone_is_an_error() -> None:
    with pytest.raises(ResultError, match=r"sola, Table A.2b: 0 rows of SOLA .*n_layers.*: 9"):
        printed_scores("sola", "A.2b", configuration={"n_layers": 9})
    with pytest.raises(ResultError, match=r"Table A\.2b: 3 rows"):
        printed_scores("sola", "A.2b")
