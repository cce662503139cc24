from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvosbench.errors import AnnotationError
from rvosbench.files import json_index
from rvosbench.files.json_index import JsonIndex, build_index, cache_folder, open_index

from ..datasets import toys

COUNTS = st.text([chr(c) for c in range(48, 112)])
"""Compressed run lengths: the characters that COCO writes, brackets, colons, backslashes too."""

RLE = st.fixed_dictionaries(
    {"size": st.just([480, 854]), "counts": COUNTS | st.lists(st.integers(0, 99))}
)
MASKS = st.dictionaries(
    st.integers(0, 99999).map(str), st.lists(RLE | st.none(), max_size=4), min_size=1, max_size=5
)
INDENT = st.sampled_from([None, 0, 1, 4])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@given(MASKS, INDENT, st.sampled_from([(",", ":"), (", ", ": "), (" ,", "\n:\t")]))
def test_an_index_reads_what_json_reads(
    folder: Path, masks: dict[str, Any], indent: int | None, separators: tuple[str, str]
) -> None:
    path = folder / "masks.json"
    path.write_text(json.dumps(masks, indent=indent, separators=separators) + "\n")
    index = build_index(path)
    assert {key: index.read(key) for key in index.spans} == masks


@pytest.mark.parametrize("counts", [":[]", ":[]]", ":[n", "]", ":[\\", "\\"])
def test_masks_that_look_like_json_do_not_fool_the_scan(tmp_path: Path, counts: str) -> None:
    masks = {"7": [{"counts": counts, "size": [1, 2]}], "8": [None]}
    index = build_index(toys.write_json(tmp_path / "m.json", masks))
    assert list(index.spans) == ["7", "8"]
    assert index.read("7") == masks["7"]


def test_the_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    path = toys.write_json(tmp_path / "m.json", toys.mevis_masks())
    assert open_index(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_one_annotation_costs_reading_only_its_bytes(tmp_path: Path) -> None:
    path = toys.write_json(tmp_path / "m.json", {"1": [None], "2": [None] * 3})
    index = build_index(path)
    content = path.read_bytes()
    start, end = index.spans["2"]
    path.write_bytes(b"#" * start + content[start:end])
    assert index.read("2") == [None] * 3
    with pytest.raises(AnnotationError, match=r"annotation '1'.*broken.*download"):
        index.read("1")


def test_an_index_is_built_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toys.write_json(tmp_path / "m.json", toys.mevis_masks())
    first = open_index(path)
    monkeypatch.setattr(json_index, "build_index", _never)
    assert open_index(path) == first
    assert dict(open_index(path).spans) == dict(first.spans)
    assert [p.name[:6] for p in cache_folder().iterdir()] == ["masks-"]


def test_a_changed_file_gets_a_new_index(tmp_path: Path) -> None:
    path = toys.write_json(tmp_path / "m.json", {"1": [None]})
    before = open_index(path)
    toys.write_json(path, {"2": [None]})
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))  # same size, another time
    after = open_index(path)
    assert (list(before.spans), list(after.spans)) == (["1"], ["2"])
    assert before.sha256 != after.sha256


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 1}', '{"version": 0, "spans": {}}']
)
def test_a_damaged_cache_is_built_again(tmp_path: Path, content: str) -> None:
    path = toys.write_json(tmp_path / "m.json", toys.mevis_masks())
    first = open_index(path)
    stored = next(cache_folder().iterdir())
    stored.write_text(content)
    assert dict(open_index(path).spans) == dict(first.spans)
    assert json.loads(stored.read_text())["sha256"] == first.sha256


def test_an_index_of_another_version_is_not_believed(tmp_path: Path) -> None:
    path = toys.write_json(tmp_path / "m.json", toys.mevis_masks())
    first = open_index(path)
    stored = next(cache_folder().iterdir())
    content = json.loads(stored.read_text())
    stored.write_text(json.dumps({**content, "version": 0, "spans": {"2": [1, 2]}}))
    assert dict(open_index(path).spans) == dict(first.spans)
    assert json.loads(stored.read_text()) == content


def test_without_a_writable_cache_the_index_lives_in_memory(tmp_path: Path) -> None:
    path = toys.write_json(tmp_path / "m.json", toys.mevis_masks())
    blocked = tmp_path / "file"
    blocked.touch()
    assert open_index(path, blocked / "cache").read("2")[1] is None
    assert blocked.is_file()


def test_the_cache_folder_follows_the_xdg_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/rvosbench")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "rvosbench"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0", "git-lfs pointer"),
        ("<html></html>", "begins with b'<html>"),
        ('{"1": [null, {"size": [2, 2], "cou', "broke off"),
        ('{"videos": {}}', "holds no masks"),
    ],
    ids=["empty", "pointer", "page", "cut", "meta"],
)
def test_what_is_no_mask_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mask_dict.json"
    path.write_text(content)
    with pytest.raises(AnnotationError, match=message):
        open_index(path)


def _never(path: Path) -> JsonIndex:
    raise AssertionError(f"{path} was scanned again")
