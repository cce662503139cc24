"""Tables as HTML: fragments, and pages that need no other file; all text from files is escaped."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.tables.table import Table, one_line

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

_SIGNS = ("{}", "<strong>{}</strong>", "<u>{}</u>", "<em>{}</em>", "≈ {}")


def to_html(table: Table) -> str:
    """A `<figure>` with a caption, the table and its footnotes; it brings no style."""
    return environment(TEMPLATES).get_template("table.html").render(table=table)


def to_page(
    title: str,
    opening: Sequence[tuple[str, str, str]],
    tables: Sequence[Table],
    note: str,
    svg: str = "",
    pictures: Sequence[tuple[str, str]] = (),
) -> str:
    """A page with tables; the same content gives the same bytes.

    Args:
        title: of the page.
        opening: paragraphs: text, then code, then text.
        tables: each with its own heading.
        note: below the tables.
        svg: above the tables: of our own drawing, as it is.
        pictures: at the end: what each shows, and its data address.
    """
    template = environment(TEMPLATES).get_template("page.html")
    return template.render(
        title=title, opening=opening, tables=tables, note=note, svg=svg, pictures=pictures
    )


@functools.cache
def environment(folder: Path) -> Environment:
    """Templates in a folder, and those of this room: all text is escaped, a missing name fails."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["one_line"] = one_line
    made.globals["SIGNS"] = tuple(map(Markup, _SIGNS))  # format() escapes what goes in
    return made
