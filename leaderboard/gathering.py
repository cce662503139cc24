"""What a command works on: published numbers, reviewed results, and the runs it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rvosbench.errors import UnknownNameError

from .adding import LOCAL
from .assembling import assemble
from .boards import board, board_table, boards
from .entries import Entry
from .published import FOLDER, read_published
from .runs import REVIEWED, order, read_runs, stored_runs
from .significance import Confidence, confidences
from .specs import PAPER_TABLES, paper_table
from .tables import Table


@dataclass(frozen=True)
class Collection:
    """Everything that is known.

    Attributes:
        published: rows of papers.
        given: runs that the user named, for the paper's tables.
        stored: reviewed results, of the package and of the working folder.
        unreadable: files among them that are left out, with the reason.
    """

    published: tuple[Entry, ...]
    given: tuple[Entry, ...] = ()
    stored: tuple[Entry, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[Entry, ...]:
        """Given and stored runs, one a signature."""
        found: dict[str, Entry] = {}
        for entry in (*self.given, *self.stored):
            if entry.run is not None:
                found.setdefault(entry.run.signature, entry)
        return tuple(sorted(found.values(), key=order))

    @property
    def everything(self) -> tuple[Entry, ...]:
        """Published rows, then runs."""
        return (*self.published, *self.runs)


def gather(with_runs: Sequence[Path] = (), published: Path = FOLDER) -> Collection:
    """Read everything; raises ResultError or UsageError, see the readers."""
    given, reviewed, local = read_runs(with_runs), stored_runs(REVIEWED), stored_runs(LOCAL)
    return Collection(
        tuple(read_published(published)),
        given.entries,
        (*reviewed.entries, *local.entries),
        (*given.unreadable, *reviewed.unreadable, *local.unreadable),
    )


def certainty(entries: Sequence[Entry]) -> dict[str, Confidence]:
    """Signature -> confidence of all runs among the entries."""
    return confidences([e.run.result for e in entries if e.run is not None])


def table_names(collection: Collection) -> dict[str, str]:
    """Name -> title of every table there is: the paper's, then the boards."""
    paper = {name: spec.title for name, spec in PAPER_TABLES.items()}
    return paper | {b.name: f"{b.title}: all methods" for b in boards(collection.everything)}


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
        known = certainty(entries) if confidence is None else confidence
        return assemble(paper_table(name), entries, known)
    names = table_names(collection)
    if name not in names:
        raise UnknownNameError("table", name, names)
    found = board(collection.everything, name)
    if confidence is None:
        confidence = certainty([line.entry for line in found.lines])
    return board_table(found, confidence)
