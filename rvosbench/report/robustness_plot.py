"""The plot of a robustness report: J&F over severity, one curve a corruption, a panel a family.

A drawing is a list of simple shapes, written as SVG or painted with Pillow: no plotting library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from xml.sax.saxutils import escape

from rvosbench.corruptions.table import SEVERITIES, TABLE
from rvosbench.report.robustness import Robustness

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Point: TypeAlias = "tuple[float, float]"
Anchor: TypeAlias = Literal["start", "middle", "end"]

PANEL, MARGIN, LEGEND = (300, 210), 46, 134
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Told apart by most colour-blind readers (Okabe and Ito)."""

_INK, _GRID = "#222222", "#dddddd"
_SCALE = 2  # pixels of the PNG for one of the drawing


@dataclass(frozen=True)
class Line:
    """A polyline."""

    points: tuple[Point, ...]
    colour: str
    width: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    at: Point
    colour: str
    radius: float = 3.0


@dataclass(frozen=True)
class Text:
    """A line of text whose baseline is at a point."""

    at: Point
    text: str
    anchor: Anchor = "start"
    size: int = 12
    colour: str = _INK


Shape: TypeAlias = "Line | Dot | Text"


@dataclass(frozen=True)
class Drawing:
    """Shapes on a white page of `size` (width, height)."""

    size: tuple[int, int]
    shapes: tuple[Shape, ...]


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
        yield Line((place(0, percent), place(SEVERITIES[-1], percent)), _GRID)
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


def to_svg(drawing: Drawing) -> str:
    """The drawing as SVG text."""
    width, height = drawing.size
    body = "\n".join(_svg(shape) for shape in drawing.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )


def _svg(shape: Shape) -> str:
    if isinstance(shape, Line):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        style = f'stroke="{shape.colour}" stroke-width="{shape.width:g}" fill="none"'
        return f'<polyline points="{points}" {style}/>'
    if isinstance(shape, Dot):
        x, y = shape.at
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{shape.radius:g}" fill="{shape.colour}"/>'
    x, y = shape.at
    style = f'text-anchor="{shape.anchor}" font-size="{shape.size}" fill="{shape.colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(shape.text)}</text>'


def to_image(drawing: Drawing) -> Image:
    """The drawing painted, two pixels for one."""
    from PIL import Image as Images
    from PIL import ImageDraw as Brushes

    width, height = drawing.size
    image = Images.new("RGB", (width * _SCALE, height * _SCALE), "white")
    brush = Brushes.Draw(image)
    for shape in drawing.shapes:
        if isinstance(shape, Line):
            points = [(x * _SCALE, y * _SCALE) for x, y in shape.points]
            brush.line(points, shape.colour, round(shape.width * _SCALE), joint="curve")
        elif isinstance(shape, Dot):
            (x, y), r = shape.at, shape.radius
            box = [(x - r) * _SCALE, (y - r) * _SCALE, (x + r) * _SCALE, (y + r) * _SCALE]
            brush.ellipse(box, fill=shape.colour)
        else:
            _paint_text(brush, shape)
    return image


def _paint_text(brush: ImageDraw, text: Text) -> None:
    from PIL import ImageFont

    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    at = (text.at[0] * _SCALE, text.at[1] * _SCALE)
    font = ImageFont.load_default(text.size * _SCALE)
    brush.text(at, text.text, fill=text.colour, font=font, anchor=anchors[text.anchor])
