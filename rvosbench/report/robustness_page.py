"""The robustness report as files: an HTML page with its plot inside, and SVG, PNG and JSON."""

from __future__ import annotations

import io
from pathlib import Path

from rvosbench.corruptions.table import SEVERITIES
from rvosbench.files.atomic import write_bytes, write_json
from rvosbench.report.drawing import to_image, to_svg
from rvosbench.report.robustness import GROUPS, Group, Means, Robustness, to_json
from rvosbench.report.robustness_plot import plot
from rvosbench.tables.html import to_page
from rvosbench.tables.table import Row, Table, percent, text_columns, text_row


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
    note = (
        "Scores are J&F x 100. Drop is clean minus mean; rPC is mean divided by clean. A "
        "corruption counts once in a mean, whatever its number of severities."
    )
    opening = [(f"{_summary(robustness)} Setting: ", robustness.setting, ".")]
    return to_page(robustness.title, opening, robustness_tables(robustness), note, svg)


def robustness_tables(robustness: Robustness) -> list[Table]:
    """A table for each group that was evaluated; the last row is the group's mean."""
    return [_table(robustness, group) for group in GROUPS if robustness.names(group)]


def _summary(robustness: Robustness) -> str:
    clean = robustness.clean
    text = f"Clean J&F {percent(clean.jf)} (J {percent(clean.j)}, F {percent(clean.f)})."
    means = robustness.group("benchmark")
    if means is None:
        return text
    return (
        f"{text} Under {means.corruptions} corruption{'s' * (means.corruptions != 1)} of the "
        f"benchmark: {percent(means.score.jf)}, drop {percent(means.drop)}, "
        f"rPC {percent(means.relative)} %."
    )


def _table(robustness: Robustness, group: Group) -> Table:
    rows = []
    for name in robustness.names(group):
        scores = robustness.scores(name)
        cells = [percent(scores[s].jf if s in scores else None) for s in SEVERITIES]
        rows.append(_row(name.replace("_", " "), cells, robustness.corruption(name)))
    means = robustness.group(group)
    if means is not None:
        rows.append(_row("mean", [""] * len(SEVERITIES), means, "mean"))
    columns = text_columns(["J&F at severity"], [*map(str, SEVERITIES), "mean", "drop", "rPC %"])
    return Table(group, GROUPS[group], columns, tuple(rows))


def _row(label: str, cells: list[str], means: Means, group: str = "") -> Row:
    values = (means.score.jf, means.drop, means.relative)
    return text_row([label, *cells, *map(percent, values)], group)
