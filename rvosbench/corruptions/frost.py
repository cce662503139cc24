"""Where frost pictures come from: drawn by us, or a folder of the original ones."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from rvosbench.corruptions.table import FROST_VERSION
from rvosbench.errors import UsageError
from rvosbench.records import Frame

INSTALLED = "imagecorruptions"
"""Instead of a folder: the pictures of the package of that name, if it is installed."""

OWN_PICTURES = 5  # of `rvosbench.corruptions.crystals`

_PICTURE = re.compile(r"frost.*\.(png|jpg|jpeg)", re.IGNORECASE)
_MARGIN = 1.1  # an enlarged picture is a little larger than the frame, so that places differ


@dataclass(frozen=True)
class FrostPictures:
    """Pictures in files, in the order of their names; without files the five of our own."""

    files: tuple[Path, ...] = ()

    @property
    def identity(self) -> str:
        """What a signature says: our version, or first digits of the sha256 of all pictures."""
        if not self.files:
            return f"own.{FROST_VERSION}"
        content = hashlib.sha256()
        for file in self.files:
            content.update(hashlib.sha256(file.read_bytes()).digest())
        return content.hexdigest()[:8]

    def __len__(self) -> int:
        return len(self.files) or OWN_PICTURES

    def covering(self, index: int, height: int, width: int) -> Frame:
        """See `rvosbench.corruptions.draws.Pictures`."""
        return _covering(self.files[index] if self.files else index, height, width)


def frost_pictures(folder: Path | None) -> FrostPictures:
    """The pictures in `folder`, or our own for None.

    Args:
        folder: holds frost1.png and so on, as in ImageNet-C; or `INSTALLED`.

    Raises:
        UsageError: no pictures there.
    """
    if folder is None:
        return FrostPictures()
    place = _installed() if str(folder) == INSTALLED else folder
    inside = place.iterdir() if place.is_dir() else ()
    files = sorted(file for file in inside if _PICTURE.fullmatch(file.name))
    if not files:
        raise UsageError(
            f"--frost-dir {folder}: no frost pictures there, wanted frost1.png ... frost6.jpg as "
            "released with ImageNet-C. Without --frost-dir our own pictures are used"
        )
    return FrostPictures(tuple(files))


def _installed() -> Path:
    found = find_spec(INSTALLED)  # does not import it
    if found is None or found.origin is None:
        raise UsageError(
            f"--frost-dir {INSTALLED}: no package of that name is installed; pass the folder "
            "that holds frost1.png ... frost6.jpg"
        )
    return Path(found.origin).parent / "frost"


@lru_cache(maxsize=6)
def _covering(source: Path | int, height: int, width: int) -> Frame:
    """A picture in a file, or one of our own by its number."""
    import cv2

    if isinstance(source, int):
        from rvosbench.corruptions import crystals  # compiles loops: signatures do without

        return cover(crystals.picture(source), height, width)
    picture = cv2.imread(str(source), cv2.IMREAD_COLOR)
    if picture is None:
        raise UsageError(f"{source} cannot be read as a picture")
    return cover(picture[..., ::-1], height, width)


def cover(picture: Frame, height: int, width: int) -> Frame:
    """The picture itself if it is larger than the frame both ways, else enlarged to cover it.

    The original takes a piece of 224 x 224 without enlarging; for larger frames it is silent, and
    enlarging to 1.1 times what is needed follows the common size-general ports.
    """
    import cv2
    import numpy as np

    own_height, own_width = picture.shape[:2]
    if own_height > height and own_width > width:
        return np.ascontiguousarray(picture)
    factor = max(height / own_height, width / own_width) * _MARGIN
    size = (math.ceil(own_width * factor), math.ceil(own_height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
