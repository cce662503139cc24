"""Leaderboards: all methods on one split, published numbers and runs together.

Of several sources that print the same thing one is shown, the preferred one, and the others are
kept beside it. Places are given within a protocol, never across protocols.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rvosbench.errors import UnknownNameError

from .ablation import ABLATION_DEFAULTS, ablation
from .assembling import footnotes, score_cell, unranked
from .entries import FIGURES, Entry
from .labels import label
from .significance import Confidence
from .tables import TITLES, Cell, Column, Row, Table, letters, ranked

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "method": "Method",
        "venue": "Venue",
        "backbone": "Backbone",
        "parameters": "Trainable",
        "training_data": "Training data",
        "protocol": "Protocol",
    }
)
"""Label columns of a board: field -> heading."""

_FIRST = ("mevis", "mevis-valid_u", "ref-youtube-vos", "ref-davis17")
_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "mevis": "MeViS",
        "ref-youtube-vos": "Ref-YouTube-VOS",
        "ref-davis17": "Ref-DAVIS17",
        "demo": "MotionShapes (demo)",
    }
)
_MISPRINTS = frozenset({"copied", "swapped"})


@dataclass(frozen=True)
class Line:
    """One method on a board.

    Attributes:
        entry: what is shown.
        others: what other sources print of the same thing.
        warning: a known misprint: shown, never ranked.
    """

    entry: Entry
    others: tuple[Entry, ...] = ()
    warning: str = ""


@dataclass(frozen=True)
class Board:
    """All methods on one split, clean frames, the highest J&F first."""

    name: str
    title: str
    dataset: str
    split: str
    lines: tuple[Line, ...]


def boards(entries: Sequence[Entry]) -> list[Board]:
    """The boards of everything that was measured on clean frames."""
    splits: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if _belongs(entry):
            splits[entry.setting.dataset, entry.setting.split].append(entry)
    found = [_board(dataset, split, group) for (dataset, split), group in splits.items()]
    return sorted(found, key=lambda b: (_FIRST.index(b.name) if b.name in _FIRST else 99, b.name))


def board(entries: Sequence[Entry], name: str) -> Board:
    """The board called `name`; raises UnknownNameError."""
    found = {b.name: b for b in boards(entries)}
    if name not in found:
        raise UnknownNameError("board", name, found)
    return found[name]


def board_table(board: Board, confidence: Mapping[str, Confidence]) -> Table:
    """A board as a table that any format can print."""
    is_run = [line.entry.run is not None for line in board.lines]
    marks = iter(list(letters(sum(is_run))))
    rows = []
    for line, run in zip(board.lines, is_run, strict=True):
        mark = next(marks) if run else ""
        rows.append(Row(tuple(cells(line, confidence)), "", mark, (line.entry,)))
    columns = [Column(heading) for heading in COLUMNS.values()]
    columns += [Column(TITLES[figure], numeric=True) for figure in FIGURES]
    note = "Best and second best within each protocol; unknown: the source does not say."
    return Table(
        board.name,
        f"{board.title}: all methods",
        note,
        tuple(columns),
        ranked(rows, second=True),
        tuple(footnotes(rows)),
    )


def cells(line: Line, confidence: Mapping[str, Confidence]) -> Iterable[Cell]:
    """The cells of a line: labels, then scores, which are comparable within a protocol."""
    for field in COLUMNS:
        yield Cell(label(line.entry, field))
    for figure in FIGURES:
        group = None if line.warning else line.entry.setting
        cell = score_cell(line.entry, figure, group, confidence)
        yield Cell(cell.text, cell.value) if line.warning else cell


def warning(entry: Entry) -> str:
    """What a reviewer says about a misprint; empty if there is none."""
    flags = entry.citation.flags if entry.citation else ()
    return "; ".join(flag.note for flag in flags if flag.rule in _MISPRINTS)


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
    title = f"{_TITLES.get(dataset, dataset)} {split}"
    groups: dict[Hashable, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[_subject(entry)].append(entry)
    lines = [_line(group) for group in groups.values()]
    return Board(name, title, dataset, split, tuple(sorted(lines, key=_order)))


def _subject(entry: Entry) -> Hashable:
    if entry.run is not None:
        return entry.run.signature
    a = entry.about
    selects = (ablation(entry) or ABLATION_DEFAULTS)["selection_module"]
    return (a.method.casefold(), a.training_data.casefold(), selects)


def _line(group: Sequence[Entry]) -> Line:
    shown = min(group, key=_preference)
    return Line(shown, tuple(e for e in group if e is not shown), warning(shown))


def _preference(entry: Entry) -> tuple[bool, bool, int, str, str]:
    """Preferred first, then unsuspicious, then complete, then a fixed order."""
    citation = entry.citation
    if citation is None:
        return (False, False, 0, "", "")
    missing = [entry.scores.j, entry.scores.f].count(None)
    place = (citation.source.id, citation.locator)
    return (not citation.preferred, bool(warning(entry)), missing, *place)


def _order(line: Line) -> tuple[bool, float, str, str]:
    e = line.entry
    signature = e.run.signature if e.run else e.about.version
    last = unranked(e) or bool(line.warning)
    return (last, -(e.scores.jf or 0.0), e.about.method.casefold(), signature)
