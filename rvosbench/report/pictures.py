"""What is painted: masks on frames, and strips of them, as PNG, as JPEG or inside a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from rvosbench.errors import UsageError
from rvosbench.files.atomic import write_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

PREDICTED, TRUE = (255, 140, 0), (0, 200, 255)
"""Colours of outlines, RGB."""


def overlay(
    frame: NDArray[np.uint8],
    predicted: NDArray[np.bool_],
    true: NDArray[np.bool_] | None = None,
    colour: tuple[int, int, int] = PREDICTED,
) -> NDArray[np.uint8]:
    """The prediction in full colour with an outline, the rest pale, the ground truth outlined blue.

    Args:
        frame: (H, W, 3), RGB.
        predicted: (H, W).
        true: (H, W), or None for a frame without ground truth.
        colour: of the prediction's outline.

    Returns:
        (H, W, 3), RGB.
    """
    grey = frame.mean(axis=2, keepdims=True)
    picture = 0.55 * (0.6 * grey + 0.4 * frame) + 28
    picture[predicted] = frame[predicted]
    width = max(1, frame.shape[1] // 200)
    if true is not None:
        picture[outline(true, width)] = TRUE
    picture[outline(predicted, width)] = colour
    return np.asarray(picture, dtype=np.uint8)


def outline(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """The outermost `width` pixels of a mask, (H, W)."""
    padded = np.pad(mask, width)
    inner = mask.copy()
    for axis in (0, 1):
        for step in (-width, width):
            inner &= np.roll(padded, step, axis)[width:-width, width:-width]
    return np.asarray(mask & ~inner)


def spread(frames: Sequence[int], count: int) -> list[int]:
    """Up to `count` frames from begin to end, evenly."""
    places = np.linspace(0, len(frames) - 1, min(count, len(frames)))
    return [frames[round(float(p))] for p in places]


@dataclass(frozen=True)
class StripRow:
    """One method's prediction in a strip, or the ground truth.

    Attributes:
        label: at the left, a few short lines.
        pictures: (H, W, 3) uint8 each, in the order of time.
    """

    label: str
    pictures: tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class Strip:
    """An expression with its rows; all rows show the same frames."""

    expression: str
    remark: str
    rows: tuple[StripRow, ...]


_HEIGHT, _GAP, _LABEL, _TITLE, _FONT = 150, 4, 150, 30, 15
_INK, _PAPER, _FAINT = "#222222", "white", "#777777"


def write_strips(path: Path, strips: Sequence[Strip]) -> None:
    """Write strips as one picture.

    Args:
        path: its suffix says the format; a PNG has 256 colours.
        strips: at least one.

    Raises:
        UsageError: the suffix is of neither format.
    """
    kind = path.suffix.lower()
    if kind not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--strip {path}: wanted a name that ends with .png or .jpg")
    picture = paint(strips)
    if kind == ".png":
        write_bytes(path, encoded(picture.quantize(256), "PNG", optimize=True))
    else:
        write_bytes(path, encoded(picture, "JPEG", quality=90))


def encoded(picture: Image, kind: Literal["PNG", "JPEG"], **options: int) -> bytes:
    """The content of a file of this kind."""
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def data_address(picture: Image, quality: int) -> str:
    """A picture as an address that holds it as JPEG, for pages without any other file."""
    content = base64.b64encode(encoded(picture, "JPEG", quality=quality))
    return f"data:image/jpeg;base64,{content.decode('ascii')}"


def paint(strips: Sequence[Strip]) -> Image:
    """Strips below each other on a white page; frames are drawn 150 pixels high."""
    from PIL import Image as Images

    parts = [_paint(one) for one in strips]
    width = max(part.width for part in parts)
    page = Images.new("RGB", (width, sum(p.height + 3 * _GAP for p in parts)), _PAPER)
    top = _GAP
    for part in parts:
        page.paste(part, (0, top))
        top += part.height + 3 * _GAP
    return page


def _paint(one: Strip) -> Image:
    from PIL import Image as Images
    from PIL import ImageDraw, ImageFont

    frames = [[_scaled(picture) for picture in row.pictures] for row in one.rows]
    cell = (frames[0][0].width + _GAP, _HEIGHT + _GAP)
    size = (_LABEL + cell[0] * len(frames[0]), 2 * _TITLE - 6 + cell[1] * len(frames))
    page = Images.new("RGB", size, _PAPER)
    brush = ImageDraw.Draw(page)
    font, small = ImageFont.load_default(_FONT + 3), ImageFont.load_default(_FONT - 2)
    brush.text((_GAP, 2), f"“{one.expression}”", _INK, font)
    brush.text((_GAP, _TITLE - 4), one.remark, _FAINT, small)
    for number, (row, pictures) in enumerate(zip(one.rows, frames, strict=True)):
        top = 2 * _TITLE - 6 + number * cell[1]
        brush.multiline_text(
            (_GAP, top + _HEIGHT // 2 - 9 * (1 + row.label.count("\n"))),
            row.label,
            _INK,
            ImageFont.load_default(_FONT),
        )
        for column, picture in enumerate(pictures):
            page.paste(picture, (_LABEL + column * cell[0], top))
    return page


def _scaled(picture: NDArray[np.uint8]) -> Image:
    from PIL import Image as Images

    image = Images.fromarray(picture)
    width = max(1, round(image.width * _HEIGHT / image.height))
    return image.resize((width, _HEIGHT), Images.Resampling.BICUBIC)
