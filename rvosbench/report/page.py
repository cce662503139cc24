"""One HTML page without any other file: text, a drawing, tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rvosbench.tables.html import to_html
from rvosbench.tables.table import Table

TEMPLATE = Path(__file__).with_suffix(".html")


@dataclass(frozen=True)
class Page:
    """What stands on a page, from top to bottom; all text is escaped.

    Attributes:
        opening: paragraphs: text, then code, then text.
        svg: of our own drawing, as it is.
        pictures: what each shows, and its data address.
    """

    title: str
    opening: Sequence[tuple[str, str, str]]
    tables: Sequence[Table]
    note: str
    svg: str = ""
    pictures: Sequence[tuple[str, str]] = ()


def page_text(page: Page) -> str:
    """The page as HTML; the same content gives the same bytes."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=page.title,
        opening=page.opening,
        drawing=Markup(page.svg),
        tables=[Markup(to_html(table)) for table in page.tables],  # escaped there
        note=page.note,
        pictures=page.pictures,
    )
