"""Every table by its name: the paper's, then one board a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leaderboard.numbers.collection import Collection
from leaderboard.numbers.entry import Entry
from leaderboard.tables.board import board, board_table, boards
from leaderboard.tables.confidence import Confidence, confidences
from leaderboard.tables.paper import PAPER_TABLES
from leaderboard.tables.paper_table import assemble
from rvosbench.errors import UnknownNameError
from rvosbench.tables.table import Table


def confidence_of(entries: Sequence[Entry]) -> dict[str, Confidence]:
    """Signature -> confidence of all runs among the entries."""
    return confidences([e.run.result for e in entries if e.run is not None])


def table_names(collection: Collection) -> dict[str, str]:
    """Name -> title of every table there is."""
    paper = {name: spec.title for name, spec in PAPER_TABLES.items()}
    return paper | {b.name: b.table_title for b in boards(collection.everything)}


def make_table(
    collection: Collection, name: str, confidence: Mapping[str, Confidence] | None = None
) -> Table:
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
    names = table_names(collection)
    if name not in names:
        raise UnknownNameError("table", name, names)
    found = board(collection.everything, name)
    if confidence is None:
        confidence = confidence_of([row.entry for row in found.entries])
    return board_table(found, confidence)
