"""What people read: tables in every format, and the page."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from rvosbench.tables import WRITERS
from rvosbench.tables.table import Table
from sola.reproduce.experiments import TABLES, chosen_tables
from sola.reproduce.page import category_table, command_of, page, score_table
from sola.reproduce.report import Report

from .making import KINDS, report

LEVELS = {"sola": 0.5, "grounder": 0.4, "oracle": 0.8, "empty": 0.1, "no-inter-object": 0.6}


@pytest.fixture(scope="module")
def made() -> Report:
    return report(LEVELS, chosen_tables([]))


def cell(made: Report, table: str, row: str, column: str) -> str:
    shown = score_table(table, made)
    texts = next(texts for texts in rows_of(shown) if texts[0].startswith(row))
    return texts[shown.headings.index(column)]


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row.cells) for row in table.rows]


def test_ours_stand_beside_the_papers(made: Report) -> None:
    assert cell(made, "4", "w/ selection", "paper J&F") == "48.6"
    found = made.of("sola")
    assert found is not None
    shown = f"{100 * found.mean():.1f} ± {100 * (found.deviation() or 0):.1f}"
    assert cell(made, "4", "w/ selection", "J&F") == shown
    assert cell(made, "4", "w/ selection", "J&F on valid") == shown
    assert "±" not in cell(made, "4", "w/o selection", "J&F")
    assert cell(made, "4", "oracle", "paper J&F") == "-"
    assert any("(upper bound)" in row[0] for row in rows_of(score_table("4", made)))


def test_a_row_says_whether_the_ordering_reproduces(made: Report) -> None:
    assert cell(made, "4", "w/o selection", "ordering reproduces?") == "yes"
    assert cell(made, "4", "w/o selection", "p") == "< 0.001"
    assert cell(made, "4", "w/o selection", "difference").startswith("-")
    assert cell(made, "4", "w/ selection", "ordering reproduces?") == ""
    assert cell(made, "5b", "no", "ordering reproduces?") == "no"
    assert cell(made, "A.2b", "1", "ordering reproduces?") == "not measured"


def test_table_4_says_how_near_the_ceiling_and_how_fair_the_baseline_is(made: Report) -> None:
    notes = " ".join(score_table("4", made).footnotes)
    sola, oracle, grounder = (made.of(t) for t in ("sola", "oracle", "grounder"))
    assert sola
    assert oracle
    assert grounder
    assert f"reaches {100 * sola.mean() / oracle.mean():.1f} % of the oracle's J&F on test" in notes
    share = 100 * grounder.categories["appearance"] / sola.categories["appearance"]
    assert f"GroundingDINO only reaches {share:.1f} % of SOLA's J&F on appearance" in notes
    assert "Not measured: truth-box grounder" in notes


def test_categories_have_a_table_of_their_own(made: Report) -> None:
    shown = category_table("4", made)
    assert shown.headings[1:] == [f"{kind} (20)" for kind in KINDS]
    found = made.of("sola")
    assert found is not None
    row = next(r for r in rows_of(shown) if r[0] == "w/ selection module")
    assert row[1:] == tuple(f"{100 * found.categories[k]:.1f}" for k in KINDS)
    assert rows_of(category_table("A.2b", made))[0][0] == "2"  # rows that are missing are left out


@pytest.mark.parametrize("name", TABLES)
def test_every_format_has_every_cell(name: str, made: Report) -> None:
    shown = score_table(name, made)
    lines = WRITERS["markdown"](shown).splitlines()
    assert sum(line.startswith("|") for line in lines) == len(shown.rows) + 2
    rows = list(csv.reader(WRITERS["csv"](shown).splitlines()))
    assert rows == [shown.headings, *map(list, rows_of(shown))]
    content = json.loads(WRITERS["json"](shown))
    assert content["table"] == name
    cells = [[cell["text"] for cell in row["cells"]] for row in content["rows"]]
    assert cells == [list(row) for row in rows_of(shown)]
    column = shown.headings.index("J&F")
    found = made.of(TABLES[name].rows[-1].experiment)
    value = content["rows"][-1]["cells"][column]["value"]
    assert value == (None if found is None else 100 * found.mean())
    latex = WRITERS["latex"](shown)
    assert r"J\&F" in latex
    assert WRITERS["html"](shown).count("<tr") == len(shown.rows) + 1


def test_the_page_has_all_of_it(made: Report) -> None:
    text = page(made, "figures.json")
    for name in TABLES:
        assert f"\n## Table {name}\n" in text
        shown = score_table(name, made)
        for line in WRITERS["markdown"](replace(shown, footnotes=())).splitlines():
            assert line in text
        assert all(f"\n- {note}\n" in text for note in shown.footnotes)
    assert "- w/ selection module > w/o selection module (table 4)" in text
    assert "`figures.json`" in text
    assert "--dataset mevis --data DIR" in text
    assert f"\n    {command_of(made)}\n" in text
    assert text.endswith("\n")


def test_the_command_on_the_page_makes_the_page(made: Report) -> None:
    words = command_of(made).split()
    assert words[:4] == ["rvosbench", "sola", "reproduce", "--all"]
    assert words[words.index("--expressions") + 1] == "60000"
    assert command_of(report(LEVELS, chosen_tables(["5b"]))).split()[3:5] == ["--table", "5b"]
