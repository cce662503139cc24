"""The robustness report as files: an HTML page with its plot inside, and SVG, PNG and JSON.

The plot has J&F over severity, one curve a corruption, a panel a family.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rvosbench.corruptions.table import SEVERITIES, TABLE
from rvosbench.files.atomic import write_bytes, write_json
from rvosbench.report import drawing
from rvosbench.report.drawing import COLOURS, GRID, Dot, Drawing, Line, Point, Shape, Text, ticks
from rvosbench.report.pictures import encoded
from rvosbench.report.robustness import GROUPS, Group, Means, Robustness, to_json
from rvosbench.tables.html import to_page
from rvosbench.tables.table import Row, Table, percent, text_columns, text_row

PANEL, MARGIN, LEGEND = (300, 210), 46, 134
"""Of the plot, in pixels."""


def write_report(robustness: Robustness, folder: Path) -> Path:
    """Write robustness.html, .svg, .png and .json into `folder`; returns the page."""
    picture = plot(robustness)
    svg = drawing.to_svg(picture)
    write_bytes(folder / "robustness.png", encoded(drawing.to_image(picture), "PNG", optimize=True))
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


def plot(robustness: Robustness) -> Drawing:
    """Panels of the families that were evaluated, two in a row."""
    families: dict[str, list[str]] = {}
    for name in robustness.names():
        families.setdefault(TABLE[name].family, []).append(name)
    across = min(2, len(families))
    cell = (PANEL[0] + MARGIN + LEGEND, PANEL[1] + 2 * MARGIN)
    grid = ticks(100 * max([robustness.clean.jf, *(row.score.jf for row in robustness.rows)]))
    shapes: list[Shape] = [Text((MARGIN, 22), robustness.title, size=15)]
    for number, (family, names) in enumerate(families.items()):
        corner = (number % across * cell[0] + MARGIN, number // across * cell[1] + MARGIN + 24)
        shapes += _panel(robustness, family, names, corner, grid)
    rows = -(-len(families) // across)
    return Drawing((across * cell[0] + MARGIN, rows * cell[1] + 24), tuple(shapes))


def _panel(
    robustness: Robustness, family: str, names: Sequence[str], corner: Point, grid: range
) -> Iterator[Shape]:
    def place(severity: float, score: float) -> Point:
        x = corner[0] + PANEL[0] * severity / SEVERITIES[-1]
        return x, corner[1] + PANEL[1] * (1 - score / grid[-1])

    yield Text((corner[0], corner[1] - 10), f"{family}: J&F x 100", size=13)
    for tick in grid:
        x, y = place(0, tick)
        yield Line(((x, y), place(SEVERITIES[-1], tick)), GRID)
        yield Text((x - 6, y + 4), str(tick), "end", 11)
    for severity in (0, *SEVERITIES):
        x, y = place(severity, 0)
        yield Text((x, y + 16), str(severity) if severity else "clean", "middle", 11)
    yield Text((corner[0] + PANEL[0] / 2, corner[1] + PANEL[1] + 33), "severity", "middle", 11)
    for index, name in enumerate(names):
        scores = {0: robustness.clean, **robustness.scores(name)}
        points = tuple(place(s, 100 * scores[s].jf) for s in sorted(scores))
        colour = COLOURS[index % len(COLOURS)]
        yield Line(points, colour, 2)
        yield from (Dot(point, colour) for point in points)
        key = corner[0] + PANEL[0] + 12, corner[1] + 12 + 18 * index
        yield Line((key, (key[0] + 16, key[1])), colour, 2)
        yield Text((key[0] + 22, key[1] + 4), name.replace("_", " "), size=11)
