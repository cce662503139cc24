"""Every number of the paper's nine tables, against a transcription made by hand from its text.

The transcription below shares nothing with `rvosbench/tables/published`: it was typed from the
tables of arXiv 2412.01136. Bold and underlined are those of its captions.
"""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from leaderboard.numbers.collection import Collection
from leaderboard.numbers.entry import published_entries
from leaderboard.tables import make_table
from leaderboard.tables.paper import PAPER_TABLES
from leaderboard.tables.paper_table import assemble
from rvosbench.errors import UnknownNameError
from rvosbench.tables import WRITERS

# label cells, then scores; b(...) bold, u(...) underlined
PAPER = {
    "1": """
        URVOS | - | 27.8 | 25.7 | 29.9
        LBDT | 95.6 M | 29.3 | 27.8 | 30.8
        MTTR | - | 30.0 | 28.8 | 31.2
        ReferFormer | 112.9 M | 31.0 | 29.8 | 32.2
        VLT+TC | u38.3 M | 35.5 | 33.6 | 37.3
        LMPM | 66.4 M | 37.2 | 34.2 | 40.2
        HTR | - | 42.7 | 39.9 | 45.5
        DsHmp | 92.4 M | u46.4 | u43.0 | u49.8
        SOLA | b32.9 M | b48.6 | b45.2 | b52.1
    """,
    "2": """
        ReferFormer | 35.0 | 34.2 | 35.8 | 40.5 | 36.8 | 44.2
        LMPM | 31.5 | 30.0 | 32.9 | 39.9 | 36.7 | 43.2
        DsHmp | 45.8 | 43.7 | 47.9 | 42.6 | 37.8 | 47.3
        SOLA | b47.9 | b44.3 | b51.5 | b45.4 | b43.0 | b47.7
    """,
    "3": """
        ReferFormer | 36.6 | 34.1 | 39.1 | 46.8 | 46.2 | 47.5
        LMPM | 40.5 | 37.8 | 43.2 | 37.6 | 36.0 | 39.2
        DsHmp | 42.5 | 37.5 | 47.4 | 51.4 | 48.5 | 54.3
        SOLA | b48.9 | b45.2 | b52.6 | b55.4 | b52.0 | b58.8
    """,
    "4": """
        w/o selection module | 36.9 | 30.0 | 43.8
        w/ selection module | b48.6 | b45.2 | b52.1
    """,
    "5a": """
        w/o L_align | 44.5 | 41.4 | 47.6
        w/ L_align | b48.6 | b45.2 | b52.1
    """,
    "5b": """
        ✗ | ✓ | 44.3 | 41.6 | 47.0
        ✓ | ✗ | 44.9 | 42.2 | 47.0
        ✓ | ✓ | b48.6 | b45.2 | b52.1
    """,
    "A.1": """
        ReferFormer | Motion blur | 26.3 | 25.4 | 27.1
        LMPM | Motion blur | 33.3 | 31.2 | 35.4
        DsHmp | Motion blur | 38.0 | 35.0 | 41.1
        SOLA | Motion blur | b39.8 | b36.6 | b43.0
        ReferFormer | Gaussian noise | 26.9 | 24.0 | 29.9
        LMPM | Gaussian noise | 36.0 | 33.4 | 38.6
        DsHmp | Gaussian noise | 43.4 | 39.5 | 47.2
        SOLA | Gaussian noise | b44.4 | b40.5 | b48.3
    """,
    "A.2a": """
        ✗ | ✗ | 45.7 | 42.4 | 48.9
        ✓ | ✗ | 47.5 | 43.9 | 51.1
        ✓ | ✓ | b48.6 | b45.2 | b52.1
    """,
    "A.2b": """
        1 | 42.5 | 40.0 | 45.1
        2 | b48.6 | b45.2 | b52.1
        3 | 48.2 | 44.8 | 51.5
    """,
}
HEADINGS = {
    "1": ["Methods", "# of trainable parameters", "J&F", "J", "F"],
    "2": ["Methods", *["Ref-YouTube-VOS"] * 3, *["Ref-DAVIS"] * 3],
    "3": ["Methods", *["MeViS"] * 3, *["Ref-YouTube-VOS"] * 3],
    "5b": ["Inter-object attn.", "Motion attn.", "J&F", "J", "F"],
    "A.2b": ["# of Alignment Layers", "J&F", "J", "F"],
}
NAMES = list(PAPER)


def transcription(name: str, bold: str, underline: str) -> list[list[str]]:
    """The rows, best and second best written as a format writes them."""
    found = []
    for line in PAPER[name].strip().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        cells = [re.sub(r"^b(?=\d)(.*)", bold, c) for c in cells]
        found.append([re.sub(r"^u(?=\d)(.*)", underline, c) for c in cells])
    return found


def rendered(name: str, form: str) -> str:
    return WRITERS[form](assemble(PAPER_TABLES[name], published_entries()))


def test_there_are_exactly_the_papers_tables() -> None:
    assert list(PAPER_TABLES) == NAMES


def test_the_transcription_is_complete() -> None:
    numbers = sum(len(re.findall(r"\d\d\.\d(?! M)", rows)) for rows in PAPER.values())
    assert numbers == 27 + 24 + 24 + 6 + 6 + 9 + 24 + 9 + 9


@pytest.mark.parametrize("name", NAMES)
def test_markdown_has_every_number(name: str) -> None:
    lines = [line for line in rendered(name, "markdown").splitlines() if line.startswith("| ")]
    body = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    wanted = transcription(name, r"**\1**", r"<u>\1</u>")
    assert body == wanted


LATEX = {
    "✓": r"$\checkmark$",
    "✗": r"$\times$",
    "w/o L_align": r"w/o $\mathcal{L}_{\mathrm{align}}$",
    "w/ L_align": r"w/ $\mathcal{L}_{\mathrm{align}}$",
}


@pytest.mark.parametrize("name", NAMES)
def test_latex_has_every_number(name: str) -> None:
    text = rendered(name, "latex")
    body = text.partition("\\midrule\n")[2].partition("\\bottomrule")[0].replace("\\midrule\n", "")
    rows = [line.removesuffix(r" \\").split(" & ") for line in body.strip().splitlines()]
    wanted = transcription(name, r"\\textbf{\1}", r"\\underline{\1}")
    assert rows == [[LATEX.get(cell, cell) for cell in row] for row in wanted]


@pytest.mark.parametrize("name", NAMES)
def test_csv_and_json_have_every_number(name: str) -> None:
    wanted = transcription(name, r"\1", r"\1")
    parsed = list(csv.reader(io.StringIO(rendered(name, "csv"))))
    assert [row[:-1] for row in parsed[1:]] == wanted
    content = json.loads(rendered(name, "json"))
    assert [[cell["text"] for cell in row["cells"]] for row in content["rows"]] == wanted
    values = [
        [c["value"] for c in row["cells"] if c["value"] is not None] for row in content["rows"]
    ]
    printed = [
        [float(x.removesuffix(" M")) for x in row if re.match(r"\d+\.\d", x)] for row in wanted
    ]
    assert values == printed


@pytest.mark.parametrize("name", NAMES)
def test_html_has_every_number_and_every_mark(name: str) -> None:
    text = rendered(name, "html").partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.split("<tr[^>]*>", text)[1:]
    ]
    assert rows == transcription(name, r"<strong>\1</strong>", r"<u>\1</u>")


@pytest.mark.parametrize("name", list(HEADINGS))
def test_headings_are_the_papers(name: str) -> None:
    table = assemble(PAPER_TABLES[name], published_entries())
    wanted = HEADINGS[name]
    if len({c.block for c in table.columns if c.block}) > 1:
        assert [c.block or c.heading for c in table.columns] == wanted
        assert [c.heading for c in table.columns[1:]] == ["J&F", "J", "F"] * 2
    else:
        assert [c.heading for c in table.columns] == wanted


def test_an_unknown_table_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"'5c'.*Known: 1, 2, 3, 4, 5a, 5b, A\.1, A\.2a"):
        make_table(Collection(()), "5c")
