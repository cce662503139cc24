"""Track caches: files that come back bit for bit, that fit or say why not, that can be merged."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from rvosbench.masks import MaskSequence
from rvosbench.models.weights import ModelIdentity
from rvosbench.records import Json, Track
from rvosbench.tracks.cache_file import (
    TrackCacheError,
    content_hash,
    read_header,
    read_tracks,
    write_tracks,
)
from rvosbench.tracks.header import Header

HEADER = Header(
    video="v",
    frames="f",
    tracker=ModelIdentity("demo", "a" * 64),
    grounder=None,
    prompts={"points_per_side": 4},
    expressions=None,
    truth=False,
    corruption=None,
    made={"dtype": "float32", "device": "cpu"},
)


def make_tracks() -> list[Track]:
    rng = np.random.default_rng(0)
    masks = rng.random((3, 4, 9, 70)) > 0.6
    masks[1, 2] = False
    return [
        Track(
            id=str(i),
            masks=MaskSequence.from_arrays(masks[i]),
            score=float(rng.random()),
            tokens=rng.normal(size=(4, 8)).astype(np.float32),
            source=("grid", "box", "truth")[i],
            prompt_frame=i,
            prompt=((1.5, 2.5), (0.1, 0.2, 3.0, 4.0), ())[i],
            candidates=(None, frozenset({"0", "7"}), frozenset())[i],
        )
        for i in range(3)
    ]


def test_tracks_come_back_bit_for_bit(tmp_path: Path) -> None:
    tracks, path = make_tracks(), tmp_path / "v.parquet"
    written = write_tracks(path, HEADER, tracks)
    assert read_header(path) == written
    assert replace(written, content="") == HEADER
    again = read_tracks(path)
    assert content_hash(again) == written.content == content_hash(tracks)
    for ours, theirs in zip(again, tracks, strict=True):
        assert ours.masks == theirs.masks
        assert ours.tokens.dtype == np.float32
        assert ours.tokens.flags.writeable  # torch warns otherwise
        assert np.array_equal(ours.tokens, theirs.tokens)
        for name in ("id", "score", "source", "prompt_frame", "prompt", "candidates"):
            assert getattr(ours, name) == getattr(theirs, name)


def test_the_same_tracks_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_tracks(tmp_path / name, HEADER, make_tracks())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("change", ["tokens", "masks", "score", "candidates", "prompt"])
def test_the_content_hash_sees_everything(change: str) -> None:
    tracks = make_tracks()
    other = {
        "tokens": tracks[1].tokens + 1,
        "masks": tracks[0].masks,
        "score": 0.123,
        "candidates": None,
        "prompt": (1.0, 2.0, 3.0, 4.0),
    }[change]
    changed = [tracks[0], replace(tracks[1], **{change: other}), tracks[2]]  # type: ignore[arg-type]
    assert content_hash(changed) != content_hash(tracks)


def test_half_size_tokens_are_rounded_once(tmp_path: Path) -> None:
    half = replace(HEADER, token_dtype="float16")
    header = write_tracks(tmp_path / "v.parquet", half, make_tracks())
    again = read_tracks(tmp_path / "v.parquet")
    assert content_hash(again) == header.content
    for ours, theirs in zip(again, make_tracks(), strict=True):
        assert ours.tokens.dtype == np.float32
        np.testing.assert_allclose(ours.tokens, theirs.tokens, atol=2e-3)


def test_a_video_without_tracks_is_a_file_like_any_other(tmp_path: Path) -> None:
    write_tracks(tmp_path / "v.parquet", HEADER, [])
    assert read_tracks(tmp_path / "v.parquet") == ()
    assert read_header(tmp_path / "v.parquet").video == "v"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_datasets_library_reads_a_cache(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra rvosbench[hub] is not installed")
    write_tracks(tmp_path / "a.parquet", HEADER, make_tracks())
    write_tracks(tmp_path / "b.parquet", replace(HEADER, video="w"), [])
    write_tracks(tmp_path / "c.parquet", replace(HEADER, video="x"), make_tracks()[:1])
    files = [str(tmp_path / f"{name}.parquet") for name in "abc"]
    rows = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(tmp_path / "hf")
    )
    assert rows["video"][:] == ["v", "v", "v", "x"]
    tokens = np.array(rows[0]["tokens"], np.float32).reshape(rows[0]["frames"], rows[0]["dim"])
    assert np.array_equal(tokens, make_tracks()[0].tokens)
    assert rows[1]["candidates"] == ["0", "7"]
    assert rows[0]["candidates"] is None


def test_other_files_are_named(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "text.parquet").write_text("no")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    for name in ("text.parquet", "other.parquet", "absent.parquet"):
        with pytest.raises(TrackCacheError, match=f"{name}: not a file of a track cache"):
            read_header(tmp_path / name)
    with pytest.raises(TrackCacheError, match="cannot be read"):
        read_tracks(tmp_path / "other.parquet")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_tracks(tmp_path / "v.parquet", replace(HEADER, format=3), [])
    with pytest.raises(TrackCacheError, match="format 3, this version reads up to 2"):
        read_header(tmp_path / "v.parquet")


def test_unknown_keys_of_a_header_are_ignored() -> None:
    content: Json = {**asdict(HEADER), "later": 1}
    assert Header.from_json(content) == HEADER
