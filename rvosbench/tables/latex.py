"""LaTeX with booktabs: best in bold, second best underlined."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rvosbench.tables.table import NO, YES, Cell, Row, Table
from rvosbench.tables.text import interval_text, one_line, run_suffix

_J, _F = r"$\mathcal{J}$", r"$\mathcal{F}$"
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "J": _J,
        "F": _F,
        "J&F": r"$\mathcal{J}\&\mathcal{F}$",
        YES: r"$\checkmark$",
        NO: r"$\times$",
        "w/o L_align": r"w/o $\mathcal{L}_{\mathrm{align}}$",
        "w/ L_align": r"w/ $\mathcal{L}_{\mathrm{align}}$",
    }
)
_SPECIAL: Mapping[str, str] = MappingProxyType(
    {
        **{c: f"\\{c}" for c in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
        "[": "{[}",  # after the end of a row it would begin an argument, as would *
        "*": "{*}",
        "≈": r"$\approx$",
        "±": r"$\pm$",
        "†": r"\dag{}",
        "\N{MULTIPLICATION SIGN}": r"$\times$",
        "\N{EN DASH}": "--",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "…": r"\ldots{}",
    }
)


def to_latex(table: Table) -> str:
    """A floating table; it needs booktabs and amssymb, and graphicx if it is very wide."""
    labels = sum(not c.numeric for c in table.columns)
    wide = _wide(table)
    lines = [
        rf"% \usepackage{{booktabs,amssymb{',graphicx' if wide else ''}}}",
        r"\begin{table}[t]",
        r"\centering",
        *([r"\resizebox{\linewidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{{'l' * labels}{'c' * (len(table.columns) - labels)}}}",
        r"\toprule",
        *_header(table),
        r"\midrule",
        *_body(table),
        r"\bottomrule",
        rf"\end{{tabular}}{'}' if wide else ''}",
        *_footnotes(table),
        rf"\caption{{{_caption(table)}}}",
        rf"\label{{tab:{''.join(c if c.isalnum() else '-' for c in table.name)}}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text from a file as LaTeX text; it cannot end a group or start a command."""
    return "".join(_SPECIAL.get(c, c) for c in one_line(text))


def row_text(row: Row) -> str:
    """One row by itself, without footnote marks and intervals."""
    return _row([_placed(escape(cell.text), cell.place) for cell in row.cells])


def _wide(table: Table) -> bool:
    """More than two blocks, or intervals over more than one, do not fit a line at full size."""
    intervals = any(cell.interval for row in table.rows for cell in row.cells)
    return sum(c.numeric for c in table.columns) > (3 if intervals else 6)


def _caption(table: Table) -> str:
    title = rf"\textbf{{{escape(table.title)}.}} " if table.title else ""
    return f"{title}{escape(table.note)}".rstrip()


def _header(table: Table) -> list[str]:
    headings = [_word(c.heading) for c in table.columns]
    spans = table.blocks
    if not any(block for block, _ in spans):
        return [_row(headings)]
    above, rules, start = [], [], 1
    for block, span in spans:
        if block:
            above.append(rf"\multicolumn{{{span}}}{{c}}{{{escape(block)}}}")
            rules.append(rf"\cmidrule(lr){{{start}-{start + span - 1}}}")
        else:
            above += [""] * span
        start += span
    return [_row(above), " ".join(rules), _row(headings)]


def _body(table: Table) -> list[str]:
    lines: list[str] = []
    for before, row in zip([None, *table.rows], table.rows, strict=False):
        if before is not None and before.group != row.group:
            lines.append(r"\midrule")
        lines.append(_row([_cell(row, i, cell) for i, cell in enumerate(row.cells)]))
    return lines


def _cell(row: Row, index: int, cell: Cell) -> str:
    text = " ".join(filter(None, (_word(cell.text), escape(run_suffix(row, index)))))
    text = _placed(text, cell.place)
    text = rf"\textit{{{text}}}" if cell.reference else text
    text = rf"$\approx$\,{text}" if cell.tied else text
    if cell.interval is None:
        return text
    return rf"{text} {{\tiny {escape(interval_text(cell))}}}"


def _placed(text: str, place: int) -> str:
    return {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(place, text)


def _footnotes(table: Table) -> list[str]:
    if not table.footnotes:
        return []
    notes = [rf"{_breakable(escape(note))}\par" for note in table.footnotes]
    return [
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}\scriptsize\raggedright",
        *notes,
        r"\end{minipage}",
    ]


def _breakable(text: str) -> str:
    """A signature may be broken after its separators."""
    for mark in (r"\textbar{}", "/", ":", "@", r"\_"):
        text = text.replace(mark, mark + r"\allowbreak{}")
    return text


def _word(text: str) -> str:
    return _WORDS.get(text, escape(text))


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
