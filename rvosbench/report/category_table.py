"""A Markdown table of several runs: J&F over all sentences, and by category."""

from __future__ import annotations

from collections.abc import Sequence

from rvosbench.report.robustness_page import percent
from rvosbench.runs.result import Result, parts


def category_table(results: Sequence[Result]) -> str:
    """One row a run, one column a category (tag), figures x 100; upper bounds in italics.

    Args:
        results: scored, at least one; the first says in which order categories come.
    """
    found = [{p.value: p.jf for p in parts(r) if p.by == "category"} for r in results]
    columns = list(dict.fromkeys(name for scores in found for name in scores))
    lines = [f"| method | all | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for result, scores in zip(results, found, strict=True):
        name = result.card.title or str(result.facts["method"])
        whole = result.summary.jf if result.summary else None
        cells = [percent(value) for value in (whole, *(scores.get(c) for c in columns))]
        label = f"*{name}*" if result.upper_bound else name
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)
