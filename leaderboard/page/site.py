"""`leaderboard build`: the page and all tables, as text by path and written to a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from leaderboard.checks import check
from leaderboard.numbers.collection import Collection
from leaderboard.numbers.entry import slug
from leaderboard.page.index import Tab, board_tab, script_data
from leaderboard.page.methods import MethodView, method_views
from leaderboard.page.provenance import bibtex, safe_url
from leaderboard.page.robustness import plots
from leaderboard.tables import make_table, table_names
from leaderboard.tables.board import COLUMNS, boards
from leaderboard.tables.cells import millions
from leaderboard.tables.confidence import Confidence, confidence_of
from leaderboard.tables.paper import PAPER_TABLES
from rvosbench import __version__
from rvosbench.files.atomic import write_bytes
from rvosbench.records import Json
from rvosbench.tables import SUFFIXES, WRITERS
from rvosbench.tables.html import environment as shared_environment
from rvosbench.tables.table import METRICS, percent

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class BuildOptions:
    """What is built.

    Attributes:
        out: folder; files of the same names are replaced, others left.
        table: only this table, without the page.
        form: only this format of the tables.
        roots: dataset name -> folder, for pictures of best and worst cases.
    """

    out: Path
    table: str | None = None
    form: str | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)


def build(options: BuildOptions, collection: Collection) -> list[Path]:
    """Write everything; the same inputs give the same bytes.

    Returns:
        The written files, the page first.

    Raises:
        UnknownNameError: no table of that name.
    """
    written = []
    for name, text in _files(collection, options):
        write_bytes(options.out / name, text.encode("utf-8"))
        written.append(options.out / name)
    return written


def _files(collection: Collection, options: BuildOptions) -> Iterator[tuple[str, str]]:
    confidence = confidence_of(collection.everything)
    if options.table is None:
        yield from pages(collection, confidence, options.roots)
    names = [options.table] if options.table is not None else list(table_names(collection))
    for name in names:
        table = make_table(collection, name, confidence)
        for form in [options.form] if options.form else WRITERS:
            yield f"tables/{name}{SUFFIXES[form]}", WRITERS[form](table)


def pages(
    collection: Collection, confidence: Mapping[str, Confidence], roots: Mapping[str, Path]
) -> Iterator[tuple[str, str]]:
    """(path, text) of index.html, then of one page a method.

    Args:
        collection: what is shown.
        confidence: by signature.
        roots: dataset name -> folder, for pictures of best and worst cases.
    """
    entries = collection.everything
    environment = _environment()
    yield "index.html", _index(environment, collection, confidence)
    for view in method_views(entries, confidence, roots):
        yield f"methods/{view.slug}.html", _method(environment, view)


def _environment() -> Environment:
    from markupsafe import Markup

    environment = shared_environment(TEMPLATES)
    environment.globals |= {"COLUMNS": COLUMNS, "METRICS": METRICS, "percent": percent}
    environment.filters["slug"] = slug
    # Our own files, not text from results: they go in as they are.
    for name in ("css", "js"):
        text = (TEMPLATES / f"page.{name}").read_text(encoding="utf-8")
        environment.globals[name] = Markup(text)
    return environment


def _index(
    environment: Environment, collection: Collection, confidence: Mapping[str, Confidence]
) -> str:
    entries = collection.everything
    tabs = [board_tab(board, confidence) for board in boards(entries)]
    paper, texts = _paper(collection, confidence)
    tabs.append(paper)
    if found := plots(entries):
        tabs.append(Tab("robustness", "robustness", "Robustness", "Robustness", plots=tuple(found)))
    findings = tuple(check(entries))
    tabs.append(
        Tab("findings", "contradictions", "Contradictions", "Contradictions", findings=findings)
    )
    template = environment.get_template("index.html")
    return template.render(
        tabs=tabs, data=script_data(tabs, texts), version=__version__, count=len(entries)
    )


def _paper(
    collection: Collection, confidence: Mapping[str, Confidence]
) -> tuple[Tab, dict[str, str]]:
    """The tab of the paper's tables, and what its buttons copy."""
    from markupsafe import Markup

    shown: list[dict[str, Json]] = []
    texts: dict[str, str] = {}
    for name in PAPER_TABLES:
        table = make_table(Collection(collection.published, collection.runs), name, confidence)
        shown.append({"name": name, "html": Markup(WRITERS["html"](table))})  # escaped there
        texts |= {f"{name}.{form}": WRITERS[form](table) for form in ("latex", "markdown")}
    return Tab("paper", "paper", "Paper tables", "Tables of the paper", tables=tuple(shown)), texts


def _method(environment: Environment, view: MethodView) -> str:
    about = view.about.about
    return environment.get_template("method.html").render(
        view=view,
        parameters=millions(about.trainable_parameters),
        link=safe_url(about.url),
        data={"lines": {}, "boards": {}, "texts": {"bibtex": _sources(view)}},
    )


def _sources(view: MethodView) -> str:
    """BibTeX of the method's runs and of everything that prints a number of it, each once."""
    entries = sorted(view.entries, key=lambda e: e.run is None)
    return "\n\n".join(dict.fromkeys(bibtex(entry) for entry in entries))
