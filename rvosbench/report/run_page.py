"""One HTML page of a run: scores by category, and strips of frames; alone or against another."""

from __future__ import annotations

from collections.abc import Sequence

from rvosbench.metrics.breakdown import Part
from rvosbench.report.pictures import Strip, data_address, paint
from rvosbench.report.strips import title
from rvosbench.runs.result import Result, parts
from rvosbench.tables.html import to_page
from rvosbench.tables.table import METRICS, Cell, Row, Table, percent, text_columns, text_row


def to_html(result: Result, against: Result | None, strips: Sequence[Strip]) -> str:
    """The page of a scored run.

    Args:
        result: of the run.
        against: of another run on the same videos: adds a column and the differences.
        strips: shown below the table.
    """
    shown = [r for r in (result, against) if r is not None]
    bound = " (upper bound: sees the ground truth)"
    names = " against ".join(title(r) for r in shown)
    return to_page(
        f"{names} on {result.facts['dataset']}/{result.facts['split']}",
        [("", r.signature, bound * r.upper_bound) for r in shown],
        [_comparison(result, against)],
        "Scores are x 100. Orange outline: the prediction; blue outline: the ground truth.",
        pictures=[(one.expression, data_address(paint([one]), 88)) for one in strips],
    )


def category_table(results: Sequence[Result]) -> Table:
    """J&F of several runs, over all expressions and by category; upper bounds as references.

    Args:
        results: scored, at least one; the first says in which order categories come.
    """
    found = [{p.value: p.jf for p in parts(r) if p.by == "category"} for r in results]
    names = list(dict.fromkeys(name for scores in found for name in scores))
    rows = []
    for result, scores in zip(results, found, strict=True):
        whole = result.summary.jf if result.summary else None
        values = (whole, *map(scores.get, names))
        label = Cell(title(result), reference=result.upper_bound)
        rows.append(Row((label, *(Cell(percent(value)) for value in values))))
    return Table("categories", "", text_columns(["method"], ["all", *names]), tuple(rows))


def _comparison(result: Result, against: Result | None) -> Table:
    others = {(p.by, p.value): p.jf for p in _all_parts(against)} if against else {}
    rows = []
    for part in _all_parts(result):
        label = f"{part.by}: {part.value}" if part.by else part.value
        values: list[float | None] = [part.jf, part.j, part.f]
        if against is not None:
            other = others.get((part.by, part.value))
            values += [other, None if other is None else part.jf - other]
        rows.append(text_row([label, str(part.count), *map(percent, values)]))
    more = [f"J&F of {title(against)}", "gain"] if against else []
    columns = text_columns(["expressions"], ["count", *METRICS.values(), *more])
    return Table("parts", "", columns, tuple(rows))


def _all_parts(result: Result) -> list[Part]:
    summary, count = result.summary, len(result.expressions)
    whole = [Part("", "all", count, summary.j, summary.f, summary.jf)] if summary else []
    return [*whole, *parts(result)]
