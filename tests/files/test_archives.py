"""A folder and a zip of the same files are the same tree."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rvosbench.errors import FileError
from rvosbench.files.archives import Folder, Tree, Zip, open_tree, write_zip

FILES = {"a/1.png": b"one", "a/b/2.png": b"", "c.txt": b"text" * 100, "é/x": b"\0"}
LITTER = {"__MACOSX/a/1.png": b"x", ".DS_Store": b"x", "a/.1.png": b"x", "a/Thumbs.db": b"x"}


def folder(root: Path) -> Path:
    for name, content in {**FILES, **LITTER}.items():
        place = root / "tree" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return root / "tree"


def packed(root: Path, prefix: str = "", separator: str = "/") -> Path:
    with zipfile.ZipFile(root / "tree.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**FILES, **LITTER}.items():
            archive.writestr(prefix + name.replace("/", separator), content)
    return root / "tree.zip"


FORMS: dict[str, Callable[[Path], Path]] = {
    "folder": folder,
    "zip": packed,
    "zip with ./": lambda root: packed(root, "./"),
    "zip of Windows": lambda root: packed(root, separator="\\"),
}


@pytest.fixture(params=FORMS)
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    return open_tree(FORMS[request.param](tmp_path))


def test_folders_and_files_are_told_apart_and_sorted_without_litter(tree: Tree) -> None:
    assert tree.folders("") == ("a", "é")
    assert tree.files("") == ("c.txt",)
    assert (tree.folders("a"), tree.files("a")) == (("b",), ("1.png",))
    assert tree.files("a/b") == ("2.png",)
    assert tree.is_folder("a/b")
    for name in ("a/1.png", "nowhere", "a/nowhere"):
        assert not tree.is_folder(name)
        assert tree.folders(name) == tree.files(name) == ()


def test_files_are_read_whole(tree: Tree) -> None:
    assert {name: tree.read(name) for name in FILES} == FILES
    assert {name: tree.size(name) for name in FILES} == {n: len(c) for n, c in FILES.items()}


def test_a_file_that_is_larger_than_its_kind_can_be_is_refused(tree: Tree) -> None:
    assert tree.read("c.txt", 400) == FILES["c.txt"]
    with pytest.raises(FileError, match=r"c\.txt: more than the 399 bytes"):
        tree.read("c.txt", 399)


def test_a_tree_goes_to_another_process(tree: Tree) -> None:
    tree.read("c.txt")
    there: Tree = pickle.loads(pickle.dumps(tree))
    assert there.read("c.txt") == FILES["c.txt"]
    assert there.path == tree.path


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_identity_of_a_file_changes_with_it_and_with_nothing_else(
    tmp_path: Path, form: str
) -> None:
    path = FORMS[form](tmp_path)
    before = {name: open_tree(path).identity(name) for name in FILES}
    assert {name: open_tree(path).identity(name) for name in FILES} == before
    if form == "folder":
        (path / "a/1.png").write_bytes(b"two")
        os.utime(path / "a/1.png", ns=(0, 1))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**FILES, "a/1.png": b"two"}.items():
                archive.writestr(name, content)
    after = {name: open_tree(path).identity(name) for name in FILES}
    assert {name for name in FILES if before[name] != after[name]} == {"a/1.png"}


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"tree/x\.png: cannot be read"):
        Folder(folder(tmp_path)).read("x.png")
    opened = Zip(packed(tmp_path))
    (tmp_path / "tree.zip").unlink()
    again = pickle.dumps(opened)  # opened by its path
    with pytest.raises(FileError, match=r"tree\.zip: not a readable zip"):
        pickle.loads(again)


def test_what_is_no_tree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="there is no such folder or zip"):
        open_tree(tmp_path / "nowhere")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FileError, match="not a zip, wanted a folder or a zip"):
        open_tree(tmp_path / "text")


def test_a_damaged_file_in_a_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "made.zip"
    write_zip(path, [("a/1.png", b"12345"), ("b", b"whole")])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"12345", b"12346", 1))
    tree = open_tree(path)
    assert tree.read("b") == b"whole"
    with pytest.raises(FileError, match=r"made\.zip: a/1\.png cannot be read: Bad CRC"):
        tree.read("a/1.png")


def test_a_zip_tells_nothing_of_time_system_or_user(tmp_path: Path) -> None:
    entries = [("b/2", b"22"), ("a/1", b"1")]
    assert write_zip(tmp_path / "deep" / "out.zip", entries) == 2
    with zipfile.ZipFile(tmp_path / "deep" / "out.zip") as archive:
        found = archive.infolist()
        assert [(i.filename, archive.read(i)) for i in found] == entries
    for info in found:
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert (info.create_system, info.external_attr >> 16) == (3, 0o644)
        assert info.compress_type == zipfile.ZIP_STORED
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out.zip"]
