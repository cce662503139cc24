"""Figure 4 as a drawing: the mean in bold, a band of one standard deviation, and the counts."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from rvosbench.files.atomic import write_bytes
from rvosbench.report import drawing
from rvosbench.report.drawing import COLOURS, GRID, Area, Dot, Drawing, Line, Point, Shape, Text
from sola.analysis.similarity import Bin, Curve, to_csv

SIZE = (640, 536)
LEFT, RIGHT = 66, 616
MAIN, COUNTS = (88, 368), (408, 478)
"""Top and bottom of the panel of the curve and of the panel of the counts."""

LINE, BAND, BARS = COLOURS[0], "#cfe3f1", "#9a9a9a"
FEW = 10
"""A bin of fewer pairs is drawn with a hollow dot: its mean says little."""


def draw(curve: Curve, title: str) -> Drawing:
    """The curve over mIoU; without pairs the axes are empty and say so."""
    heading = Text((LEFT, 26), title, size=15)
    below = Text((LEFT, 46), _subtitle(curve), size=11, colour="#555555")
    panels = (*_curve([b for b in curve.bins if b.pairs]), *_counts(curve.bins), *_mious())
    return Drawing(SIZE, (heading, below, *panels))


def write_similarity(out: Path, curve: Curve, title: str) -> list[Path]:
    """Write similarity.png, .svg and .csv into a folder; returns their paths."""
    figure, png = draw(curve, title), io.BytesIO()
    drawing.to_image(figure).save(png, "PNG")
    svg, table = drawing.to_svg(figure).encode("utf-8"), to_csv(curve).encode("ascii")
    content = {"png": png.getvalue(), "svg": svg, "csv": table}
    for suffix, value in content.items():
        write_bytes(out / f"similarity.{suffix}", value)
    return [out / f"similarity.{suffix}" for suffix in content]


def _subtitle(curve: Curve) -> str:
    if not curve.pairs:
        return "no pairs of tracks"
    known = {"Pearson r": curve.pearson, "Spearman rho": curve.spearman}
    facts = [f"{name} {value:.2f}" for name, value in known.items() if value is not None]
    return ", ".join([f"{curve.pairs:,} pairs of tracks", *facts])


def _x(miou: float) -> float:
    return LEFT + (RIGHT - LEFT) * miou


def _curve(bins: Sequence[Bin]) -> Iterator[Shape]:
    known = [(b.miou or 0.0, b.mean or 0.0, math.sqrt(b.variance or 0.0), b.pairs) for b in bins]
    ends = [(max(m - s, -1.0), min(m + s, 1.0)) for _, m, s, _ in known]  # of a cosine
    low, high, step = _scale([e[0] for e in ends], [e[1] for e in ends])

    def at(miou: float, value: float) -> Point:
        top, bottom = MAIN
        return _x(miou), bottom - (bottom - top) * (value - low) / (high - low)

    upper = [at(row[0], end[1]) for row, end in zip(known, ends, strict=True)]
    lower = [at(row[0], end[0]) for row, end in zip(known, ends, strict=True)]
    if len(known) > 1:
        yield Area((*upper, *reversed(lower)), BAND)
    for tick in range(round((high - low) / step) + 1):
        x, y = at(0, low + tick * step)
        yield Line(((x, y), (RIGHT, y)), GRID)
        yield Text((x - 8, y + 4), f"{low + tick * step:.2g}".replace("-", "\u2212"), "end", 11)
    yield Text((LEFT, MAIN[0] - 8), "cosine similarity of object tokens", size=12)
    points = tuple(at(x, mean) for x, mean, _, _ in known)
    if len(points) > 1:
        yield Line(points, LINE, 3)
    for point, (_, _, _, pairs) in zip(points, known, strict=True):
        yield Dot(point, LINE, 4)
        if pairs < FEW:
            yield Dot(point, "#ffffff", 2.2)
    yield from _legend()


def _legend() -> Iterator[Shape]:
    y = MAIN[0] - 12
    yield Line(((346, y), (368, y)), LINE, 3)
    yield Text((374, y + 4), "mean", size=11)
    yield Area(((416, y - 5), (438, y - 5), (438, y + 5), (416, y + 5)), BAND)
    yield Text((444, y + 4), "\u00b1 1 std", size=11)
    yield Dot((500, y), LINE, 4)
    yield Dot((500, y), "#ffffff", 2.2)
    yield Text((508, y + 4), f"fewer than {FEW} pairs", size=11)


def _scale(lows: Sequence[float], highs: Sequence[float]) -> tuple[float, float, float]:
    """Ends and step of an axis that holds everything, in fifths or in tenths."""
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    step = 0.1 if high - low <= 0.6 else 0.2
    low = step * math.floor(round(low / step, 6))
    high = step * math.ceil(round(high / step, 6))
    return low, max(high, low + step), step


def _counts(bins: Sequence[Bin]) -> Iterator[Shape]:
    """Pairs in every bin, on a logarithmic axis: most pairs do not touch."""
    top, bottom = COUNTS
    decades = max(1, math.ceil(math.log10(max((b.pairs for b in bins), default=1) + 1)))

    def height(pairs: float) -> float:
        return bottom - (bottom - top) * math.log10(1 + pairs) / math.log10(1 + 10**decades)

    for power in range(decades + 1):
        y = height(10**power)
        yield Line(((LEFT, y), (RIGHT, y)), GRID)
        if decades <= 3 or power % 2 == 0 or power == decades:
            yield Text((LEFT - 8, y + 4), f"{10**power:,}", "end", 10)
    for b in bins:
        left, right, y = _x(b.low) + 1, _x(b.high) - 1, height(b.pairs)
        if b.pairs and right > left:
            yield Area(((left, y), (right, y), (right, bottom), (left, bottom)), BARS)
    yield Line(((LEFT, bottom), (RIGHT, bottom)), "#666666")
    yield Text((LEFT, top - 10), "pairs of tracks in the bin (logarithmic)", size=12)


def _mious() -> Iterator[Shape]:
    for tick in range(0, 11, 2):
        x = _x(tick / 10)
        yield Text((x, COUNTS[1] + 16), f"{tick / 10:g}", "middle", 11)
        for bottom in (MAIN[1], COUNTS[1]):
            yield Line(((x, bottom), (x, bottom + 4)), "#666666")
    middle = (LEFT + RIGHT) / 2
    yield Text((middle, COUNTS[1] + 38), "mIoU of the two mask tracks", "middle", 12)
