"""The paper's tables from their specs, published rows and our own runs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from leaderboard.numbers.ablation import ablation
from leaderboard.numbers.entry import Entry
from leaderboard.tables.cells import corruption_parts, footnotes, label_cell, score_cell
from leaderboard.tables.confidence import Confidence
from leaderboard.tables.membership import block_of, why_not_in
from leaderboard.tables.paper import Block, TableSpec
from rvosbench.tables.table import METRICS, Column, Row, Table, letters, ranked

SOURCE = "sola"
"""The source whose tables these are."""


@dataclass
class DraftRow:
    """A row in the making.

    Attributes:
        group: corruption, in tables that are grouped by it.
        identity: what it is about; rows of the same thing stand together. Then, of a run, who.
        entries: its numbers by the columns that they stand in.
    """

    group: str
    identity: tuple[Hashable, Hashable]
    entries: dict[Block, Entry] = field(default_factory=dict)

    @property
    def first(self) -> Entry:
        """The entry that its labels are of."""
        return next(iter(self.entries.values()))


def assemble(
    spec: TableSpec,
    entries: Sequence[Entry],
    confidence: Mapping[str, Confidence] | None = None,
) -> Table:
    """A table of the paper, with the runs among `entries` that belong in it.

    Args:
        spec: which table.
        entries: published rows (of all sources) and runs.
        confidence: by signature, see `leaderboard.tables.confidence`; without it no intervals.
    """
    runs = [e for e in entries if e.run is not None]
    reasons = {id(e): why_not_in(spec, e) for e in runs}
    fitting = [e for e in runs if not reasons[id(e)]]
    drafts = _published(spec, entries)
    for draft in _drafts(spec, fitting):
        drafts.insert(_position(drafts, draft), draft)
    blocks, free = _blocks(spec, drafts), letters(len(drafts))
    marks = [next(free) if draft.first.run else "" for draft in drafts]
    rows = [
        _row(spec, draft, blocks, mark, confidence or {})
        for draft, mark in zip(drafts, marks, strict=True)
    ]
    return Table(
        spec.name,
        spec.title,
        tuple(_columns(spec, blocks)),
        ranked(rows, spec.second),
        spec.note,
        footnotes(rows, zip(marks, [tuple(d.entries.values()) for d in drafts], strict=True)),
        tuple(
            f"{e.where} is not in table {spec.name}: {reasons[id(e)]}"
            for e in runs
            if reasons[id(e)]
        ),
        numbered=True,
    )


def _published(spec: TableSpec, entries: Sequence[Entry]) -> list[DraftRow]:
    ours = [
        e
        for e in entries
        if e.citation
        and e.citation.source.id == SOURCE
        and e.citation.locator == f"Table {spec.name}"
    ]
    return _drafts(spec, sorted(ours, key=lambda e: (e.citation and e.citation.row) or 0))


def _drafts(spec: TableSpec, entries: Sequence[Entry]) -> list[DraftRow]:
    """Rows of entries: one row a contender (and corruption), its blocks side by side."""
    drafts: list[DraftRow] = []
    for entry in entries:
        block, group = block_of(spec, entry), _group(entry)
        identity = (_identity(spec, entry), entry.run and entry.contender)
        for draft in drafts:
            if (draft.group, draft.identity) == (group, identity) and block not in draft.entries:
                draft.entries[block] = entry
                break
        else:
            drafts.append(DraftRow(group, identity, {block: entry}))
    return drafts


def _group(entry: Entry) -> str:
    if entry.setting.corruption is None:
        return ""
    name, severity = corruption_parts(entry.setting.corruption)
    return f"{name}:{severity}"


def _identity(spec: TableSpec, entry: Entry) -> Hashable:
    """What a row of the table is about: a method, or the settings that it varies."""
    settings = ablation(entry)
    if spec.varies and settings is not None:
        return tuple(settings[key] for key in spec.varies)
    return entry.about.method.casefold()


def _position(drafts: Sequence[DraftRow], new: DraftRow) -> int:
    """After the rows of the same thing, otherwise at the end of its group or of the table."""
    group = [i for i, draft in enumerate(drafts) if draft.group == new.group]
    same = [i for i in group if drafts[i].identity[0] == new.identity[0]]
    return (same or group or [len(drafts) - 1])[-1] + 1


def _blocks(spec: TableSpec, drafts: Sequence[DraftRow]) -> list[Block]:
    extra = {b for draft in drafts for b in draft.entries} - set(spec.blocks)
    return [*spec.blocks, *sorted(extra, key=lambda b: (b.dataset, b.split, b.protocol))]


def _columns(spec: TableSpec, blocks: Sequence[Block]) -> list[Column]:
    several = len(blocks) > len(spec.blocks)
    columns = [Column(x.heading) for x in spec.labels]
    for block in blocks:
        heading = block.title if several else block.heading
        columns += [Column(title, heading, numeric=True) for title in METRICS.values()]
    return columns


def _row(
    spec: TableSpec,
    draft: DraftRow,
    blocks: Sequence[Block],
    mark: str,
    confidence: Mapping[str, Confidence],
) -> Row:
    cells = [label_cell(draft.first, label, draft.group) for label in spec.labels]
    for block in blocks:
        entry = draft.entries.get(block)
        cells += [score_cell(entry, name, (block, draft.group), confidence) for name in METRICS]
    return Row(tuple(cells), draft.group, mark, tuple(e.source for e in draft.entries.values()))
