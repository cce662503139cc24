"""What "copy" puts on the clipboard: LaTeX rows and BibTeX entries."""

from __future__ import annotations

import re

from ..entries import Entry
from ..rendering.latex import escape
from ..tables import Cell


def latex_row(cells: list[Cell]) -> str:
    """One row of a booktabs table, best in bold and second best underlined."""
    marks = {1: r"\textbf{%s}", 2: r"\underline{%s}"}
    texts = [marks.get(cell.place, "%s") % escape(cell.text) for cell in cells]
    return " & ".join(texts) + r" \\"


def bibtex(entry: Entry) -> str:
    """The entry of a run's method, or of the source that printed the number.

    Where we were given no BibTeX, a `@misc` with what is known of the source.
    """
    if entry.citation is None:
        return entry.about.bibtex or _misc(entry.about.method, entry.about.method, entry.about.url)
    source = entry.citation.source
    return source.bibtex or _misc(source.id, source.title, source.url)


def _misc(key: str, title: str, url: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", key.casefold()).strip("-") or "method"
    lines = [f"@misc{{{name},", f"  title = {{{escape(title)}}},"]
    if url and not re.search(r"[{}\\\s]", url):
        lines.append(f"  howpublished = {{\\url{{{url}}}}},")
    return "\n".join([*lines, "}"])
