"""Our own frost pictures, and the originals from a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from rvosbench.corruptions import crystals, table
from rvosbench.corruptions.frost import FrostPictures, cover, frost_pictures
from rvosbench.errors import UsageError

from .scenes import scene

PIN = "1:00e98316ac71e7d4"


@pytest.mark.parametrize("number", range(5))
def test_own_pictures_have_the_statistics_of_their_recipe(number: int) -> None:
    recipe, picture = crystals.RECIPES[number], crystals.picture(number)
    assert picture.shape == (crystals.HEIGHT, crystals.WIDTH, 3)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    assert abs(grey.mean() - recipe.mean) < 1.5
    assert abs(grey.std() - recipe.std) < 1.5
    assert np.abs(picture.mean(axis=(0, 1)) - recipe.tint).max() < 3
    grain = np.abs(np.diff(grey, axis=1)).mean()
    assert 5 < grain < 25  # crystals, not clouds: the originals have 8 to 17


def test_own_pictures_are_pinned() -> None:
    """Other pictures are another corruption: raise `table.FROST_VERSION` with this pin."""
    content = hashlib.sha256(b"".join(crystals.picture(k).tobytes() for k in range(5)))
    assert f"{table.FROST_VERSION}:{content.hexdigest()[:16]}" == PIN


@pytest.mark.parametrize("size", [(40, 60), (599, 999), (600, 1000), (720, 1280), (1920, 1080)])
def test_pictures_cover_any_frame_with_room_to_choose(size: tuple[int, int]) -> None:
    picture = FrostPictures().covering(1, *size)
    assert picture.shape[0] > size[0]
    assert picture.shape[1] > size[1]
    assert picture.dtype == np.uint8


def test_a_large_picture_is_taken_as_it_is() -> None:
    picture = scene(80, 90)
    np.testing.assert_array_equal(cover(picture, 79, 89), picture)
    assert cover(picture, 80, 80).shape == (88, 100, 3)  # ceil(90 * 1.1) in floats


def test_pictures_of_a_folder_are_read_in_order_as_rgb(tmp_path: Path) -> None:
    for number, colour in ((2, (0, 0, 255)), (1, (255, 0, 0))):
        flat = np.full((70, 70, 3), colour, np.uint8)
        Image.fromarray(flat).save(tmp_path / f"frost{number}.png")
    (tmp_path / "readme.txt").write_text("no picture")
    Image.fromarray(scene(70, 70)).save(tmp_path / "other.png")
    pictures = frost_pictures(tmp_path)
    assert len(pictures) == 2
    assert tuple(pictures.covering(0, 32, 32)[0, 0]) == (255, 0, 0)
    before = pictures.identity
    Image.fromarray(scene(70, 70)).save(tmp_path / "frost1.png")
    assert frost_pictures(tmp_path).identity != before


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match="wanted frost1"):
            frost_pictures(folder)
    (tmp_path / "frost1.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match="cannot be read as a picture"):
        frost_pictures(tmp_path).covering(0, 32, 32)
