"""Tables of results: one type and its writers, shared by strangers: reports, leaderboards, papers.

    table = Table(
        "5b",                                     # its number, or a name without spaces
        "Effects of ...",
        (Column("Attention"), Column("J&F", "MeViS", numeric=True)),
        (Row((Cell("both"), Cell(percent(0.486), 48.6, group="jf"))),),
        note="In percent.",
        numbered=True,                            # "Table 5b. Effects of ..."
    )
    table = replace(table, rows=ranked(table.rows, second=True))  # best of each `Cell.group`
    text = WRITERS["markdown"](table)             # markdown, latex, html, csv or json

* `table`: `Table`, `Column`, `Row`, `Cell`, `Interval`; `ranked`, `letters` (footnote marks), and
  the one way to print a number: `percent` (a score in [0, 1]), `as_printed` (a published one).
  `text_row(labels, numbers)` makes a row of plain text.
* `WRITERS` and `SUFFIXES` by format name; a table without a title has no heading. The writers can
  be called alone: `markdown.to_markdown(table)`. `html.to_page` writes a page of tables.
* `published`: numbers that papers print, with their sources; `printed_scores` finds one, and
  `PAPER_TITLES` are those of the SOLA paper's tables. `training`: names of training data.

Numbers in a table are in percent. All writers escape what comes from files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rvosbench.tables.data import to_csv, to_json
from rvosbench.tables.html import to_html
from rvosbench.tables.latex import to_latex
from rvosbench.tables.markdown import to_markdown
from rvosbench.tables.table import Table

WRITERS: Mapping[str, Callable[[Table], str]] = MappingProxyType(
    {"markdown": to_markdown, "latex": to_latex, "html": to_html, "csv": to_csv, "json": to_json}
)
"""Format name -> table -> text that ends in a newline."""

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"markdown": ".md", "latex": ".tex", "html": ".html", "csv": ".csv", "json": ".json"}
)
"""Format name -> suffix of a file in it."""
