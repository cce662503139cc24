"""Ids become paths only here: none leads out of its folder, and none is another's."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvosbench.errors import FileError
from rvosbench.files.names import file_name, relative_name

IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(IDS)
def test_a_file_name_is_one_visible_name_that_tells_its_key(key: str) -> None:
    name = file_name(key)
    assert "/" not in name
    assert not name.startswith(".")
    assert unquote(name) == key


@given(IDS, IDS)
def test_two_keys_never_share_a_file_name(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


def test_readable_keys_stay_readable() -> None:
    assert file_name("train-0001_b") == "train-0001_b"
    assert file_name("TAO/a b") == "TAO%2Fa%20b"
    assert (file_name(".."), file_name(".hidden")) == ("%2E.", "%2Ehidden")


@given(st.lists(IDS, min_size=1, max_size=3))
def test_a_relative_name_stays_below_its_root(ids: list[str]) -> None:
    try:
        name = relative_name(*ids)
    except FileError:
        return
    assert not name.is_absolute()
    assert ".." not in name.parts
    assert Path("/root").joinpath(name).parts[:2] == ("/", "root")
    assert name.as_posix() == "/".join(ids)


@pytest.mark.parametrize("bad", ["", "/", "/abs", "a//b", "a/", "..", "../x", "a/../b", ".hidden"])
def test_ids_that_lead_elsewhere_are_refused(bad: str) -> None:
    with pytest.raises(FileError, match="cannot name a file or folder"):
        relative_name("video", bad)
