"""One table as an HTML fragment; everything that comes from a file is escaped."""

from __future__ import annotations

from html import escape

from rvosbench.tables.table import Cell, Row, Table
from rvosbench.tables.text import interval_text, label_text, one_line


def to_html(table: Table) -> str:
    """A `<figure>` with a caption, the table and its footnotes; it brings no style."""
    lines = [
        '<figure class="rvosbench-table">',
        f"<figcaption>{_caption(table)}</figcaption>",
        "<table>",
        *_head(table),
        "<tbody>",
        *[_row(row, above) for row, above in zip(table.rows, [None, *table.rows], strict=False)],
        "</tbody>",
        "</table>",
        *[f"<p>{_text(note)}</p>" for note in table.footnotes],
        "</figure>",
    ]
    return "\n".join(lines) + "\n"


def _caption(table: Table) -> str:
    title = f"<strong>{_text(table.heading)}.</strong> " if table.title else ""
    return f"{title}{_text(table.note)}"


def _head(table: Table) -> list[str]:
    headings = "".join(f'<th scope="col">{_text(c.heading)}</th>' for c in table.columns)
    lines = ["<thead>"]
    if any(block for block, _ in table.blocks):
        spans = "".join(
            f'<th scope="colgroup" colspan="{span}">{_text(block)}</th>'
            if block
            else f'<td colspan="{span}"></td>'
            for block, span in table.blocks
        )
        lines.append(f"<tr>{spans}</tr>")
    return [*lines, f"<tr>{headings}</tr>", "</thead>"]


def _row(row: Row, above: Row | None) -> str:
    cells = [
        f"<td>{_cell(row, i, cell)}</td>" if i else f'<th scope="row">{_cell(row, i, cell)}</th>'
        for i, cell in enumerate(row.cells)
    ]
    rule = ' class="rule"' if above is not None and above.group != row.group else ""
    return f"<tr{rule}>{''.join(cells)}</tr>"


def _cell(row: Row, index: int, cell: Cell) -> str:
    text = _text(label_text(row, index))
    text = {1: f"<strong>{text}</strong>", 2: f"<u>{text}</u>"}.get(cell.place, text)
    text = f"<em>{text}</em>" if cell.reference else text
    text = f"≈ {text}" if cell.tied else text
    interval = interval_text(cell)
    return f"{text} <small>{interval}</small>" if interval else text


def _text(text: str) -> str:
    return escape(one_line(text))
