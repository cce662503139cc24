"""The paper's tables from their specs, published rows, and the runs that belong in them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from leaderboard.numbers.ablation import ABLATION_DEFAULTS, ablation
from leaderboard.numbers.entry import Entry
from leaderboard.tables.cells import corruption_parts, footnoted, label_cell, score_cell
from leaderboard.tables.confidence import Confidences
from leaderboard.tables.paper import Block, TableSpec
from rvosbench.tables.published import UNKNOWN
from rvosbench.tables.table import METRICS, Column, Row, Table, ranked
from rvosbench.tables.training import training_sets

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
    spec: TableSpec, entries: Sequence[Entry], confidence: Confidences | None = None
) -> Table:
    """A table of the paper, with the runs among `entries` that belong in it.

    Args:
        spec: which table.
        entries: published rows (of all sources) and runs.
        confidence: by signature, see `leaderboard.tables.confidence`; without it no intervals.
    """
    runs = [(e, why_not_in(spec, e)) for e in entries if e.run is not None]
    left_out = [f"{e.where} is not in table {spec.name}: {reason}" for e, reason in runs if reason]
    drafts = _published(spec, entries)
    for draft in _drafts(spec, [e for e, reason in runs if not reason]):
        drafts.insert(_position(drafts, draft), draft)
    blocks = _blocks(spec, drafts)
    rows = ranked([_row(spec, draft, blocks, confidence or {}) for draft in drafts], spec.second)
    rows, notes = footnoted(rows, [tuple(draft.entries.values()) for draft in drafts])
    columns = tuple(_columns(spec, blocks))
    return Table(
        spec.name, spec.title, columns, rows, spec.note, notes, tuple(left_out), numbered=True
    )


def _published(spec: TableSpec, entries: Sequence[Entry]) -> list[DraftRow]:
    place = (SOURCE, f"Table {spec.name}")
    ours = [
        (e.citation.row or 0, e)
        for e in entries
        if e.citation and (e.citation.source.id, e.citation.locator) == place
    ]
    return _drafts(spec, [entry for _, entry in sorted(ours, key=lambda found: found[0])])


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


def _row(spec: TableSpec, draft: DraftRow, blocks: Sequence[Block], confidence: Confidences) -> Row:
    cells = [label_cell(draft.first, label, draft.group) for label in spec.labels]
    for block in blocks:
        entry = draft.entries.get(block)
        cells += [score_cell(entry, name, (block, draft.group), confidence) for name in METRICS]
    sources = tuple(entry.source for entry in draft.entries.values())
    return Row(tuple(cells), draft.group, sources=sources)


def why_not_in(spec: TableSpec, entry: Entry) -> str | None:
    """Why a run does not belong in a table; None if it does."""
    checks = (_measured, _dataset, _frames, _training, _configuration)
    return next((reason for check in checks if (reason := check(spec, entry))), None)


def block_of(spec: TableSpec, entry: Entry) -> Block:
    """The score columns of an entry: the table's own, or new ones with a label of their own.

    Only an equal dataset, split and protocol share columns; "unknown" equals nothing measured.
    """
    setting = entry.setting
    same = next(b for b in spec.blocks if b.dataset == setting.dataset)
    nameless = entry.run is not None and setting.protocol == UNKNOWN
    equal = setting.protocol == same.protocol and not nameless
    if equal and setting.split == same.split:
        return same
    split = "" if setting.split == same.split else f" {setting.split}"
    named = "not recorded" if nameless else setting.protocol
    title = f"{same.title}{split}{'' if equal else f' (protocol {named})'}"
    return Block(title, title, setting.dataset, setting.split, named)


def _measured(spec: TableSpec, entry: Entry) -> str | None:
    if entry.scores.jf is None:
        return "it has no scores (a split without ground truth)"
    videos = entry.run.result.facts.get("videos") if entry.run is not None else None
    return f"it is of a part of the split only ({len(videos)} videos)" if videos else None


def _dataset(spec: TableSpec, entry: Entry) -> str | None:
    names = sorted({b.dataset for b in spec.blocks})
    if entry.setting.dataset in names:
        return None
    return f"it is on {entry.setting.dataset}, the table on {' and '.join(names)}"


def _frames(spec: TableSpec, entry: Entry) -> str | None:
    if spec.corrupted and entry.setting.corruption is None:
        return "its frames are clean, the table's corrupted"
    if not spec.corrupted and entry.setting.corruption is not None:
        return f"its frames are corrupted ({entry.setting.corruption}), the table's clean"
    return None


def _training(spec: TableSpec, entry: Entry) -> str | None:
    settings = ablation(entry)
    if settings is not None and not settings["selection_module"]:
        return None  # nothing is trained
    trained = training_sets(entry.about.training_data)
    if spec.training.needs <= trained and not spec.training.without & trained:
        return None
    return (
        f"its training data is {entry.about.training_data or 'not said'!r}, "
        f"the table's {spec.training.text}"
    )


def _configuration(spec: TableSpec, entry: Entry) -> str | None:
    settings = ablation(entry)
    if settings is None:
        return None if spec.any_method else "the table is an ablation of SOLA, and it is not SOLA"
    odd = {k: v for k, v in settings.items() if v != ABLATION_DEFAULTS[k] and k not in spec.varies}
    if not odd:
        return None
    said = ", ".join(f"{k}={v}" for k, v in sorted(odd.items()))
    return f"its configuration is another one ({said})"
