"""Formats: text from files stays text, and the LaTeX compiles."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from leaderboard.numbers.entry import published_entries
from leaderboard.numbers.results import entry
from leaderboard.tables.confidence import confidences
from leaderboard.tables.paper import PAPER_TABLES
from leaderboard.tables.paper_table import assemble
from rvosbench.records import MethodCard
from rvosbench.tables import SUFFIXES, WRITERS
from rvosbench.tables.latex import escape
from rvosbench.tables.table import Table, as_printed, letters

from .making import result, rows, sola

NASTY = (
    "<script>alert(1)</script> & | `x` _y_ *z* \\input{/etc/passwd} $a^2$ #1 %2 ~{}[q]\n=1+1 \"'"
)


def nasty_table() -> Table:
    card = MethodCard(NASTY, training_data=f"MeViS, {NASTY}")
    runs = [result(rows(0.5, 12), card), sola(0.6, split="valid_u")]
    entries = [entry(Path(f"{i}.json"), r) for i, r in enumerate(runs)]
    return assemble(PAPER_TABLES["1"], [*published_entries(), *entries], confidences(runs))


def test_every_format_ends_in_one_newline_and_has_a_suffix() -> None:
    assert set(WRITERS) == set(SUFFIXES)
    for render in WRITERS.values():
        text = render(nasty_table())
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert text == render(nasty_table())


def test_html_escapes_names() -> None:
    text = WRITERS["html"](nasty_table())
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in text
    assert "\"'" not in text


def test_markdown_escapes_names() -> None:
    (line,) = [x for x in WRITERS["markdown"](nasty_table()).splitlines() if "alert(1)" in x][:1]
    assert "<script" not in line.replace(r"\<script", "")
    assert len(re.findall(r"(?<!\\)\|", line)) == 9
    for sign in ("`x`", "_y_", "*z*", "[q]"):
        assert sign not in line


def test_csv_is_read_back_and_runs_no_formula() -> None:
    formula = result(card=MethodCard("=1+1", training_data="MeViS"))
    table = assemble(PAPER_TABLES["1"], [*published_entries(), entry(Path("r.json"), formula)])
    parsed = list(csv.reader(io.StringIO(WRITERS["csv"](table))))
    assert {len(row) for row in parsed} == {6}
    assert parsed[-1][0] == "'=1+1 (run a)"
    assert parsed[-1][-1] == formula.signature
    assert parsed[1][1] == "-"


def test_latex_escapes_every_special_character() -> None:
    assert escape("a_b & 50% #1 $x$ {y} ~ ^ \\z [w] *") == (
        r"a\_b \& 50\% \#1 \$x\$ \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{}z "
        r"{[}w] {*}"
    )
    assert escape("a\nb\tc\x00d") == "a b c d"


@pytest.mark.parametrize(
    ("value", "text"),
    [(31.0, "31.0"), (47.23, "47.23"), (0.0, "0.0"), (100.0, "100.0"), (5, "5.0")],
)
def test_published_numbers_keep_their_digits(value: float, text: str) -> None:
    assert as_printed(value) == text


def test_footnote_letters_go_on_after_z() -> None:
    found = list(letters(54))
    assert [*found[:2], *found[25:28], found[-1]] == ["a", "b", "z", "aa", "ab", "bb"]
    assert len(set(found)) == 54


def test_the_latex_compiles_with_booktabs(tmp_path: Path) -> None:
    """All nine tables, and one with runs, intervals and the worst of names, in one document."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed (Debian: texlive-latex-recommended)")
    tables = [assemble(spec, published_entries()) for spec in PAPER_TABLES.values()]
    body = "\n".join(WRITERS["latex"](table) for table in [*tables, nasty_table()])
    document = (
        "\\documentclass{article}\\usepackage{booktabs,amssymb,graphicx}\\begin{document}\n"
        f"{body}\n\\end{{document}}\n"
    )
    (tmp_path / "tables.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    run = subprocess.run(
        [*command, "tables.tex"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "tables.pdf").stat().st_size > 10_000
    if shutil.which("pdftotext") is None:
        return
    subprocess.run(["pdftotext", "-layout", "tables.pdf"], cwd=tmp_path, check=True)
    text = (tmp_path / "tables.txt").read_text(encoding="utf-8")
    for number in ("112.9 M", "27.8", "58.8", "44.9", "Motion blur", "alert(1)"):
        assert number in text
