"""The paper's tables from their specs, published rows and our own runs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from rvosbench.recipe import digest

from .ablation import ablation
from .entries import FIGURES, Entry
from .fitting import block_of, misfit
from .labels import corruption_parts, label
from .significance import Confidence
from .specs import Block, Label, TableSpec
from .tables import TITLES, Cell, Column, Row, Table, letters, ranked, score_text

SOURCE = "sola"
"""The source whose tables these are."""


@dataclass
class _Line:
    """A row in the making."""

    group: str
    identity: Hashable
    entries: dict[Block, Entry] = field(default_factory=dict)

    @property
    def first(self) -> Entry:
        return next(iter(self.entries.values()))

    @property
    def is_run(self) -> bool:
        return self.first.run is not None


def assemble(
    spec: TableSpec,
    entries: Sequence[Entry],
    confidence: Mapping[str, Confidence] | None = None,
) -> Table:
    """A table of the paper, with the runs among `entries` that belong in it.

    Args:
        spec: which table.
        entries: published rows (of all sources) and runs.
        confidence: by signature, see `leaderboard.significance`; without it no intervals.
    """
    runs = [e for e in entries if e.run is not None]
    reasons = {id(e): misfit(spec, e) for e in runs}
    fitting = [e for e in runs if not reasons[id(e)]]
    lines = _published(spec, entries)
    for line in _lines(spec, fitting):
        lines.insert(_position(lines, line), line)
    blocks = _blocks(spec, lines)
    marks = dict(zip([id(x) for x in lines if x.is_run], letters(len(lines)), strict=False))
    rows = [_row(spec, x, blocks, marks.get(id(x), ""), confidence or {}) for x in lines]
    return Table(
        spec.name,
        spec.title,
        spec.note,
        tuple(_columns(spec, blocks)),
        ranked(rows, spec.second),
        tuple(footnotes(rows)),
        tuple(
            f"{e.where} is not in table {spec.name}: {reasons[id(e)]}"
            for e in runs
            if reasons[id(e)]
        ),
    )


def _published(spec: TableSpec, entries: Sequence[Entry]) -> list[_Line]:
    ours = [
        e
        for e in entries
        if e.citation
        and e.citation.source.id == SOURCE
        and e.citation.locator == f"Table {spec.name}"
    ]
    return _lines(spec, sorted(ours, key=lambda e: (e.citation and e.citation.row) or 0))


def _lines(spec: TableSpec, entries: Sequence[Entry]) -> list[_Line]:
    """Rows of entries: one row a contender (and corruption), its blocks side by side."""
    lines: list[_Line] = []
    for entry in entries:
        block, group, who = (
            block_of(spec, entry),
            _group(entry),
            (_identity(spec, entry), _who(entry)),
        )
        for line in lines:
            if (line.group, line.identity) == (group, who) and block not in line.entries:
                line.entries[block] = entry
                break
        else:
            lines.append(_Line(group, who, {block: entry}))
    return lines


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


def _who(entry: Entry) -> str:
    if entry.run is None:
        return ""
    facts = entry.run.result.facts
    return digest([entry.about.method, entry.about.training_data, *map(facts.get, _CONTENDER)])


_CONTENDER = ("method", "preset", "config", "missing")


def _position(lines: Sequence[_Line], new: _Line) -> int:
    """After the rows of the same thing, otherwise at the end of its group or of the table."""
    group = [i for i, line in enumerate(lines) if line.group == new.group]
    same = [i for i in group if lines[i].identity[0] == new.identity[0]]  # type: ignore[index]
    return (same or group or [len(lines) - 1])[-1] + 1


def _blocks(spec: TableSpec, lines: Sequence[_Line]) -> list[Block]:
    extra = {b for line in lines for b in line.entries} - set(spec.blocks)
    return [*spec.blocks, *sorted(extra, key=lambda b: (b.dataset, b.split, b.protocol))]


def _columns(spec: TableSpec, blocks: Sequence[Block]) -> list[Column]:
    several = len(blocks) > len(spec.blocks)
    columns = [Column(x.heading) for x in spec.labels]
    for block in blocks:
        heading = block.title if several else block.heading
        columns += [Column(TITLES[figure], heading, numeric=True) for figure in FIGURES]
    return columns


def _row(
    spec: TableSpec,
    line: _Line,
    blocks: Sequence[Block],
    mark: str,
    confidence: Mapping[str, Confidence],
) -> Row:
    cells = [_label_cell(line, x) for x in spec.labels]
    for block in blocks:
        entry = line.entries.get(block)
        cells += [score_cell(entry, name, (block, line.group), confidence) for name in FIGURES]
    return Row(tuple(cells), line.group, mark, tuple(line.entries.values()))


def _label_cell(line: _Line, column: Label) -> Cell:
    text = label(line.first, column.field)
    count = line.first.about.trainable_parameters
    if column.best != "low" or count is None:
        return Cell(text)
    ranks = None if unranked(line.first) else (column.field, line.group)
    return Cell(text, count / 1e6, group=ranks, best="low")


def score_cell(
    entry: Entry | None, figure: str, group: Hashable, confidence: Mapping[str, Confidence]
) -> Cell:
    """The cell of one score; an upper bound is in no group, so it is never ranked."""
    text, value = score_text(entry, figure)
    if entry is None or value is None:
        return Cell(text)
    known = confidence.get(entry.run.signature) if entry.run else None
    return Cell(
        text,
        value,
        interval=known.intervals.get(figure) if known else None,
        tied=bool(known and known.tied and figure == "jf"),
        group=None if unranked(entry) else (figure, group),
    )


def unranked(entry: Entry) -> bool:
    """Whether the entry saw the truth."""
    return entry.run is not None and entry.run.result.upper_bound


def footnotes(rows: Sequence[Row]) -> list[str]:
    """One a run: what it is and its signatures; then what the signs mean."""
    notes = [f"{row.mark}: {run_note(row.entries)}" for row in rows if row.mark]
    if any(cell.interval for row in rows for cell in row.cells):
        notes.append(
            "[low, high]: 95 % confidence interval of a run, bootstrap over videos. Published "
            "numbers have no scores by video, so they have none."
        )
    if any(cell.tied for row in rows for cell in row.cells):
        notes.append(
            "≈: not distinguishable from the best run measured the same way (paired permutation "
            "test over videos, p >= 0.05)."
        )
    return notes


def run_note(entries: Sequence[Entry]) -> str:
    """What a run's footnote says: training data, remarks, signatures."""
    first = entries[0]
    trained = first.about.training_data
    parts = [f"our run, trained on {trained}" if trained else "our run, training data not said"]
    if unranked(first):
        parts.append("an upper bound that sees the truth, never ranked")
    parts += sorted({f"frames {e.setting.corruption}" for e in entries if e.setting.corruption})
    results = [e.run.result for e in entries if e.run]
    if any(r.facts.get("missing") == "zero" for r in results):
        parts.append("missing predictions count as empty")
    if any(r.facts.get("scored_by") for r in results):
        parts.append("scored by the authors' server")
    return f"{', '.join(parts)}; {'; '.join(e.run.signature for e in entries if e.run)}"
