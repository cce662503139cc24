"""Strips as a picture: painted below each other, and written as PNG or JPEG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.errors import UsageError
from rvosbench.files.atomic import write_bytes
from rvosbench.report.strips import Strip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

_HEIGHT, _GAP, _LABEL, _TITLE, _FONT = 150, 4, 150, 30, 15
_INK, _PAPER, _FAINT = "#222222", "white", "#777777"
_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def write_strips(path: Path, strips: Sequence[Strip]) -> None:
    """Write strips as one picture.

    Args:
        path: its suffix says the format; a PNG has 256 colours.
        strips: at least one.

    Raises:
        UsageError: the suffix is of neither format.
    """
    if path.suffix.lower() not in _KINDS:
        raise UsageError(f"--strip {path}: wanted a name that ends with .png or .jpg")
    kind = _KINDS[path.suffix.lower()]
    content, picture = io.BytesIO(), paint(strips)
    if kind == "PNG":
        picture.quantize(256).save(content, kind, optimize=True)
    else:
        picture.save(content, kind, quality=90)
    write_bytes(path, content.getvalue())


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
