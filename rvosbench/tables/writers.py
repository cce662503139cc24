"""A table as Markdown, LaTeX, HTML, CSV or JSON: same table, same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rvosbench.tables.data import to_csv, to_json
from rvosbench.tables.html import to_html
from rvosbench.tables.latex import to_latex
from rvosbench.tables.markdown import to_markdown
from rvosbench.tables.table import Table

WRITERS: Mapping[str, Callable[[Table], str]] = MappingProxyType(
    {
        "markdown": to_markdown,
        "latex": to_latex,
        "html": to_html,
        "csv": to_csv,
        "json": to_json,
    }
)
"""Format name -> table -> text that ends in a newline."""

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"markdown": ".md", "latex": ".tex", "html": ".html", "csv": ".csv", "json": ".json"}
)
"""Format name -> suffix of a file in it."""
