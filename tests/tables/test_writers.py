"""Tables in every format: what stands where, and that text from files stays text."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import pytest

from rvosbench.tables import SUFFIXES, WRITERS
from rvosbench.tables.latex import row_text
from rvosbench.tables.markdown import to_markdown
from rvosbench.tables.table import (
    Cell,
    Column,
    Interval,
    Row,
    Table,
    percent,
    ranked,
    text_columns,
    text_row,
)

TABLE = Table(
    "5b",
    "Two methods & one bound",
    (Column("Method"), Column("J&F", "MeViS", numeric=True), Column("J", "MeViS", numeric=True)),
    ranked(
        (
            Row((Cell("A_b"), Cell("48.6", 48.6, group="jf"), Cell("45.2", 45.2, group="j")), "x"),
            Row(
                (
                    Cell("B"),
                    Cell("47.0", 47.0, interval=Interval(46.71, 47.29), tied=True, group="jf"),
                    Cell("45.2", 45.2, group="j"),
                ),
                "x",
                "a",
                ("signature|1",),
            ),
            Row((Cell("Oracle", reference=True), Cell("90.0", 90.0), Cell("-")), "y"),
        ),
        second=True,
    ),
    "In percent.",
    ("a: a run ± chance",),
    ("left out: one",),
    numbered=True,
)


def test_places_are_given_within_a_group_and_equal_texts_share_one() -> None:
    assert [[cell.place for cell in row.cells] for row in TABLE.rows] == [
        [0, 1, 1],
        [0, 2, 1],
        [0, 0, 0],
    ]
    low = (Row((Cell("3.0 M", 3.0, group="n", best="low"),)), text_row(["-"]))
    assert ranked(low, second=True)[0].cells[0].place == 0  # alone in its group


def test_markdown_stands_as_people_read_it() -> None:
    assert to_markdown(TABLE) == (
        "**Table 5b. Two methods & one bound**\n\n"
        "| Method | J&F | J |\n"
        "| --- | ---: | ---: |\n"
        "| A_b | **48.6** | **45.2** |\n"
        r"| B (run a) | ≈ <u>47.0</u> \[46.7, 47.3\] | **45.2** |"
        "\n| *Oracle* | 90.0 | - |\n\nIn percent.\n\na: a run ± chance\n"
    )


def test_latex_has_rules_between_groups_and_every_mark() -> None:
    text = WRITERS["latex"](TABLE)
    assert r"A\_b & \textbf{48.6} & \textbf{45.2} \\" in text
    assert (
        r"B (run a) & $\approx$\,\underline{47.0} {\tiny {[}46.7, 47.3]} & \textbf{45.2} \\" in text
    )
    assert "\\midrule\n\\textit{Oracle} & 90.0 & - " in text
    assert r"\caption{\textbf{Two methods \& one bound.} In percent.}" in text
    assert r"a run $\pm$ chance\par" in text
    assert r"\label{tab:5b}" in text
    assert row_text(TABLE.rows[1]) == r"B & \underline{47.0} & \textbf{45.2} \\"


@pytest.mark.parametrize(("numbers", "wide"), [(6, False), (7, True)])
def test_a_very_wide_table_is_made_to_fit_the_line(numbers: int, wide: bool) -> None:
    columns = text_columns(["a"], [str(i) for i in range(numbers)])
    text = WRITERS["latex"](Table("t", "T", columns, (text_row(["x"] * (numbers + 1)),)))
    assert ("resizebox" in text) == wide


def test_html_marks_rows_where_a_group_begins() -> None:
    text = WRITERS["html"](TABLE)
    assert text.count("<tr>") == 4  # two of the head
    assert '<tr class="rule"><th scope="row"><em>Oracle</em></th>' in text
    assert "≈ <u>47.0</u> <small>[46.7, 47.3]</small>" in text
    assert "<strong>Table 5b. Two methods &amp; one bound.</strong> In percent." in text


def test_csv_names_sources_only_if_there_are_any() -> None:
    rows = list(csv.reader(io.StringIO(WRITERS["csv"](TABLE))))
    assert rows[0] == ["Method", "J&F", "J", "source"]
    assert [row[-1] for row in rows[1:]] == ["", "signature|1", ""]
    plain = Table("t", "", text_columns(["a"], ["b"]), (text_row(["x", "-1.5"]),))
    assert WRITERS["csv"](plain) == "a,b\nx,-1.5\n"


@pytest.mark.parametrize("text", ["=1+1", "@x", "+cmd|x", "-2+3"])
def test_csv_runs_no_formula(text: str) -> None:
    table = Table("t", "", text_columns(["a"]), (text_row([text]),))
    assert WRITERS["csv"](table).splitlines()[1] == f"'{text}"


@pytest.mark.parametrize("one", [TABLE, TABLE.rows[0], TABLE.columns[0], Cell("a"), Interval(0, 1)])
def test_a_finished_table_cannot_be_changed(one: object) -> None:
    (name, value), *_ = vars(one).items()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, name, value)


def test_json_holds_everything() -> None:
    assert "a run ± chance" in WRITERS["json"](TABLE)  # read by people too
    content = json.loads(WRITERS["json"](TABLE))
    assert content["left_out"] == ["left out: one"]
    assert content["rows"][1]["cells"][1] == {
        "text": "47.0",
        "value": 47.0,
        "place": 2,
        "interval": {"low": 46.71, "high": 47.29},
        "tied_with_best": True,
    }
    assert content["rows"][1]["sources"] == ["signature|1"]


def test_a_table_without_a_title_has_no_heading() -> None:
    bare = dataclasses.replace(TABLE, title="", numbered=False)
    assert to_markdown(bare).startswith("| Method |")
    assert "<strong>Table" not in WRITERS["html"](bare)
    assert r"\caption{In percent.}" in WRITERS["latex"](bare)


def test_blocks_stand_over_columns_and_before_headings_where_there_are_several() -> None:
    columns = (*TABLE.columns, Column("J", "DAVIS", numeric=True))
    wide = Table("t", "T", columns, (text_row(["a", "1", "2", "3"]),))
    assert wide.headings == ["Method", "MeViS J&F", "MeViS J", "DAVIS J"]
    assert wide.blocks == [("", 1), ("MeViS", 2), ("DAVIS", 1)]
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-4}" in WRITERS["latex"](wide)
    assert '<th scope="colgroup" colspan="2">MeViS</th>' in WRITERS["html"](wide)


def test_every_writer_keeps_hostile_text_as_text_in_one_line() -> None:
    nasty = "<script>x</script>|*b*\n[l](u)"
    for form, write in WRITERS.items():
        text = write(Table("t", nasty, text_columns([nasty]), (text_row([nasty]),)))
        assert text.endswith("\n")
        assert text == write(Table("t", nasty, text_columns([nasty]), (text_row([nasty]),)))
        if form in ("html", "markdown"):
            assert not re.search(r"(?<!\\)<script", text)
    assert set(SUFFIXES) == set(WRITERS)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a_b", "a_b"), ("_a_", r"\_a\_"), ("a _b", r"a \_b"), ("*_x", r"\*\_x"), ("_", r"\_")],
)
def test_underscores_within_words_are_no_emphasis(text: str, escaped: str) -> None:
    table = Table("t", "", text_columns(["h"]), (text_row([text]),))
    assert to_markdown(table).splitlines()[2] == f"| {escaped} |"


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(0.48649, False, "48.6"), (1, False, "100.0"), (0.02, True, "+2.0"), (-0.1, True, "-10.0")],
)
def test_scores_are_printed_in_percent_with_one_digit(
    value: float, signed: bool, text: str
) -> None:
    assert percent(value, signed) == text
    assert percent(None, signed) == "-"
