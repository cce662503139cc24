"""The robustness report as files: an HTML page with its plot inside, and SVG, PNG and JSON."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
from pathlib import Path

from rvosbench.corruptions.table import SEVERITIES
from rvosbench.files.atomic import write_bytes, write_json
from rvosbench.report.drawing import to_image, to_svg
from rvosbench.report.robustness import GROUPS, Group, Means, Robustness, Score, to_json
from rvosbench.report.robustness_plot import plot

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 64em; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .25em .7em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
tr.mean td { font-weight: bold; border-top: 2px solid #222; }
svg { max-width: 100%; height: auto; }
"""


def write_report(robustness: Robustness, folder: Path) -> Path:
    """Write robustness.html, .svg, .png and .json into `folder`; returns the page."""
    drawing = plot(robustness)
    svg = to_svg(drawing)
    png = io.BytesIO()
    to_image(drawing).save(png, "PNG", optimize=True)
    write_bytes(folder / "robustness.png", png.getvalue())
    write_bytes(folder / "robustness.svg", svg.encode("utf-8"))
    write_json(folder / "robustness.json", to_json(robustness), indent=1)
    page = folder / "robustness.html"
    write_bytes(page, to_html(robustness, svg).encode("utf-8"))
    return page


def to_html(robustness: Robustness, svg: str) -> str:
    """One page without any other file: summary, plot, a table for each group."""
    title = escape(robustness.title)
    tables = "\n".join(part for group in GROUPS for part in _group(robustness, group))
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{_summary(robustness)}\n{svg}\n"
        f"{tables}\n<p>Scores are J&amp;F x 100. Drop is clean minus mean; rPC is mean divided by "
        "clean. A corruption counts once in a mean, whatever its number of severities.</p>\n"
        "</body>\n</html>\n"
    )


def _summary(robustness: Robustness) -> str:
    clean = robustness.clean
    lines = [f"Clean J&amp;F {percent(clean.jf)} (J {percent(clean.j)}, F {percent(clean.f)})."]
    means = robustness.group("benchmark")
    if means is not None:
        lines.append(
            f"Under {means.corruptions} corruption{'s' * (means.corruptions != 1)} of the "
            f"benchmark: {percent(means.score.jf)}, drop {percent(means.drop)}, "
            f"rPC {percent(means.relative)} %."
        )
    return f"<p>{' '.join(lines)} Setting: <code>{escape(robustness.setting)}</code>.</p>"


def _group(robustness: Robustness, group: Group) -> Iterator[str]:
    means = robustness.group(group)
    if means is None:
        return
    head = "".join(f"<th>{s}</th>" for s in SEVERITIES)
    yield f"<h2>{GROUPS[group]}</h2>\n<table>"
    yield f"<tr><th>severity</th>{head}<th>mean</th><th>drop</th><th>rPC %</th></tr>"
    for name in robustness.names(group):
        scores = robustness.scores(name)
        cells = [_cell(scores.get(s)) for s in SEVERITIES]
        yield _row(name.replace("_", " "), cells, robustness.corruption(name), "")
    yield _row("mean", ["" for _ in SEVERITIES], means, ' class="mean"')
    yield "</table>"


def _row(label: str, cells: list[str], means: Means, style: str) -> str:
    figures = (percent(v) for v in (means.score.jf, means.drop, means.relative))
    columns = "".join(f"<td>{cell}</td>" for cell in [label, *cells, *figures])
    return f"<tr{style}>{columns}</tr>"


def _cell(score: Score | None) -> str:
    return percent(score.jf if score else None)


def percent(value: float | None) -> str:
    """A score in [0, 1] times 100, one digit; a dash for none."""
    return "-" if value is None else f"{100 * value:.1f}"
