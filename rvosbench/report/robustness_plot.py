"""The plot of a robustness report: J&F over severity, one curve a corruption, a panel a family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rvosbench.corruptions.table import SEVERITIES, TABLE
from rvosbench.report.drawing import COLOURS, GRID, Dot, Drawing, Line, Point, Shape, Text
from rvosbench.report.robustness import Robustness

PANEL, MARGIN, LEGEND = (300, 210), 46, 134


def plot(robustness: Robustness) -> Drawing:
    """Panels of the families that were evaluated, two in a row."""
    families: dict[str, list[str]] = {}
    for name in robustness.names():
        families.setdefault(TABLE[name].family, []).append(name)
    across = min(2, len(families))
    cell = (PANEL[0] + MARGIN + LEGEND, PANEL[1] + 2 * MARGIN)
    top = _top(robustness)
    shapes: list[Shape] = [Text((MARGIN, 22), robustness.title, size=15)]
    for number, (family, names) in enumerate(families.items()):
        corner = (number % across * cell[0] + MARGIN, number // across * cell[1] + MARGIN + 24)
        shapes += _panel(robustness, family, names, corner, top)
    rows = -(-len(families) // across)
    return Drawing((across * cell[0] + MARGIN, rows * cell[1] + 24), tuple(shapes))


def _top(robustness: Robustness) -> int:
    """Upper end of the axis in percent: the next ten above every score."""
    best = max([robustness.clean.jf, *(row.score.jf for row in robustness.rows)])
    return min(100, 10 * (int(best * 10) + 1))


def _panel(
    robustness: Robustness, family: str, names: Sequence[str], corner: Point, top: int
) -> Iterator[Shape]:
    def place(severity: float, percent: float) -> Point:
        x = corner[0] + PANEL[0] * severity / SEVERITIES[-1]
        return x, corner[1] + PANEL[1] * (1 - percent / top)

    yield Text((corner[0], corner[1] - 10), f"{family}: J&F x 100", size=13)
    for percent in range(0, top + 1, 10 if top <= 60 else 20):
        yield Line((place(0, percent), place(SEVERITIES[-1], percent)), GRID)
        x, y = place(0, percent)
        yield Text((x - 6, y + 4), str(percent), "end", 11)
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
