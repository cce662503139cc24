"""The report as the paper's tables: the paper's figures beside ours, and what reproduces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sola.reproduce.plan import TABLES, Bound, Claim, Row, TablePlan
from sola.reproduce.report import Measured, Report, Tested

NOTHING = "-"
BOUNDS: dict[Bound, str] = {"": "", "upper": "upper bound", "lower": "lower bound", "shipped": ""}


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes:
        name: its number.
        title: without markup.
        columns: headings.
        labels: how many columns, from the left, are text; the others are figures.
        rows: cells.
        notes: lines below it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    labels: int
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def score_table(name: str, report: Report) -> Grid:
    """A table of the paper: its figures, ours, and whether the ordering reproduces."""
    plan = TABLES[name]
    others = [s for s in report.settings["splits"] if s != report.judged]
    columns = (
        *plan.headings,
        "paper J&F",
        "paper J",
        "paper F",
        "J&F",
        "J",
        "F",
        *(f"J&F on {split}" for split in others),
        "difference",
        "p",
        "ordering reproduces?",
    )
    rows = tuple(_row(row, plan, report, others) for row in plan.rows)
    title = f"{plan.title}, on {report.settings['dataset']}/{report.judged}"
    return Grid(name, title, columns, len(plan.headings), rows, _notes(plan, report))


def category_table(name: str, report: Report) -> Grid:
    """J&F of a table's rows by kind of sentence, on the judged split; may have no rows."""
    plan = TABLES[name]
    there = [(row, found) for row in plan.rows if (found := report.of(row.trial)) is not None]
    kinds = list(there[0][1].categories) if there else []
    counts = there[0][1].counts if there else {}
    rows = tuple(
        (*_labels(row), *(percent(found.categories[k]) for k in kinds)) for row, found in there
    )
    columns = (*plan.headings, *(f"{k} ({counts[k]})" for k in kinds))
    title = f"{plan.title}: J&F by kind of sentence (number of sentences)"
    return Grid(f"{name}, categories", title, columns, len(plan.headings), rows if kinds else ())


def claim_text(claim: Claim, plan: TablePlan) -> str:
    """A claim in the words of a table: "w/ selection module > w/o selection module"."""
    words = {row.trial: row_text(row, plan) for row in plan.rows}
    return f"{words[claim.better]} > {words[claim.worse]}"


def row_text(row: Row, plan: TablePlan) -> str:
    """What a row is, in a line."""
    if len(plan.headings) == 1 and plan.headings[0] in ("method", "loss"):
        return row.labels[0]
    pairs = zip(plan.headings, row.labels, strict=False)
    return ", ".join(f"{heading}: {label}" for heading, label in pairs)


def percent(value: float | None, signed: bool = False) -> str:
    """A score in [0, 1] times 100, with one digit."""
    return NOTHING if value is None else f"{100 * value:{'+' if signed else ''}.1f}"


def _row(row: Row, plan: TablePlan, report: Report, others: Sequence[str]) -> tuple[str, ...]:
    printed = row.printed
    paper = [f"{v:.1f}" for v in (printed.jf, printed.j, printed.f)] if printed else [NOTHING] * 3
    mine = report.of(row.trial)
    figures = [_figure(mine, figure) for figure in ("jf", "j", "f")]
    further = [_figure(report.of(row.trial, split), "jf") for split in others]
    return (*_labels(row), *paper, *figures, *further, *_judgement(row, plan, report))


def _labels(row: Row) -> tuple[str, ...]:
    mark = f" ({BOUNDS[row.bound]})" if BOUNDS[row.bound] else ""
    return (row.labels[0] + mark, *row.labels[1:])


def _figure(found: Measured | None, figure: str) -> str:
    if found is None:
        return NOTHING
    spread = found.deviation(figure)
    return percent(found.mean(figure)) + ("" if spread is None else f" ± {100 * spread:.1f}")


def _judgement(row: Row, plan: TablePlan, report: Report) -> tuple[str, str, str]:
    """Difference to the row that should be better, its p-value, and the verdict."""
    claim = next((c for c in plan.claims if c.worse == row.trial), None)
    if claim is None:
        return "", "", ""
    tested = report.test(claim.better, claim.worse)
    if tested is None:
        return NOTHING, NOTHING, "not measured"
    interval = f"[{percent(-tested.high, True)}, {percent(-tested.low, True)}]"
    difference = f"{percent(-tested.difference, True)} {interval}"
    return difference, p_text(tested.p_value), tested.verdict


def p_text(p_value: float) -> str:
    """A p-value with three digits, or below what can be told."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _notes(plan: TablePlan, report: Report) -> tuple[str, ...]:
    notes = [plan.note] if plan.note else []
    notes += [
        _claim_note(claim, plan, report.test(claim.better, claim.worse)) for claim in plan.claims
    ]
    notes += _ratios(report) if plan.name == "4" else []
    missing = {row.trial: row for row in plan.rows if row.trial in report.missing}
    notes += [
        f"Not measured: {row_text(row, plan)}: {report.missing[trial]}."
        for trial, row in missing.items()
    ]
    return tuple(notes)


def _claim_note(claim: Claim, plan: TablePlan, tested: Tested | None) -> str:
    text = claim_text(claim, plan)
    paper = f"paper {claim.printed:+.1f}" if claim.printed is not None else "not in the paper"
    if tested is None:
        return f"{text} ({paper}): not measured."
    ahead = f", in {tested.seeds[0]} of {tested.seeds[1]} seeds" if tested.seeds else ""
    ours = f"here {percent(tested.difference, True)}, p {p_text(tested.p_value)}{ahead}"
    return f"{text} ({paper}; {ours}): {tested.verdict}."


def _ratios(report: Report) -> list[str]:
    """How far SOLA is from its ceiling, and whether the baseline is a fair one."""
    notes = []
    for name, text in (("sola", "SOLA"), ("shipped", "SOLA with the embedded selector")):
        for split in report.settings["splits"]:
            mine, best = report.of(name, split), report.of("oracle", split)
            if mine and best:
                share = percent(mine.mean() / best.mean())
                notes.append(f"{text} reaches {share} % of the oracle's J&F on {split}.")
    sola, kind = report.of("sola"), "appearance"
    for name, text in (
        ("grounder", "GroundingDINO only"),
        ("truth-grounder", "truth-box grounder"),
    ):
        other = report.of(name)
        if sola and other and sola.categories.get(kind):
            share = percent(other.categories[kind] / sola.categories[kind])
            notes.append(f"{text} reaches {share} % of SOLA's J&F on {kind} sentences.")
    return notes
