"""A table as Markdown, LaTeX, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sola.reproduce.tables import Grid

_SPECIAL = {**{c: f"\\{c}" for c in "&%$#_{}"}, "±": r"$\pm$", "<": r"$<$", ">": r"$>$"}


def to_markdown(grid: Grid) -> str:
    """Heading, table, notes."""
    numbers = len(grid.columns) - grid.labels
    lines = [
        f"**Table {grid.name}. {grid.title}.**",
        "",
        _line(grid.columns),
        _line((":--",) * grid.labels + ("--:",) * numbers),
        *[_line(row) for row in grid.rows],
    ]
    if grid.notes:
        lines += ["", *[f"- {note}" for note in grid.notes]]
    return "\n".join(lines) + "\n"


def to_latex(grid: Grid) -> str:
    """A floating table with booktabs."""
    columns = "l" * grid.labels + "c" * (len(grid.columns) - grid.labels)
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table}[t]",
        r"\centering",
        r"\resizebox{\linewidth}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _tex_row(grid.columns),
        r"\midrule",
        *[_tex_row(row) for row in grid.rows],
        r"\bottomrule",
        r"\end{tabular}}",
        rf"\caption{{{_tex(grid.title)}. {_tex(' '.join(grid.notes))}}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def to_csv(grid: Grid) -> str:
    """Headings and rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([grid.columns, *grid.rows])
    return out.getvalue()


def to_json(grid: Grid) -> str:
    """Everything."""
    content = {
        "table": grid.name,
        "title": grid.title,
        "columns": grid.columns,
        "rows": grid.rows,
        "notes": grid.notes,
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Grid], str]] = MappingProxyType(
    {"markdown": to_markdown, "latex": to_latex, "csv": to_csv, "json": to_json}
)
"""Format name -> table -> text that ends in a newline."""


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _tex_row(cells: tuple[str, ...]) -> str:
    return " & ".join(_tex(cell) for cell in cells) + r" \\"


def _tex(text: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in text)
