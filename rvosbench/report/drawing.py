"""Drawings without a plotting library: simple shapes, written as SVG or painted with Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from PIL.Image import Image

Point: TypeAlias = "tuple[float, float]"
Anchor: TypeAlias = Literal["start", "middle", "end"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Told apart by most colour-blind readers (Okabe and Ito)."""

GRID = "#dddddd"
_INK = "#222222"
_SCALE = 2  # pixels of the PNG for one of the drawing


@dataclass(frozen=True)
class Line:
    """A polyline."""

    points: tuple[Point, ...]
    colour: str
    width: float = 1.0


@dataclass(frozen=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    colour: str


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


Shape: TypeAlias = "Line | Area | Dot | Text"


@dataclass(frozen=True)
class Drawing:
    """Shapes on a white page of `size` (width, height)."""

    size: tuple[int, int]
    shapes: tuple[Shape, ...]


def ticks(highest: float) -> range:
    """Grid lines of an axis in percent, from 0 to the first one above `highest`, or to 100."""
    step = 10 if highest < 50 else 20
    return range(0, min(100, step * (int(highest // step) + 1)) + 1, step)


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
    if isinstance(shape, Area):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        return f'<polygon points="{points}" fill="{shape.colour}"/>'
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
    from PIL import ImageFont

    def scaled(*points: Point) -> list[Point]:
        return [(x * _SCALE, y * _SCALE) for x, y in points]

    image = Images.new("RGB", (drawing.size[0] * _SCALE, drawing.size[1] * _SCALE), "white")
    brush = Brushes.Draw(image)
    for shape in drawing.shapes:
        if isinstance(shape, Line):
            width = round(shape.width * _SCALE)
            brush.line(scaled(*shape.points), shape.colour, width, joint="curve")
        elif isinstance(shape, Area):
            brush.polygon(scaled(*shape.points), shape.colour)
        elif isinstance(shape, Dot):
            (x, y), r = shape.at, shape.radius
            brush.ellipse(scaled((x - r, y - r), (x + r, y + r)), fill=shape.colour)
        else:
            font = ImageFont.load_default(shape.size * _SCALE)
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
            brush.text(scaled(shape.at)[0], shape.text, shape.colour, font, anchor)
    return image
