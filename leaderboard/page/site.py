"""`leaderboard build`: the page and all tables, as text by path and written to a folder.

The front page has one tab a board, then the paper's tables, robustness, findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from markupsafe import Markup

from leaderboard.checks import check
from leaderboard.numbers.collection import Collection
from leaderboard.numbers.entry import slug
from leaderboard.page.methods import MethodView, method_views
from leaderboard.page.provenance import bibtex, provenance, safe_url
from leaderboard.page.robustness import plots
from leaderboard.tables import make_table, table_names
from leaderboard.tables.board import COLUMNS, Board, BoardEntry, board_table, boards
from leaderboard.tables.cells import millions
from leaderboard.tables.confidence import Confidences, confidence_of
from leaderboard.tables.paper import PAPER_TABLES
from rvosbench import __version__
from rvosbench.files.atomic import write_bytes
from rvosbench.records import Json
from rvosbench.tables import SUFFIXES, WRITERS
from rvosbench.tables.html import environment
from rvosbench.tables.latex import row_text, to_latex
from rvosbench.tables.table import METRICS, Row, percent

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def build(
    collection: Collection,
    out: Path,
    table: str | None = None,
    form: str | None = None,
    roots: Mapping[str, Path] = MappingProxyType({}),
) -> list[Path]:
    """Write everything; the same inputs give the same bytes.

    Args:
        collection: what is shown.
        out: folder; files of the same names are replaced, others left.
        table: only this table, without the page.
        form: only this format of the tables.
        roots: dataset name -> folder, for pictures of best and worst cases.

    Returns:
        The written files, the page first.

    Raises:
        UnknownNameError: no table of that name.
    """
    written = []
    for name, text in _files(collection, table, form, roots):
        write_bytes(out / name, text.encode("utf-8"))
        written.append(out / name)
    return written


def _files(
    collection: Collection, only: str | None, form: str | None, roots: Mapping[str, Path]
) -> Iterator[tuple[str, str]]:
    confidence = confidence_of(collection.everything)
    if only is None:
        templates = _templates()
        yield "index.html", _index(templates, collection, confidence)
        for view in method_views(collection.everything, confidence, roots):
            yield f"methods/{view.slug}.html", _method(templates, view)
    for name in table_names(collection) if only is None else [only]:
        table = make_table(collection, name, confidence)
        for one in [form] if form else WRITERS:
            yield f"tables/{name}{SUFFIXES[one]}", WRITERS[one](table)


def _templates() -> Environment:
    made = environment(TEMPLATES)
    made.globals |= {"COLUMNS": COLUMNS, "METRICS": METRICS, "percent": percent}
    made.filters["slug"] = slug
    # Our own files, not text from results: they go in as they are.
    for name in ("css", "js"):
        made.globals[name] = Markup((TEMPLATES / f"page.{name}").read_text(encoding="utf-8"))
    return made


@dataclass(frozen=True)
class Tab:
    """A tab of the front page.

    Attributes:
        kind: board, paper, robustness or findings.
        content: board entries with their rows; names and HTML of tables; plots; or findings.
        lines: of a board: what the page's script needs of each row.
        latex: of a board: LaTeX before and after its rows.
    """

    kind: str
    name: str
    title: str
    content: Sequence[Json]
    lines: Sequence[Mapping[str, Json]] = ()
    latex: Mapping[str, str] = field(default_factory=dict)


def board_tab(board: Board, confidence: Confidences) -> Tab:
    """A board as a tab."""
    content = list(zip(board.entries, board_table(board, confidence).rows, strict=True))
    lines = [
        {"facts": provenance(one, confidence), "latex": row_text(row), "bibtex": bibtex(one.entry)}
        for one, row in content
    ]
    text = to_latex(board_table(Board(board.name, board.title, ()), {}))
    before, rule, after = text.partition("\\midrule\n")
    latex = {"begin": f"{before}{rule}".rstrip("\n"), "end": after.rstrip("\n")}
    return Tab("board", board.name, board.title, content, lines, latex)


def filters(content: Sequence[tuple[BoardEntry, Row]]) -> list[tuple[str, str, list[str]]]:
    """Name, heading and choices of each filter of a board."""
    return [
        (c.filter, c.heading, sorted({row.cells[i].text for _, row in content}, key=str.casefold))
        for i, c in enumerate(COLUMNS)
        if c.filter
    ]


def script_data(tabs: Sequence[Tab], texts: Mapping[str, str]) -> dict[str, Json]:
    """What the page's script needs: pop-ups, LaTeX and BibTeX by row, frames of the boards."""
    return {
        "lines": {f"{tab.name}-{i}": line for tab in tabs for i, line in enumerate(tab.lines)},
        "boards": {tab.name: tab.latex for tab in tabs if tab.kind == "board"},
        "texts": dict(texts),
    }


def _index(templates: Environment, collection: Collection, confidence: Confidences) -> str:
    entries = collection.everything
    paper = Collection(collection.published, collection.runs)
    tables = {name: make_table(paper, name, confidence) for name in PAPER_TABLES}
    shown = [(name, Markup(WRITERS["html"](table))) for name, table in tables.items()]
    tabs = [board_tab(board, confidence) for board in boards(entries)]
    tabs.append(Tab("paper", "paper", "Paper tables", shown))
    if found := plots(entries):
        tabs.append(Tab("robustness", "robustness", "Robustness", found))
    tabs.append(Tab("findings", "contradictions", "Contradictions", check(entries)))
    texts = {
        f"{name}.{form}": WRITERS[form](table)
        for name, table in tables.items()
        for form in ("latex", "markdown")
    }
    return templates.get_template("index.html").render(
        tabs=tabs,
        filters=filters,
        data=script_data(tabs, texts),
        version=__version__,
        count=len(entries),
    )


def _method(templates: Environment, view: MethodView) -> str:
    about = view.about.about
    # BibTeX of the method's runs and of everything that prints a number of it, each once.
    sources = dict.fromkeys(map(bibtex, sorted(view.entries, key=lambda e: e.run is None)))
    return templates.get_template("method.html").render(
        view=view,
        parameters=millions(about.trainable_parameters),
        link=safe_url(about.url),
        data={"lines": {}, "boards": {}, "texts": {"bibtex": "\n\n".join(sources)}},
    )
