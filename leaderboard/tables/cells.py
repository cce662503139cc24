"""Cells: what stands in the label and score columns of an entry, and the footnotes of runs."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from leaderboard.numbers.ablation import ablation
from leaderboard.numbers.entry import Entry
from leaderboard.tables.confidence import Confidences
from leaderboard.tables.paper import Label
from rvosbench.records import Json
from rvosbench.tables.table import NO, NOTHING, YES, Cell, Row, as_printed, letters

_WORDS: Mapping[tuple[str, Json], str] = MappingProxyType(
    {
        ("selection_module", False): "w/o selection module",
        ("selection_module", True): "w/ selection module",
        ("alignment_weight", 0.0): "w/o L_align",
        ("alignment_weight", 0.3): "w/ L_align",
    }
)


def label(entry: Entry, field: str) -> str:
    """The text of a label column for an entry; a dash where nothing is known."""
    about = entry.about
    if field == "method":
        return entry.name
    if field == "parameters":
        return millions(about.trainable_parameters)
    if field == "corruption":
        return corruption_title(entry.setting.corruption)
    if field in ("venue", "backbone", "training_data"):
        return str(getattr(about, field)) or NOTHING
    if field == "protocol":
        return entry.setting.protocol
    return _choice(field, (ablation(entry) or {}).get(field))


def label_cell(entry: Entry, column: Label, group: Hashable = "") -> Cell:
    """The cell of a label column; a count is ranked within its group where the column says so."""
    text, count = label(entry, column.field), entry.about.trainable_parameters
    if column.best != "low" or count is None:
        return Cell(text)
    ranks = None if entry.upper_bound else (column.field, group)
    return Cell(text, count / 1e6, group=ranks, best="low")


def score_text(entry: Entry, metric: str) -> str:
    """A score as it is printed: a published number keeps its digits, a run's has one."""
    value = getattr(entry.scores, metric)
    if value is None:
        return NOTHING
    return as_printed(value) if entry.run is None else f"{value:.1f}"


def score_cell(entry: Entry | None, metric: str, group: Hashable, confidence: Confidences) -> Cell:
    """The cell of one score; with None as its group it is never ranked, as an upper bound is."""
    value = getattr(entry.scores, metric) if entry is not None else None
    if entry is None or value is None:
        return Cell(NOTHING)
    known = confidence.get(entry.signature)
    return Cell(
        score_text(entry, metric),
        value,
        interval=known.intervals.get(metric) if known else None,
        tied=bool(known and known.tied and metric == "jf"),
        group=None if group is None or entry.upper_bound else (metric, group),
    )


def footnoted(
    rows: Sequence[Row], entries: Sequence[Sequence[Entry]]
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Rows with the marks of runs, and what every marked row is, then what the signs mean.

    Args:
        rows: of the table.
        entries: of each row.
    """
    free = letters(len(rows))
    marks = [next(free) if found[0].run else "" for found in entries]
    notes = [f"{m}: {run_note(found)}" for m, found in zip(marks, entries, strict=True) if m]
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
    return tuple(replace(r, mark=m) for r, m in zip(rows, marks, strict=True)), tuple(notes)


def run_note(entries: Sequence[Entry]) -> str:
    """What a run's footnote says: training data, remarks, signatures."""
    first = entries[0]
    trained = first.about.training_data
    parts = [f"our run, trained on {trained}" if trained else "our run, training data not said"]
    if first.upper_bound:
        parts.append("an upper bound that sees the ground truth, never ranked")
    parts += sorted({f"frames {e.setting.corruption}" for e in entries if e.setting.corruption})
    results = [e.run.result for e in entries if e.run]
    if any(r.facts.get("missing") == "zero" for r in results):
        parts.append("missing predictions count as empty")
    if any(r.facts.get("scored_by") for r in results):
        parts.append("scored by the authors' server")
    return f"{', '.join(parts)}; {'; '.join(e.source for e in entries)}"


def millions(count: int | None) -> str:
    """A count of parameters as papers print it: `32.9 M`; a dash if unknown."""
    if count is None:
        return NOTHING
    return "0" if count == 0 else f"{count / 1e6:.1f} M"


def corruption_title(corruption: str | None) -> str:
    """`motion_blur:5@per_frame` -> `Motion blur`; another severity than 5 is said."""
    if corruption is None:
        return "Clean"
    name, severity = corruption_parts(corruption)
    title = name.replace("_", " ").capitalize()
    return title if severity == 5 else f"{title}, severity {severity}"


def corruption_parts(corruption: str) -> tuple[str, int | None]:
    """Name and severity of a corruption; whatever follows them is left out."""
    found = re.match(r"([A-Za-z0-9_]+):(\d+)", corruption)
    return (found[1], int(found[2])) if found else (corruption, None)


def _choice(field: str, value: Json) -> str:
    if value is None:
        return NOTHING
    if (field, value) in _WORDS:
        return _WORDS[field, value]
    if isinstance(value, bool):
        return YES if value else NO
    if field == "alignment_weight":
        return f"L_align weight {value}" if isinstance(value, str) else f"L_align weight {value:g}"
    return str(value)
