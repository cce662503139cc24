"""What the front page shows: one tab a board, then the paper's tables, robustness, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leaderboard.checks import Finding
from leaderboard.page.provenance import bibtex, provenance
from leaderboard.page.robustness import Plot
from leaderboard.tables.board import COLUMNS, Board, BoardEntry, board_table
from leaderboard.tables.confidence import Confidence
from rvosbench.records import Json
from rvosbench.tables.latex import row_text, to_latex
from rvosbench.tables.table import Row


@dataclass(frozen=True)
class Tab:
    """A tab; what it holds depends on its kind: board, paper, robustness, findings.

    Attributes:
        rows: of a board: what is shown, and its cells with their places.
        tables: of the paper: name and HTML.
        lines: of a board: what the page's script needs of each row.
        latex: of a board: LaTeX before and after its rows.
    """

    kind: str
    name: str
    title: str
    heading: str
    rows: tuple[tuple[BoardEntry, Row], ...] = ()
    tables: tuple[Mapping[str, Json], ...] = ()
    plots: tuple[Plot, ...] = ()
    findings: tuple[Finding, ...] = ()
    lines: tuple[Mapping[str, Json], ...] = ()
    latex: Mapping[str, str] = field(default_factory=dict)

    @property
    def tied(self) -> bool:
        """Whether any row is marked as not distinguishable from the best."""
        return any(cell.tied for _, row in self.rows for cell in row.cells)

    @property
    def filters(self) -> list[tuple[str, str, list[str]]]:
        """Name, heading and choices of each filter."""
        texts = {
            column: {row.cells[i].text for _, row in self.rows} for i, column in enumerate(COLUMNS)
        }
        return [
            (column.filter, column.heading, sorted(found, key=str.casefold))
            for column, found in texts.items()
            if column.filter
        ]


def board_tab(board: Board, confidence: Mapping[str, Confidence]) -> Tab:
    """A board as a tab."""
    table = board_table(board, confidence)
    lines = tuple(
        {
            "facts": provenance(shown, confidence),
            "latex": row_text(row),
            "bibtex": bibtex(shown.entry),
        }
        for shown, row in zip(board.entries, table.rows, strict=True)
    )
    return Tab(
        "board",
        board.name,
        board.title,
        board.title,
        tuple(zip(board.entries, table.rows, strict=True)),
        lines=lines,
        latex=_frame(board),
    )


def script_data(tabs: Sequence[Tab], texts: Mapping[str, str]) -> dict[str, Json]:
    """What the page's script needs: pop-ups, LaTeX and BibTeX by row, frames of the boards."""
    return {
        "lines": {f"{tab.name}-{i}": line for tab in tabs for i, line in enumerate(tab.lines)},
        "boards": {tab.name: tab.latex for tab in tabs if tab.kind == "board"},
        "texts": dict(texts),
    }


def _frame(board: Board) -> dict[str, str]:
    """LaTeX before and after the rows of a board."""
    text = to_latex(board_table(Board(board.name, board.title, ()), {}))
    before, rule, after = text.partition("\\midrule\n")
    return {"begin": f"{before}{rule}".rstrip("\n"), "end": after.rstrip("\n")}
