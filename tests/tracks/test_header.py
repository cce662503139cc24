"""What decided a file of tracks, and whether it is the one that is wanted."""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.corrupted import corrupted
from rvosbench.datasets.frames import video as frame_video
from rvosbench.demo.dataset import open_demo
from rvosbench.models.weights import ModelIdentity
from rvosbench.records import Expression, Json, Sample, Video
from rvosbench.tracks.config import TrackConfig, relevant
from rvosbench.tracks.header import Header, content_of, frame_fingerprint, frames_hash

TEXTS = {"0": "the left one", "1": "the right one"}
HEADER = Header(
    video="v",
    frames="f",
    tracker=ModelIdentity("demo", "a" * 64),
    grounder=ModelIdentity("grounder", "b" * 64),
    prompts=relevant(TrackConfig(), True),
    expressions=TEXTS,
    truth=False,
    corruption=None,
    made={"dtype": "float32", "device": "cpu"},
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"video": "w"}, "video is v, wanted w"),
        ({"frames": "g"}, "frames is f, wanted g"),
        ({"tracker": ModelIdentity("demo", "c" * 64)}, r"tracker is demo \(sha256 aaaaaaaaaaaa\)"),
        ({"grounder": ModelIdentity("other", "c" * 64)}, r"wanted other \(sha256 cccccccccccc\)"),
        ({"grounder": None}, "there are box tracks, wanted none"),
        ({"prompts": relevant(TrackConfig(iou_filter=0.5), True)}, "iou_filter is 0.7, wanted 0.5"),
        ({"expressions": {**TEXTS, "1": "x"}}, "expressions.1 is the right one, wanted x"),
        ({"truth": True}, "truth is False, wanted True"),
        ({"corruption": "fog:3"}, "corruption is none, wanted fog:3"),
        ({"made": {"dtype": "bfloat16"}}, "dtype is float32, wanted bfloat16"),
        ({"made": {**HEADER.made, "backend": "original"}}, "backend is transformers, wanted orig"),
        ({"token_dtype": "float16"}, "token_dtype is float32, wanted float16"),
        ({"revision": 3}, "revision is 2, wanted 3"),
    ],
)
def test_whatever_decides_tracks_makes_another_recipe(
    change: dict[str, Json], message: str
) -> None:
    wanted = replace(HEADER, **change)
    assert wanted.recipe.digest != HEADER.recipe.digest
    found = HEADER.differences(wanted)
    assert len(found) == 1
    assert re.search(message, found[0])


def test_where_and_what_came_out_decide_nothing() -> None:
    made = {"dtype": "float32", "device": "cuda", "libraries": {"torch": "9"}}
    elsewhere = replace(HEADER, made=made, content="1" * 64)
    assert elsewhere.recipe.digest == HEADER.recipe.digest
    assert not HEADER.differences(elsewhere)


def test_models_are_known_by_hash_and_by_name_where_one_is_unknown() -> None:
    renamed = replace(HEADER, tracker=ModelIdentity("elsewhere", "a" * 64))
    assert not HEADER.differences(renamed)
    unknown = replace(HEADER, tracker=ModelIdentity("demo", None))
    assert not HEADER.differences(unknown)
    assert not unknown.differences(HEADER)
    other = replace(HEADER, tracker=ModelIdentity("facebook/sam2-hiera-large", None))
    assert HEADER.differences(other) == [
        "tracker is demo (sha256 aaaaaaaaaaaa), wanted facebook/sam2-hiera-large"
    ]


def test_only_the_facts_that_are_asked_for_count() -> None:
    wanted = replace(HEADER, truth=True, token_dtype="float16", frames="g")
    assert not HEADER.differences(wanted, ["tracker", "iou_filter"])
    assert HEADER.differences(wanted, ["tracker", "truth"]) == ["truth is False, wanted True"]


def test_files_without_boxes_are_refused_in_one_sentence() -> None:
    without = replace(
        HEADER, grounder=None, expressions=None, prompts=relevant(TrackConfig(), False)
    )
    assert without.differences(HEADER) == [
        "there are no box tracks, wanted those of grounder (sha256 bbbbbbbbbbbb)"
    ]


def test_files_of_a_cache_share_all_but_what_is_of_the_video() -> None:
    other = replace(HEADER, video="w", frames="g", expressions={})
    assert other.shared == HEADER.shared
    assert {"video", "frames", "expressions"} == other.recipe.facts.keys() - other.shared.facts


def test_the_hash_of_rows_sees_every_file_and_no_order() -> None:
    headers = [replace(HEADER, video=v, content=c) for v, c in (("a", "1"), ("b", "2"))]
    assert content_of(headers) == content_of(headers[::-1])
    assert content_of(headers) != content_of(headers[:1])
    assert content_of([headers[0], replace(headers[1], content="3")]) != content_of(headers)


# Of a video as it is now.


def sample(folder: Path, texts: dict[str, str] | None = None) -> Sample:
    texts = TEXTS if texts is None else texts
    return Sample(video(folder), tuple(Expression(i, t) for i, t in texts.items()))


def video(folder: Path) -> Video:
    names = tuple(sorted(p.stem for p in folder.iterdir()))
    return frame_video("toy", "v", folder, names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty frames of noise."""
    rng, frames = np.random.default_rng(3), tmp_path / "frames"
    frames.mkdir()
    for i in range(20):
        frame = rng.integers(0, 255, (16, 24, 3), np.uint8)
        Image.fromarray(frame).save(frames / f"{i:05d}.jpg", quality=90)
    return frames


def replace_frame(folder: Path, index: int) -> None:
    """Another picture of the same name and size."""
    path = folder / f"{index:05d}.jpg"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("index", [0, 1, 9])
def test_a_replaced_frame_is_noticed_in_files_of_today(folder: Path, index: int) -> None:
    header = replace(HEADER, frames=frames_hash(video(folder)))
    assert not header.unfit(sample(folder), boxes=True)
    replace_frame(folder, index)
    assert header.unfit(sample(folder), boxes=True) == [
        "they are of other frames than those of this dataset"
    ]


def test_files_of_format_1_stay_valid_with_what_they_say_of_frames(folder: Path) -> None:
    content = asdict(replace(HEADER, frames=frame_fingerprint(video(folder)), format=1))
    header = Header.from_json(content)
    assert not header.unfit(sample(folder), boxes=True)
    assert replace(header, format=2).unfit(sample(folder), boxes=True)  # two kinds of hashes
    replace_frame(folder, 1)  # not one of the eight that were looked at
    assert not header.unfit(sample(folder), boxes=True)
    replace_frame(folder, 0)
    assert header.unfit(sample(folder), boxes=True)


def test_what_format_1_says_of_frames_does_not_change(folder: Path) -> None:
    """Caches hold it: another value would make days of GPU time stale."""
    (folder / "00000.jpg").write_bytes(b"not a picture")
    for path in sorted(folder.iterdir())[2:]:
        path.unlink()
    (folder / "00001.jpg").write_bytes(b"nor this")
    assert frame_fingerprint(video(folder)) == (
        "a09a76ab003d6f69df7f7b3778e76a4d943a6070bff64a6cd01bfd5661221536"
    )


@pytest.mark.parametrize("change", ["size", "bytes", "name", "fewer"])
def test_format_1_tells_most_changes(folder: Path, change: str) -> None:
    before = frame_fingerprint(video(folder))
    middle, first = folder / "00009.jpg", folder / "00000.jpg"
    if change == "size":
        middle.write_bytes(middle.read_bytes() + b"\0")
    elif change == "bytes":
        first.write_bytes(first.read_bytes()[:-1] + b"\1")
    elif change == "name":
        middle.rename(folder / "00009x.jpg")
    else:
        middle.unlink()
    assert frame_fingerprint(video(folder)) != before


def test_format_1_does_not_know_places(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere" / "b")
    assert frame_fingerprint(video(folder)) == frame_fingerprint(video(tmp_path / "elsewhere/b"))


@pytest.mark.parametrize("file_format", [1, 2])
def test_another_corruption_is_other_frames(file_format: int) -> None:
    clean = open_demo(None, "valid")
    plain = clean.sample("valid-0000").video
    hashes = {
        frames_hash(corrupted(clean, plan).sample(plain.id).video, file_format)
        for plan in (Plan("fog", 1), Plan("fog", 2), Plan("snow", 1))
    }
    assert len(hashes | {frames_hash(plain, file_format)}) == 4
    header = replace(HEADER, corruption="fog:1", frames="x", format=file_format)
    assert header.unfit(clean.sample(plain.id), boxes=False) == [
        "they are of other frames (fog:1) than those of this dataset"
    ]


def test_corrupted_frames_are_those_of_files_that_1c25e4b_wrote() -> None:
    """The value is what 1c25e4b says of them: its caches cost GPU days, and stay valid."""
    noisy = corrupted(open_demo(None, "valid"), Plan("fog", 1)).sample("valid-0000").video
    written = "ebf3a756b97aae7dceedb308c910a0f58c418249e3aa74605744635ea3481355"
    assert frames_hash(noisy, 1) == written


def test_edited_expressions_matter_to_box_tracks_only(folder: Path) -> None:
    header = replace(HEADER, frames=frames_hash(video(folder)))
    edited = sample(folder, {"0": "the left one", "1": "the other one"})
    assert not header.unfit(edited, boxes=False)
    (problem,) = header.unfit(edited, boxes=True)
    assert problem == (
        "they are for other expressions than those of this dataset: 1 differ, such as "
        "expressions.1 is the right one, wanted the other one"
    )
    (new,) = header.unfit(sample(folder, {**TEXTS, "2": "a third"}), boxes=True)
    assert "expressions.2 is not recorded, wanted a third" in new


def test_fewer_expressions_may_be_asked_for_unless_they_share_candidates(folder: Path) -> None:
    header = replace(HEADER, frames=frames_hash(video(folder)))
    fewer = sample(folder, {"0": "the left one"})
    assert not header.unfit(fewer, boxes=True)
    pooled = replace(header, prompts={**header.prompts, "candidate_pool": "video"})
    assert pooled.unfit(fewer, boxes=True)
    assert not pooled.unfit(sample(folder), boxes=True)
