"""A contact sheet: one frame under all corruptions and severities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.corruptions.plan import Plan
from rvosbench.corruptions.table import CORRUPTIONS, SEVERITIES, corruption
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.records import Frame

if TYPE_CHECKING:
    from PIL.Image import Image

_BLOCKS = 2
_GAP = 4
_LABEL = 24  # pixels above each row, for its name
_FONT = 15


def write_contact_sheet(
    path: Path, frame: Frame, name: str | None, seed: int = 0, frost_dir: Path | None = None
) -> None:
    """Write all severities of the corruptions, one row each, in two blocks side by side.

    Args:
        path: a `.jpg` is of high quality and without chroma subsampling.
        frame: (H, W, 3) uint8 RGB.
        name: of a corruption; None for all.
        seed: as in `Plan`.
        frost_dir: as in `Plan`.

    Raises:
        UnknownNameError: no such corruption.
    """
    names = CORRUPTIONS if name is None else (corruption(name).name,)
    sheet = _sheet(frame, names, seed, frost_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() in {".jpg", ".jpeg"}:
        sheet.save(path, quality=88, subsampling=0, optimize=True)
    else:
        sheet.save(path)


def _sheet(frame: Frame, names: Sequence[str], seed: int, frost_dir: Path | None) -> Image:
    from PIL import Image, ImageDraw, ImageFont

    height, width = frame.shape[:2]
    blocks = _BLOCKS if len(names) > 1 else 1
    rows = -(-len(names) // blocks)
    block = len(SEVERITIES) * (width + _GAP) + 3 * _GAP
    size = (blocks * block - 2 * _GAP, rows * (height + _LABEL + _GAP) + _GAP)
    sheet = Image.new("RGB", size, (255, 255, 255))
    font = ImageFont.load_default(_FONT)
    for number, name in enumerate(names):
        left = number // rows * block + _GAP
        top = number % rows * (height + _LABEL + _GAP)
        ImageDraw.Draw(sheet).text((left, top + 4), name.replace("_", " "), (0, 0, 0), font)
        for column, severity in enumerate(SEVERITIES):
            plan = Plan(name, severity, seed=seed, frost_dir=frost_dir)
            image = Image.fromarray(corrupted_frame(plan, "contact sheet", "frame", 0, frame))
            sheet.paste(image, (left + column * (width + _GAP), top + _LABEL))
    return sheet
