"""What people read: tables in every format, and the page."""

from __future__ import annotations

import csv
import json

import pytest

from sola.reproduce.formats import FORMATS
from sola.reproduce.page import command_of, page
from sola.reproduce.plan import TABLES, chosen_tables
from sola.reproduce.report import Report
from sola.reproduce.tables import category_table, score_table

from .making import KINDS, report

LEVELS = {"sola": 0.5, "grounder": 0.4, "oracle": 0.8, "empty": 0.1, "no-inter-object": 0.6}


@pytest.fixture(scope="module")
def made() -> Report:
    return report(LEVELS, chosen_tables([]))


def cell(made: Report, table: str, row: str, column: str) -> str:
    grid = score_table(table, made)
    cells = next(r for r in grid.rows if r[0].startswith(row))
    return cells[grid.columns.index(column)]


def test_ours_stand_beside_the_papers(made: Report) -> None:
    assert cell(made, "4", "w/ selection", "paper J&F") == "48.6"
    found = made.of("sola")
    assert found is not None
    shown = f"{100 * found.mean():.1f} ± {100 * (found.deviation() or 0):.1f}"
    assert cell(made, "4", "w/ selection", "J&F") == shown
    assert cell(made, "4", "w/ selection", "J&F on valid") == shown
    assert "±" not in cell(made, "4", "w/o selection", "J&F")
    assert cell(made, "4", "oracle", "paper J&F") == "-"
    assert any("(upper bound)" in row[0] for row in score_table("4", made).rows)


def test_a_row_says_whether_the_ordering_reproduces(made: Report) -> None:
    assert cell(made, "4", "w/o selection", "ordering reproduces?") == "yes"
    assert cell(made, "4", "w/o selection", "p") == "< 0.001"
    assert cell(made, "4", "w/o selection", "difference").startswith("-")
    assert cell(made, "4", "w/ selection", "ordering reproduces?") == ""
    assert cell(made, "5b", "no", "ordering reproduces?") == "no"
    assert cell(made, "A.2b", "1", "ordering reproduces?") == "not measured"


def test_table_4_says_how_near_the_ceiling_and_how_fair_the_baseline_is(made: Report) -> None:
    notes = " ".join(score_table("4", made).notes)
    sola, oracle, grounder = (made.of(t) for t in ("sola", "oracle", "grounder"))
    assert sola
    assert oracle
    assert grounder
    assert f"reaches {100 * sola.mean() / oracle.mean():.1f} % of the oracle's J&F on test" in notes
    share = 100 * grounder.categories["appearance"] / sola.categories["appearance"]
    assert f"GroundingDINO only reaches {share:.1f} % of SOLA's J&F on appearance" in notes
    assert "Not measured: truth-box grounder" in notes


def test_kinds_of_sentences_have_a_table_of_their_own(made: Report) -> None:
    grid = category_table("4", made)
    assert grid.columns[1:] == tuple(f"{kind} (20)" for kind in KINDS)
    found = made.of("sola")
    assert found is not None
    row = next(r for r in grid.rows if r[0] == "w/ selection module")
    assert row[1:] == tuple(f"{100 * found.categories[k]:.1f}" for k in KINDS)
    assert category_table("A.2b", made).rows[0][0] == "2"  # rows that are missing are left out


@pytest.mark.parametrize("name", TABLES)
def test_every_format_has_every_cell(name: str, made: Report) -> None:
    grid = score_table(name, made)
    lines = FORMATS["markdown"](grid).splitlines()
    assert all(line.count("|") == len(grid.columns) + 1 for line in lines if line.startswith("|"))
    assert sum(line.startswith("|") for line in lines) == len(grid.rows) + 2
    rows = list(csv.reader(FORMATS["csv"](grid).splitlines()))
    assert [tuple(row) for row in rows] == [grid.columns, *grid.rows]
    assert json.loads(FORMATS["json"](grid))["rows"] == [list(row) for row in grid.rows]
    latex = FORMATS["latex"](grid)
    assert latex.count(r" \\") == len(grid.rows) + 1
    assert r"J\&F" in latex
    assert not any(c in latex.replace(r"\&", "").replace(" & ", "") for c in "&±")


def test_the_page_has_all_of_it(made: Report) -> None:
    text = page(made, "figures.json")
    for name in TABLES:
        assert f"\n## Table {name}\n" in text
        for line in FORMATS["markdown"](score_table(name, made)).splitlines():
            assert line in text
    assert "- w/ selection module > w/o selection module (table 4)" in text
    assert "`figures.json`" in text
    assert "--dataset mevis --data DIR" in text
    assert f"\n    {command_of(made)}\n" in text
    assert text.endswith("\n")


def test_the_command_on_the_page_makes_the_page(made: Report) -> None:
    words = command_of(made).split()
    assert words[:4] == ["rvosbench", "sola", "reproduce", "--all"]
    assert words[words.index("--sentences") + 1] == "60000"
    assert command_of(report(LEVELS, chosen_tables(["5b"]))).split()[3:5] == ["--table", "5b"]
