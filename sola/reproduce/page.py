"""The report for people: the paper's tables beside ours, and a page of the documentation.

Nothing in them is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rvosbench.files.atomic import write_bytes
from rvosbench.tables import WRITERS
from rvosbench.tables.html import environment
from rvosbench.tables.markdown import to_markdown
from rvosbench.tables.table import NOTHING, Cell, Row, Table, percent, text_columns, text_row
from sola.reproduce.experiments import NETWORKS, TABLES, Claim, PaperTable, TableRow
from sola.reproduce.report import Measured, Report

METRICS = ("jf", "j", "f")
SCORES = ("paper J&F", "paper J", "paper F", "J&F", "J", "F")
JUDGEMENT = ("difference", "p", "ordering reproduces?")
VERDICTS = {
    "yes": "Reproduces",
    "no": "Comes out the other way round",
    "within noise": "Within noise",
}
DEMO = "MotionShapes, the embedded benchmark, with small networks: **not** of the paper's data"


def tables_text(report: Report, form: str) -> str:
    """All tables of a report in a format of `rvosbench.tables`."""
    tables = [f(name, report) for name in report.tables for f in (score_table, category_table)]
    return "\n".join(WRITERS[form](table) for table in tables if table.rows)


def score_table(name: str, report: Report) -> Table:
    """A table of the paper: its scores, ours, and whether the ordering reproduces."""
    table = TABLES[name]
    others = [split for split in report.settings["splits"] if split != report.main_split]
    further = (f"J&F on {split}" for split in others)
    columns = text_columns(table.headings, (*SCORES, *further, *JUDGEMENT))
    rows = tuple(_row(row, table, report, others) for row in table.rows)
    title = f"{table.title}, on {report.settings['dataset']}/{report.main_split}"
    return Table(name, title, columns, rows, footnotes=_notes(table, report), numbered=True)


def category_table(name: str, report: Report) -> Table:
    """J&F of a table's rows by category, on the main split; may have no rows."""
    table = TABLES[name]
    there = [(row, found) for row in table.rows if (found := report.of(row.experiment))]
    counts = there[0][1].counts if there else {}
    columns = text_columns(table.headings, (f"{kind} ({n})" for kind, n in counts.items()))
    rows = tuple(
        text_row((*row.labels, *(percent(found.categories[kind]) for kind in counts)))
        for row, found in there
    )
    title = f"{table.title}: J&F by category (number of expressions)"
    return Table(f"{name}, categories", title, columns, rows if counts else (), numbered=True)


def claim_text(claim: Claim, table: PaperTable) -> str:
    """A claim in the words of a table: "w/ selection module > w/o selection module"."""
    words = {row.experiment: row_text(row, table) for row in table.rows}
    return f"{words[claim.better]} > {words[claim.worse]}"


def row_text(row: TableRow, table: PaperTable) -> str:
    """What a row is, in a line."""
    if len(table.headings) == 1 and table.headings[0] in ("method", "loss"):
        return row.labels[0]
    pairs = zip(table.headings, row.labels, strict=True)
    return ", ".join(f"{heading}: {label}" for heading, label in pairs)


def _row(row: TableRow, table: PaperTable, report: Report, others: Sequence[str]) -> Row:
    printed, mine = table.printed(row), report.of(row.experiment)
    paper = [f"{getattr(printed, m):.1f}" if printed else NOTHING for m in METRICS]
    scores = [_score(mine, metric) for metric in METRICS]
    scores += [_score(report.of(row.experiment, split), "jf") for split in others]
    judgement = map(Cell, _judgement(row, table, report))
    return Row((*map(Cell, (*row.labels, *paper)), *scores, *judgement))


def _score(found: Measured | None, metric: str) -> Cell:
    if found is None:
        return Cell(NOTHING)
    spread, mean = found.deviation(metric), found.mean(metric)
    return Cell(percent(mean) + ("" if spread is None else f" ± {100 * spread:.1f}"), 100 * mean)


def _judgement(row: TableRow, table: PaperTable, report: Report) -> tuple[str, str, str]:
    """Difference to the row that should be better, its p-value, and the verdict."""
    claim = next((c for c in table.claims if c.worse == row.experiment), None)
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


def _notes(table: PaperTable, report: Report) -> tuple[str, ...]:
    notes = [table.note] if table.note else []
    notes += [_claim_note(claim, table, report) for claim in table.claims]
    notes += _ratios(report) if table.name == "4" else []
    missing = {row.experiment: row for row in table.rows if row.experiment in report.missing}
    notes += [
        f"Not measured: {row_text(row, table)}: {report.missing[name]}."
        for name, row in missing.items()
    ]
    return tuple(notes)


def _claim_note(claim: Claim, table: PaperTable, report: Report) -> str:
    text, tested = claim_text(claim, table), report.test(claim.better, claim.worse)
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
    frame_level = {"grounder": "GroundingDINO only", "truth-grounder": "truth-box grounder"}
    for name, text in frame_level.items():
        other = report.of(name)
        if sola and other and sola.categories.get(kind):
            share = percent(other.categories[kind] / sola.categories[kind])
            notes.append(f"{text} reaches {share} % of SOLA's J&F on {kind} expressions.")
    return notes


def write_page(path: Path, report: Report) -> Path:
    """Writes the page, and beside it the report as .json, whose path is returned."""
    numbers = report.write(path.with_suffix(".json"))
    write_bytes(path, page(report, numbers.name).encode("utf-8"))
    return numbers


def page(report: Report, numbers: str) -> str:
    """The page in Markdown.

    Args:
        report: what it is made from.
        numbers: name of the file beside the page that holds the report.
    """
    settings = report.settings
    other = f"{settings['dataset']}, with preset `{settings['preset']}`"
    changes = [f"`{k}={v}`" for k, v in settings["method"].items()]
    # It is Markdown, and what comes from files is escaped by the writer.
    templates = environment(Path(__file__).parent).overlay(autoescape=False)
    text = templates.get_template("page.md.jinja").render(
        report=report,
        settings=settings,
        numbers=numbers,
        what=DEMO if settings["dataset"] == "demo" else other,
        command=command_of(report),
        verdicts=[(title, list(_claims(report, v))) for v, title in VERDICTS.items()],
        tables=[_shown(name, report) for name in report.tables],
        changes=[*changes, *(f"`{change}`" for change in settings["training"])],
        costs=to_markdown(_cost_table(report)),
        thousands=_thousands,
    )
    return text.rstrip("\n") + "\n"


def command_of(report: Report) -> str:
    """The command that makes these tables, whatever the folder and the machine."""
    settings = report.settings
    words = [] if settings["dataset"] == "demo" else [f"--dataset {settings['dataset']} --data DIR"]
    whole = report.tables == tuple(TABLES)
    words += ["--all"] if whole else [f"--table {name}" for name in report.tables]
    words += [f"--split {split}" for split in settings["splits"]]
    numbers = ("train_videos", "limit", "seeds", "expressions", "epochs")
    words += [f"--{n.replace('_', '-')} {settings[n]}" for n in numbers if settings[n]]
    words += [f"--set {k}={v}" for k, v in settings["method"].items()]
    words += [f"--set train.{change}" for change in settings["training"]]
    return " ".join(["rvosbench sola reproduce", *words])


def _claims(report: Report, verdict: str) -> Iterator[str]:
    for name in report.tables:
        for claim in TABLES[name].claims:
            tested = report.test(claim.better, claim.worse)
            if tested and tested.verdict == verdict:
                yield f"{claim_text(claim, TABLES[name])} (table {name})"


def _shown(name: str, report: Report) -> tuple[str, str, Sequence[str], str]:
    scores, categories = score_table(name, report), category_table(name, report)
    text = to_markdown(replace(scores, footnotes=()))
    return name, text, scores.footnotes, to_markdown(categories) if categories.rows else ""


def _cost_table(report: Report) -> Table:
    columns = text_columns(("network",), ("parameters", "minutes a training", "epochs kept"))
    rows = []
    for name, cost in report.costs.items():
        minutes = ", ".join(f"{seconds / 60:.1f}" for seconds in cost.seconds)
        kept = f"{', '.join(map(str, cost.epochs))} of {cost.training['epochs']}"
        rows.append(text_row((NETWORKS[name][0], _thousands(cost.parameters), minutes, kept)))
    return Table("costs", "", columns, tuple(rows))


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", " ")
