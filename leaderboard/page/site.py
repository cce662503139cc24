"""All files of the page, as text by path: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench import __version__
from rvosbench.records import Json

from ..boards import boards
from ..entries import Entry
from ..gathering import Collection, make_table
from ..labels import millions
from ..lint import check
from ..rendering import RENDERERS
from ..significance import Confidence
from ..specs import PAPER_TABLES
from .citing import bibtex
from .curves import plots
from .index import Tab, board_tab, script_data
from .methods import MethodView, method_views
from .provenance import safe_url

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parents[1] / "templates"


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
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
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
        shown.append({"name": name, "html": Markup(RENDERERS["html"](table))})  # escaped there
        texts |= {f"{name}.{form}": RENDERERS[form](table) for form in ("latex", "markdown")}
    return Tab("paper", "paper", "Paper tables", "Tables of the paper", tables=tuple(shown)), texts


def _method(environment: Environment, view: MethodView) -> str:
    about: Entry = view.about
    return environment.get_template("method.html").render(
        view=view,
        parameters=millions(about.about.trainable_parameters),
        link=safe_url(about.about.url),
        data={"lines": {}, "boards": {}, "texts": {"bibtex": _sources(view)}},
    )


def _sources(view: MethodView) -> str:
    """BibTeX of the method's runs and of everything that prints a number of it, each once."""
    entries = sorted(view.entries, key=lambda e: e.run is None)
    return "\n\n".join(dict.fromkeys(bibtex(entry) for entry in entries))
