"""Tables by their names: those of the paper, then one board a split, from the numbers."""

from __future__ import annotations

from leaderboard.numbers.collection import Collection
from leaderboard.tables.board import board_table, boards
from leaderboard.tables.confidence import Confidences, confidence_of
from leaderboard.tables.paper import PAPER_TABLES
from leaderboard.tables.paper_table import assemble
from rvosbench.errors import UnknownNameError
from rvosbench.tables.table import Table


def table_names(collection: Collection) -> dict[str, str]:
    """Name -> title of every table there is."""
    paper = {name: spec.title for name, spec in PAPER_TABLES.items()}
    return paper | {b.name: b.table_title for b in boards(collection.everything)}


def make_table(collection: Collection, name: str, confidence: Confidences | None = None) -> Table:
    """The paper's table or the board called `name`.

    The paper's tables hold the paper's rows and the given runs; boards hold everything.

    Args:
        collection: what there is.
        name: see `table_names`.
        confidence: by signature; None computes it, which takes the longest.

    Raises:
        UnknownNameError: there is neither.
    """
    if name in PAPER_TABLES:
        entries = (*collection.published, *collection.given)
        known = confidence_of(entries) if confidence is None else confidence
        return assemble(PAPER_TABLES[name], entries, known)
    found = {board.name: board for board in boards(collection.everything)}
    if name not in found:
        raise UnknownNameError("table", name, [*PAPER_TABLES, *found])
    if confidence is None:
        confidence = confidence_of([row.entry for row in found[name].entries])
    return board_table(found[name], confidence)
