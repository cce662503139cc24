"""LaTeX with booktabs: best in bold, second best underlined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rvosbench.tables.table import NO, YES, Cell, Row, Table, one_line

_SIGNS = ("{}", r"\textbf{{{}}}", r"\underline{{{}}}", r"\textit{{{}}}", r"$\approx$\,{}")

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
    title = rf"\textbf{{{escape(table.title)}.}} " if table.title else ""
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
        rf"\caption{{{(title + escape(table.note)).rstrip()}}}",
        rf"\label{{tab:{''.join(c if c.isalnum() else '-' for c in table.name)}}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text from a file as LaTeX text; it cannot end a group or start a command."""
    return "".join(_SPECIAL.get(c, c) for c in one_line(text))


def row_text(row: Row) -> str:
    """One row by itself, without footnote marks, ties and intervals."""
    return _row([_SIGNS[cell.place].format(escape(cell.text)) for cell in row.cells])


def _wide(table: Table) -> bool:
    """More than two blocks, or intervals over more than one, do not fit a line at full size."""
    intervals = any(cell.interval for row in table.rows for cell in row.cells)
    return sum(c.numeric for c in table.columns) > (3 if intervals else 6)


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


def _body(table: Table) -> Iterator[str]:
    for rule, row in table.ruled:
        if rule:
            yield r"\midrule"
        yield _row([_cell(cell, row.suffix(i)) for i, cell in enumerate(row.cells)])


def _cell(cell: Cell, suffix: str) -> str:
    text = cell.dressed(f"{_word(cell.text)} {escape(suffix)}".strip(), _SIGNS)
    return rf"{text} {{\tiny {escape(cell.interval_text)}}}" if cell.interval else text


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
