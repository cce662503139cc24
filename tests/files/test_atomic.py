"""Files and folders appear complete or not at all, and nothing of a killed process stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rvosbench.files.atomic import (
    PART,
    discard,
    part_of,
    remove_left_overs,
    replacing,
    write_bytes,
    write_json,
)
from rvosbench.files.owner import Owner, this_process


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def make(folder: Path, *files: str) -> Path:
    folder.mkdir()
    for name in files:
        (folder / name).write_text(name)
    return folder


def test_a_file_appears_with_its_folders_and_alone(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "file", b"1")
    write_bytes(tmp_path / "a" / "b" / "file", b"22")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"22"
    assert names(tmp_path / "a" / "b") == ["file"]


def test_json_is_the_same_bytes_every_time_and_ends_its_line(tmp_path: Path) -> None:
    write_json(tmp_path / "x", {"é": [1.5, None]})
    assert (tmp_path / "x").read_bytes() == '{"é": [1.5, null]}\n'.encode()
    write_json(tmp_path / "x", {"a": 1}, indent=1)
    assert json.loads((tmp_path / "x").read_text()) == {"a": 1}


def test_what_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("old")

    def failing(error: type[BaseException]) -> None:
        with replacing(place) as beside:
            beside.write_text("half")
            raise error

    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            failing(error)
    assert place.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    place = make(tmp_path / "folder", "old", "stale")
    with replacing(place) as beside:
        make(beside, "new")
        assert names(place) == ["old", "stale"]
    assert names(place) == ["new"]
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("new", ["file", "folder"])
@pytest.mark.parametrize("old", ["file", "folder", "link", "dangling link"])
def test_anything_replaces_anything_and_links_are_not_followed(
    tmp_path: Path, old: str, new: str
) -> None:
    elsewhere, place = make(tmp_path / "elsewhere", "precious"), tmp_path / "place"
    if old == "file":
        place.write_text("old")
    elif old == "folder":
        make(place, "old")
    else:
        place.symlink_to(elsewhere if old == "link" else tmp_path / "nowhere")
    with replacing(place) as beside:
        if new == "file":
            beside.write_text("new")
        else:
            make(beside, "new")
    assert not place.is_symlink()
    assert (place if new == "file" else place / "new").read_text() == "new"
    assert names(elsewhere) == ["precious"]
    assert names(tmp_path) == ["elsewhere", "place"]


def test_discarding_a_link_keeps_what_it_leads_to(tmp_path: Path) -> None:
    elsewhere = make(tmp_path / "elsewhere", "precious")
    (tmp_path / "link").symlink_to(elsewhere)
    inside = make(tmp_path / "folder")
    (inside / "link").symlink_to(elsewhere)
    for place in (tmp_path / "link", inside, tmp_path / "nothing"):
        discard(place)
    assert names(tmp_path) == ["elsewhere"]
    assert names(elsewhere) == ["precious"]


KILLED = """
import os, signal, sys
from pathlib import Path
from rvosbench.files.atomic import replacing
with replacing(Path(sys.argv[1])) as beside:
    beside.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_leaves_nothing_half_and_its_rest_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("old")
    assert subprocess.run([sys.executable, "-c", KILLED, str(place)]).returncode < 0
    assert place.read_text() == "old"
    (left,) = (name for name in names(tmp_path) if name.startswith(PART))
    assert (tmp_path / left).read_text() == "half"
    remove_left_overs(tmp_path)
    assert names(tmp_path) == ["file"]


def test_only_left_overs_of_the_dead_are_removed(tmp_path: Path) -> None:
    me, elsewhere = this_process(), Owner("elsewhere", 1, "1")
    kept = [
        part_of(tmp_path / "mine").name,
        f"{PART}12345678-{elsewhere.label}@theirs",
        f"{PART}of nobody",
        ".part",
    ]
    dead = f"{PART}12345678-{Owner(me.host, me.process, me.started + '1').label}@dead"
    for name in (*kept, dead):
        (tmp_path / name).write_text("")
    remove_left_overs(tmp_path)
    assert set(names(tmp_path)) == set(kept)


@pytest.mark.parametrize("name", ["x" * 200, "猫" * 80, "-@-"])
def test_names_of_any_length_and_script_can_be_written(tmp_path: Path, name: str) -> None:
    write_bytes(tmp_path / name, b"1")
    assert names(tmp_path) == [name]
    assert len(os.fsencode(part_of(tmp_path / name).name)) <= 255
