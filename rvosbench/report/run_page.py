"""One HTML page of a run: scores by category, and strips of sentences; alone or against another."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from rvosbench.files.atomic import write_bytes
from rvosbench.metrics.breakdown import Part
from rvosbench.report.robustness_page import percent
from rvosbench.report.strips import Strip, paint
from rvosbench.runs.result import Result, parts

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .25em .7em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
tr:first-of-type td { font-weight: bold; }
img { max-width: 100%; height: auto; display: block; margin: 1.5em 0; }
"""


def write_page(path: Path, result: Result, against: Result | None, strips: Sequence[Strip]) -> None:
    """Write the page, with its pictures inside; see `to_html`."""
    write_bytes(path, to_html(result, against, strips).encode("utf-8"))


def to_html(result: Result, against: Result | None, strips: Sequence[Strip]) -> str:
    """The page of a scored run.

    Args:
        result: of the run.
        against: of another run on the same videos: adds a column and the differences.
        strips: shown below the table.
    """
    facts = result.facts
    names = " against ".join(title(r) for r in (result, against) if r is not None)
    heading = escape(f"{names} on {facts['dataset']}/{facts['split']}")
    pictures = "\n".join(_picture(one) for one in strips)
    signatures = "<br>".join(
        f"<code>{escape(r.signature)}</code>{' (upper bound: sees the truth)' * r.upper_bound}"
        for r in (result, against)
        if r is not None
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{heading}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{heading}</h1>\n<p>{signatures}</p>\n"
        f"{''.join(_table(result, against))}\n<p>Scores are x 100. Orange outline: the answer; "
        f"blue outline: the truth.</p>\n{pictures}\n</body>\n</html>\n"
    )


def title(result: Result) -> str:
    """What a page calls a method."""
    return result.card.title or str(result.facts["method"])


def _table(result: Result, against: Result | None) -> Iterator[str]:
    head = ["sentences", "count", "J&F", "J", "F"]
    head += [f"J&F of {title(against)}", "gain"] if against else []
    yield "<table>\n<tr>" + "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>\n"
    others = {(p.by, p.value): p.jf for p in _all_parts(against)} if against else {}
    for part in _all_parts(result):
        label = f"{part.by}: {part.value}" if part.by else part.value
        cells = [label, str(part.count), *(percent(v) for v in (part.jf, part.j, part.f))]
        if against is not None:
            other = others.get((part.by, part.value))
            cells += [percent(other), percent(None if other is None else part.jf - other)]
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>\n"
    yield "</table>"


def _all_parts(result: Result) -> list[Part]:
    summary, count = result.summary, len(result.expressions)
    whole = [Part("", "all", count, summary.j, summary.f, summary.jf)] if summary else []
    return [*whole, *parts(result)]


def _picture(one: Strip) -> str:
    out = io.BytesIO()
    paint([one]).save(out, "JPEG", quality=88)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f'<img alt="{escape(one.sentence)}" src="data:image/jpeg;base64,{data}">'
