"""What the front page shows: one tab a board, then the paper's tables, robustness, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rvosbench.records import Json

from ..assembling import unranked
from ..boards import Board, board_table, cells
from ..entries import Entry
from ..labels import label
from ..lint import Finding
from ..rendering.latex import to_latex
from ..significance import Confidence
from ..tables import Cell, Row, ranked
from .citing import bibtex, latex_row
from .curves import Plot
from .methods import slug
from .provenance import provenance

FIELDS = ("method", "venue", "backbone", "parameters", "training_data", "protocol")
FILTERS = (
    ("venue", "venue", "Venue"),
    ("backbone", "backbone", "Backbone"),
    ("training", "training_data", "Training data"),
    ("protocol", "protocol", "Protocol"),
)


@dataclass(frozen=True)
class BoardRow:
    """A row of a board, and what the page's script needs of it."""

    id: str
    slug: str
    labels: Mapping[str, str]
    cells: tuple[Cell, ...]
    kind: str
    tag: str
    warning: str
    trainable: str
    line: Mapping[str, Json]

    @property
    def is_run(self) -> bool:
        """A run of ours or a user, not a published number."""
        return self.kind == "run"


@dataclass(frozen=True)
class Tab:
    """A tab; what it holds depends on its kind: board, paper, robustness, findings."""

    kind: str
    name: str
    title: str
    heading: str
    rows: tuple[BoardRow, ...] = ()
    filters: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    tables: tuple[Mapping[str, Json], ...] = ()
    plots: tuple[Plot, ...] = ()
    findings: tuple[Finding, ...] = ()
    latex: Mapping[str, str] = field(default_factory=dict)

    @property
    def tied(self) -> bool:
        """Whether any row is marked as not distinguishable from the best."""
        return any(cell.tied for row in self.rows for cell in row.cells)


def board_tab(board: Board, confidence: Mapping[str, Confidence]) -> Tab:
    """A board as a tab."""
    drafts = [Row(tuple(cells(line, confidence))) for line in board.lines]
    finished = ranked(drafts, second=True)
    rows = tuple(
        BoardRow(
            id=f"{board.name}-{index}",
            slug=slug(line.entry.about.method),
            labels={name: label(line.entry, name) for name in FIELDS},
            cells=row.cells[len(FIELDS) :],
            kind="run" if line.entry.run else "published",
            tag=_tag(line.entry),
            warning=line.warning,
            trainable=_number(line.entry.about.trainable_parameters),
            line={
                "facts": provenance(line, confidence),
                "latex": latex_row(list(row.cells)),
                "bibtex": bibtex(line.entry),
            },
        )
        for index, (line, row) in enumerate(zip(board.lines, finished, strict=True))
    )
    filters = tuple((name, heading, _choices(rows, key)) for name, key, heading in FILTERS)
    return Tab(
        "board",
        board.name,
        board.title,
        board.title,
        rows,
        filters,
        latex=_frame(board, confidence),
    )


def script_data(tabs: Sequence[Tab], texts: Mapping[str, str]) -> dict[str, Json]:
    """What the page's script needs: pop-ups, LaTeX and BibTeX by row, frames of the boards."""
    return {
        "lines": {row.id: row.line for tab in tabs for row in tab.rows},
        "boards": {tab.name: tab.latex for tab in tabs if tab.kind == "board"},
        "texts": dict(texts),
    }


def _tag(entry: Entry) -> str:
    if entry.run is not None:
        return "run, upper bound" if unranked(entry) else "run"
    return entry.about.version


def _number(count: int | None) -> str:
    return "" if count is None else str(count)


def _choices(rows: Sequence[BoardRow], key: str) -> tuple[str, ...]:
    return tuple(sorted({row.labels[key] for row in rows}, key=str.casefold))


def _frame(board: Board, confidence: Mapping[str, Confidence]) -> dict[str, str]:
    """LaTeX before and after the rows of a board."""
    empty = Board(board.name, board.title, board.dataset, board.split, ())
    text = to_latex(board_table(empty, confidence))
    before, rule, after = text.partition("\\midrule\n")
    return {"begin": f"{before}{rule}".rstrip("\n"), "end": after.rstrip("\n")}
