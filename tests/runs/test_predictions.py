"""Answers and prediction files: round trips in every accepted form, and a clear no to the rest."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rvosbench.errors import IncompletePredictionError, PredictionError, UsageError
from rvosbench.files.archives import write_zip
from rvosbench.masks import MaskSequence
from rvosbench.missing import Missing, MissingPolicy
from rvosbench.runs.predictions import MaskTree, open_predictions, write_predictions
from rvosbench.runs.submission import check_predictions, pack_predictions, submission_name

from ..toys import LENGTH, SIZE, ToyDataset, moving_square

DATASET = ToyDataset()
SAMPLE = DATASET.sample("a")
ANSWERS: Mapping[str, MaskSequence] = {
    "0": moving_square(1, 2),
    "1": moving_square(40, 3),
    "2": moving_square(20, 0),
    "3": MaskSequence.empty(LENGTH, SIZE),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Predictions for the whole toy dataset."""
    for sample in DATASET:
        for expression_id, masks in ANSWERS.items():
            write_predictions(tmp_path / "made", sample.video, expression_id, masks)
    return tmp_path / "made"


def zipped(folder: Path, prefix: str = "") -> Path:
    out = folder.with_name("made.zip")
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("__MACOSX/._00000.png", b"litter")
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, prefix + path.relative_to(folder).as_posix())
    return out


def wrapped(folder: Path) -> Path:
    (folder.parent / "around").mkdir()
    return folder.rename(folder.parent / "around" / "Annotations").parent


FORMS: dict[str, Callable[[Path], Path]] = {
    "folder": lambda folder: folder,
    "folder in a folder": wrapped,
    "zip": zipped,
    "zip with a top folder": lambda folder: zipped(folder, "Annotations/"),
    "zip made with ./": lambda folder: zipped(folder, "./"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("video", DATASET.videos)
def test_what_was_written_is_read_in_every_form(folder: Path, form: str, video: str) -> None:
    path = FORMS[form](folder)
    got = open_predictions(path).predict(DATASET.sample(video))
    assert {key: p.masks for key, p in got.items()} == ANSWERS
    assert {p.score for p in got.values()} == {1.0}


def test_read_masks_behave_like_others(folder: Path) -> None:
    masks = open_predictions(folder).predict(SAMPLE)["0"].masks
    assert masks.at([2, 0]) == ANSWERS["0"].at([2, 0])
    assert masks.compressed() == masks.packed() == ANSWERS["0"]
    assert [masks.rle(i) for i in range(LENGTH)] == [ANSWERS["0"].rle(i) for i in range(LENGTH)]


def test_written_masks_are_gray_0_and_255(folder: Path) -> None:
    with Image.open(folder / "b" / "c" / "0" / "00000.png") as image:
        assert (image.mode, image.size) == ("L", (SIZE[1], SIZE[0]))
        assert set(np.unique(np.asarray(image))) == {0, 255}


def test_writing_again_replaces_the_whole_expression(folder: Path) -> None:
    (folder / "a" / "0" / "stale.png").write_bytes(b"")
    place = write_predictions(folder, SAMPLE.video, "0", ANSWERS["1"])
    assert [p.name for p in sorted(place.iterdir())] == [f"{i:05d}.png" for i in range(LENGTH)]
    assert [p.name for p in sorted((folder / "a").iterdir())] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("expression_id", ["..", "../x", ".hidden", "", "/abs", "a//b"])
def test_ids_that_would_leave_the_folder_are_refused(tmp_path: Path, expression_id: str) -> None:
    with pytest.raises(PredictionError, match="cannot name a file or folder"):
        write_predictions(tmp_path, SAMPLE.video, expression_id, ANSWERS["0"])


def test_writing_too_few_masks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="got 1 masks to write, wanted 4"):
        write_predictions(tmp_path, SAMPLE.video, "0", ANSWERS["0"].at([0]))


def _palette(mask: NDArray[np.bool_]) -> Image.Image:
    image = Image.fromarray(mask.astype(np.uint8), "P")
    image.putpalette([255, 255, 255, 0, 0, 0])  # object black, background white
    return image


MODES: dict[str, Callable[[NDArray[np.bool_]], Image.Image]] = {
    "gray 0/255": lambda mask: Image.fromarray(mask.astype(np.uint8) * 255),
    "gray 0/1": lambda mask: Image.fromarray(mask.astype(np.uint8)),
    "1 bit": lambda mask: Image.fromarray(mask),
    "palette": _palette,
    "16 bit": lambda mask: Image.fromarray(mask.astype(np.uint16) * 65535),
}


def _overwrite(folder: Path, make: Callable[[NDArray[np.bool_]], Image.Image]) -> None:
    for index, mask in enumerate(ANSWERS["0"]):
        make(mask).save(folder / "a" / "0" / f"{index:05d}.png")


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("mode", MODES)
def test_every_way_to_store_a_mask_is_read(folder: Path, mode: str) -> None:
    _overwrite(folder, MODES[mode])
    assert open_predictions(folder).predict(SAMPLE)["0"].masks == ANSWERS["0"]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_colour_images_are_refused(folder: Path, mode: str) -> None:
    _overwrite(folder, lambda mask: Image.fromarray(mask).convert("L").convert(mode))
    with pytest.raises(PredictionError, match=rf"a/0/00000.png: a colour image \({mode}\)"):
        open_predictions(folder).predict(SAMPLE)["0"].masks.areas()


def test_a_mask_of_another_size_is_refused(folder: Path) -> None:
    _overwrite(folder, lambda mask: Image.fromarray(mask[:, :60]))
    with pytest.raises(PredictionError, match=r"a/0/00000.png: got 12x60, wanted 12x70"):
        open_predictions(folder).predict(SAMPLE)["0"].masks.areas()


@pytest.mark.parametrize("content", [b"", b"no png", b"\x89PNG\r\n\x1a\n\0\0"])
def test_a_broken_file_is_refused(folder: Path, content: bytes) -> None:
    (folder / "a" / "0" / "00001.png").write_bytes(content)
    with pytest.raises(PredictionError, match=r"a/0/00001.png: not a readable PNG"):
        open_predictions(folder).predict(SAMPLE)["0"].masks.areas()


def test_a_truncated_png_is_refused(folder: Path) -> None:
    file, noise = io.BytesIO(), np.random.default_rng(0).integers(0, 2, SIZE, np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    (folder / "a" / "0" / "00001.png").write_bytes(file.getvalue()[:-60])
    with pytest.raises(PredictionError, match=r"a/0/00001.png: not a readable PNG"):
        open_predictions(folder).predict(SAMPLE)["0"].masks.areas()


def _remove(folder: Path, *names: str) -> None:
    for name in names:
        for path in sorted((folder / name).rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (folder / name).rmdir() if (folder / name).is_dir() else (folder / name).unlink()


MISSING = {
    "video": ("a", r"4 of 4 masks of video 'a', expression '0' are missing; found b, d, wanted a"),
    "expression": ("a/0", "a/0: 4 of 4 masks .* found nothing, wanted 00000.png, 00001.png"),
    "frame": ("a/0/00002.png", "a/0: 1 of 4 masks .* found 00000.png, .* wanted 00002.png"),
}


@pytest.mark.parametrize("what", MISSING)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_nothing_is_missing_silently(folder: Path, what: str, packed: bool) -> None:
    name, message = MISSING[what]
    _remove(folder, name)
    files = open_predictions(zipped(folder) if packed else folder, samples=DATASET)
    found = files.predict(SAMPLE)
    with pytest.raises(IncompletePredictionError, match=message + r".*--missing zero"):
        _ = found["0"]


@pytest.mark.parametrize(("what", "empty"), [("video", 4), ("expression", 4), ("frame", 1)])
def test_what_is_missing_may_count_as_empty(folder: Path, what: str, empty: int) -> None:
    _remove(folder, MISSING[what][0])
    found = open_predictions(folder, "zero", DATASET).predict(SAMPLE)
    masks = found["0"].masks
    assert (masks.areas() == 0).sum() == empty
    assert masks.compressed() == masks
    assert found.filled == Missing(empty, int(empty == LENGTH))


@pytest.mark.parametrize("missing", ["error", "zero"])
def test_predictions_for_other_data_are_refused_whatever_the_policy(
    folder: Path, missing: MissingPolicy
) -> None:
    stranger = ToyDataset(videos=("x", "y"))
    with pytest.raises(PredictionError, match=r"none of the 2 videos.*found a, b, d, wanted x, y"):
        open_predictions(folder, missing, stranger)


def test_predictions_that_are_there_twice_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("fog", "snow"):
        write_predictions(tmp_path / "runs" / name, SAMPLE.video, "0", ANSWERS["0"])
    with pytest.raises(PredictionError, match="'a' is in 'fog/a' and in 'snow/a'"):
        open_predictions(tmp_path / "runs").predict(SAMPLE)


def test_an_expression_with_the_name_of_a_video_is_not_the_video(tmp_path: Path) -> None:
    numbered = ToyDataset(videos=("0", "1"))
    write_predictions(tmp_path, numbered.sample("0").video, "1", ANSWERS["1"])
    opened = open_predictions(tmp_path)
    assert isinstance(opened, MaskTree)
    assert opened.place("1") is None


def test_paths_that_hold_no_predictions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="no such folder or zip"):
        open_predictions(tmp_path / "nowhere")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PredictionError, match="not a zip"):
        open_predictions(tmp_path / "text")


def test_a_damaged_zip_is_refused(folder: Path) -> None:
    path = zipped(folder)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("a/0/00000.png")
        start = info.header_offset + 30 + len(info.filename)
    content[start + 20] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(PredictionError, match=r"made.zip: a/0/00000.png cannot be read: Bad CRC"):
        open_predictions(path).predict(SAMPLE)["0"].masks.areas()


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_digest_follows_the_files_and_nothing_else(folder: Path, form: str) -> None:
    before = {s.video.id: open_predictions(FORMS[form](folder)).digest(s) for s in DATASET}
    same = {s.video.id: open_predictions(FORMS[form](folder)).digest(s) for s in DATASET}
    assert same == before
    write_predictions(folder, SAMPLE.video, "3", ANSWERS["0"])
    after = {s.video.id: open_predictions(FORMS[form](folder)).digest(s) for s in DATASET}
    assert {v for v in before if before[v] != after[v]} == {"a"}


def test_a_digest_notices_a_missing_frame(folder: Path) -> None:
    before = open_predictions(folder).digest(SAMPLE)
    _remove(folder, "a/0/00002.png")
    assert open_predictions(folder).digest(SAMPLE) != before


def test_folders_that_nobody_asks_for_are_named(folder: Path) -> None:
    write_predictions(folder, SAMPLE.video, "17", ANSWERS["0"])
    stranger = ToyDataset(videos=("z",)).sample("z")
    write_predictions(folder, stranger.video, "0", ANSWERS["0"])
    for path in (folder, zipped(folder)):
        assert open_predictions(path).extra(DATASET) == ("a/17", "z")
    assert open_predictions(zipped(folder, "Annotations/")).extra([SAMPLE]) == (
        "Annotations/a/17",
        "Annotations/b",
        "Annotations/d",
        "Annotations/z",
    )


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_open_predictions_can_be_sent_to_another_process(folder: Path, form: str) -> None:
    files = open_predictions(FORMS[form](folder))
    files.predict(SAMPLE)["0"].masks.areas()
    there = pickle.loads(pickle.dumps(files))
    assert there.predict(SAMPLE)["0"].masks == ANSWERS["0"]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12: threads
def test_a_zip_survives_a_fork(folder: Path) -> None:
    masks = open_predictions(zipped(folder)).predict(SAMPLE)["0"].masks
    masks.areas()
    child = os.fork()
    if child == 0:
        os._exit(0 if masks == ANSWERS["0"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert masks == ANSWERS["0"]


@pytest.mark.parametrize(
    ("name", "path"),
    [("mevis", "b/c/0/00000.png"), ("ref-youtube-vos", "Annotations/b/c/0/00000.png")],
)
def test_a_submission_has_the_layout_of_its_server(folder: Path, name: str, path: str) -> None:
    assert submission_name(name, "b/c", "0", "00000") == path
    for source in (folder, wrapped(folder)):
        if source.exists():
            count = pack_predictions(source, ToyDataset(name=name), source.parent / "out.zip")
            with zipfile.ZipFile(source.parent / "out.zip") as archive:
                assert path in archive.namelist()
                assert count == len(archive.namelist()) == 3 * 4 * LENGTH


def test_packing_twice_gives_the_same_bytes(folder: Path) -> None:
    pack_predictions(folder, DATASET, folder.parent / "1.zip")
    for path in folder.rglob("*.png"):
        os.utime(path, (0, 10**9))
    pack_predictions(folder, DATASET, folder.parent / "2.zip")
    assert (folder.parent / "1.zip").read_bytes() == (folder.parent / "2.zip").read_bytes()


def test_a_pack_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="holds none of the 3 videos"):
        pack_predictions(tmp_path, DATASET, tmp_path / "out.zip")

    def broken() -> Iterator[tuple[str, bytes]]:
        yield "a", b"1"
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        write_zip(tmp_path / "out.zip", broken())
    assert list(tmp_path.iterdir()) == []


def test_a_good_submission_passes_the_check(folder: Path) -> None:
    report = check_predictions(folder, DATASET)
    assert (report.passed, report.expressions, report.problems, report.warnings) == (
        True,
        12,
        (),
        (),
    )


def test_a_check_names_every_problem(folder: Path) -> None:
    _remove(folder, "d/1")
    _overwrite(folder, lambda mask: Image.fromarray(mask).convert("RGB"))
    write_predictions(folder, SAMPLE.video, "17", ANSWERS["0"])
    report = check_predictions(zipped(folder, "Annotations/"), DATASET)
    layout, colour, absent = report.problems
    assert "the server wants a/, the zip has Annotations/a/" in layout
    assert "a/0/00000.png: a colour image" in colour
    assert "video 'd', expression '1' are missing" in absent
    assert "nobody asks for Annotations/a/17" in report.warnings[0]
    assert not report.passed


def test_the_policy_for_missing_predictions_is_read() -> None:
    assert [MissingPolicy(text) for text in ("error", "zero")] == ["error", "zero"]
    with pytest.raises(UsageError, match=r"'eror' .did you mean 'error'.*wanted error or zero"):
        MissingPolicy("eror")


def test_what_is_filled_is_counted_once_however_often_it_is_asked_for(folder: Path) -> None:
    _remove(folder, "a/0/00002.png", "a/1")
    found = open_predictions(folder, "zero").predict(SAMPLE)
    assert found.filled == Missing()
    for key in ("0", "1", "2", "0"):
        _ = found[key]
    assert found.filled == Missing(1 + LENGTH, 1)
    assert "9" not in found
    with pytest.raises(KeyError):
        _ = found["9"]


def test_a_policy_fills_nothing_where_nothing_is_missing() -> None:
    assert MissingPolicy.ERROR.fill(Missing(), "all there") == Missing()
    assert MissingPolicy.ZERO.fill(Missing(2, 1), "two") == Missing(2, 1)
    with pytest.raises(IncompletePredictionError, match=r"^two\. Write one for every frame"):
        MissingPolicy.ERROR.fill(Missing(2, 1), "two")
    assert Missing.total([]) == Missing()
    assert Missing.total([Missing(1, 0), Missing(3, 2)]) == Missing(4, 2)
