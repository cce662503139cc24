"""Leaderboards: all methods on one split, published numbers and runs together.

Of several sources that print the same thing one is shown, the preferred one, and the others are
kept beside it. Places are given within a protocol, never across protocols.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from leaderboard.numbers.ablation import ABLATION_DEFAULTS, ablation
from leaderboard.numbers.entry import Entry
from leaderboard.tables.cells import footnoted, label_cell, score_cell
from leaderboard.tables.confidence import Confidences
from leaderboard.tables.paper import Label
from rvosbench.tables.table import METRICS, Row, Table, ranked, text_columns
from rvosbench.tables.training import DATASET_TITLES

COLUMNS = (
    Label("Method", "method"),
    Label("Venue", "venue", filter="venue"),
    Label("Backbone", "backbone", filter="backbone"),
    Label("Trainable", "parameters"),
    Label("Training data", "training_data", filter="training"),
    Label("Protocol", "protocol", filter="protocol"),
)
"""Label columns of a board, on the page too; then come the scores."""

_FIRST = ("mevis", "mevis-valid_u", "ref-youtube-vos", "ref-davis17")
_MISPRINTS = frozenset({"copied", "swapped"})


@dataclass(frozen=True)
class BoardEntry:
    """One method on a board.

    Attributes:
        entry: what is shown.
        others: what other sources print of the same thing.
    """

    entry: Entry
    others: tuple[Entry, ...] = ()

    @property
    def warning(self) -> str:
        """What a reviewer says about a misprint, which is shown and never ranked."""
        return self.entry.remarks(*_MISPRINTS)


@dataclass(frozen=True)
class Board:
    """All methods on one split, clean frames, the highest J&F first."""

    name: str
    title: str
    entries: tuple[BoardEntry, ...]

    @property
    def table_title(self) -> str:
        """Where it stands among other tables."""
        return f"{self.title}: all methods"


def boards(entries: Sequence[Entry]) -> list[Board]:
    """The boards of everything that was measured on clean frames."""
    splits: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if _belongs(entry):
            splits[entry.setting.dataset, entry.setting.split].append(entry)
    found = [_board(dataset, split, group) for (dataset, split), group in splits.items()]
    return sorted(found, key=lambda b: (_FIRST.index(b.name) if b.name in _FIRST else 99, b.name))


def board_table(board: Board, confidence: Confidences) -> Table:
    """A board as a table that any format can print."""
    rows = ranked([_row(shown, confidence) for shown in board.entries], second=True)
    rows, notes = footnoted(rows, [(shown.entry,) for shown in board.entries])
    return Table(
        board.name,
        board.table_title,
        text_columns((label.heading for label in COLUMNS), METRICS.values()),
        rows,
        "Best and second best within each protocol; unknown: the source does not say.",
        notes,
    )


def _row(shown: BoardEntry, confidence: Confidences) -> Row:
    """Labels, then scores, which are comparable within a protocol."""
    entry = shown.entry
    group = None if shown.warning else entry.setting
    cells = [label_cell(entry, column) for column in COLUMNS]
    cells += [score_cell(entry, metric, group, confidence) for metric in METRICS]
    return Row(tuple(cells), sources=(entry.source,))


def _belongs(entry: Entry) -> bool:
    """Clean frames, whole split, scores, and no ablation (but for the method without selector)."""
    if entry.setting.corruption is not None or entry.scores.jf is None:
        return False
    if entry.run is not None:
        return not entry.run.result.facts.get("videos")
    settings = {**(ablation(entry) or ABLATION_DEFAULTS), "selection_module": True}
    return settings == dict(ABLATION_DEFAULTS)


def _board(dataset: str, split: str, entries: Sequence[Entry]) -> Board:
    name = dataset if split == "valid" else f"{dataset}-{split}"
    title = f"{DATASET_TITLES.get(dataset, dataset)} {split}"
    groups: dict[Hashable, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[_subject(entry)].append(entry)
    return Board(name, title, tuple(sorted(map(_shown, groups.values()), key=_order)))


def _subject(entry: Entry) -> Hashable:
    a = entry.about
    selects = (ablation(entry) or ABLATION_DEFAULTS)["selection_module"]
    return entry.signature or (a.method.casefold(), a.training_data.casefold(), selects)


def _shown(group: Sequence[Entry]) -> BoardEntry:
    shown = min(group, key=_preference)
    return BoardEntry(shown, tuple(e for e in group if e is not shown))


def _preference(entry: Entry) -> tuple[bool, bool, int, str]:
    """Preferred first, then unsuspicious, then complete, then a fixed order."""
    preferred = entry.citation is not None and entry.citation.preferred
    missing = [entry.scores.j, entry.scores.f].count(None)
    return (not preferred, bool(entry.remarks(*_MISPRINTS)), missing, entry.source)


def _order(shown: BoardEntry) -> tuple[bool, float, str, str]:
    e = shown.entry
    last = e.upper_bound or bool(shown.warning)
    fixed = e.signature or e.about.version
    return (last, -(e.scores.jf or 0.0), e.about.method.casefold(), fixed)
