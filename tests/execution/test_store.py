"""Finished outputs: a stamp never vouches for an output that it was not made for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rvosbench.execution.store import Store, content_hash
from rvosbench.execution.units import Unit


def made(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "made").write_text(text)
    return folder / "made"


def stored(folder: Path, suffix: str = "", hashed: bool = False) -> Store:
    folder.mkdir()
    return Store(folder, suffix, hashed)


def test_a_kill_between_output_and_stamp_costs_the_unit_and_no_more(tmp_path: Path) -> None:
    store = stored(tmp_path / "out", ".txt")
    old = Unit("a", "old")
    store.accept(old, made(tmp_path, "old"))
    assert store.finished(old)
    digest: Any = object()
    unwritable = Unit("a", digest)  # its stamp cannot be written
    with pytest.raises(TypeError):
        store.accept(unwritable, made(tmp_path, "new"))
    assert store.output("a").read_text() == "new"
    assert not store.finished(old)  # the output is not what the old stamp was for


def test_a_hashed_output_that_was_changed_is_not_finished(tmp_path: Path) -> None:
    unit = Unit("a", "1")
    plain, hashed = stored(tmp_path / "p"), stored(tmp_path / "h", hashed=True)
    for store in (plain, hashed):
        folder = tmp_path / "made"
        made(folder, "content")
        store.accept(unit, folder)
        assert store.finished(unit)
        (store.output("a") / "made").write_text("contend")
    assert plain.finished(unit)
    assert not hashed.finished(unit)


def test_where_a_stamp_holds_no_hash_the_output_is_read(tmp_path: Path) -> None:
    unit = Unit("a", "1")
    stored(tmp_path / "out").accept(unit, made(tmp_path, "cut"))
    asked: list[Path] = []

    def readable(path: Path) -> bool:
        asked.append(path)
        return path.read_text() != "cut"

    assert not Store(tmp_path / "out", "", hashed=True, readable=readable).finished(unit)
    assert asked == [tmp_path / "out" / "a"]


def test_the_hash_of_a_folder_knows_names_sizes_and_bytes(tmp_path: Path) -> None:
    found = set()
    for name, files in {
        "1": {"a": "xy", "b": ""},
        "2": {"a": "x", "b": "y"},
        "3": {"a": "xy", "c": ""},
        "4": {"a": "xz", "b": ""},
        "5": {"a": "xy"},
    }.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
        found.add(content_hash(tmp_path / name))
    assert len(found) == 5
