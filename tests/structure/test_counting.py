"""The counting itself, on trees made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.structure import Source, components, lines_of_tests


def tree(root: Path, files: dict[str, str]) -> Source:
    """Files of the package `rvosbench`: path without suffix -> content."""
    for name, text in {"__init__": "", **files}.items():
        path = root / "rvosbench" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Source.of(root)


def test_recipes_and_other_folders_are_not_counted(tmp_path: Path) -> None:
    for place in ("rvosbench/recipes", "tests", "tests/recipes", "docs"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "some.py").write_text("x = 1\ny = 2\n")
    source = tree(tmp_path, {"a": "a = 1\n\n# why\n"})
    assert (source.line_count, len(source.modules)) == (3, 2)
    assert lines_of_tests(tmp_path) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from rvosbench.b import y\n", "from rvosbench.a import x\n"),
        ("import rvosbench.b\n", "def f():\n    from rvosbench import a\n"),
        ("from .b import y\n", "def f():\n    import rvosbench.a\n"),
        (
            "from . import b\n",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rvosbench.a import x\n",
        ),
    ],
    ids=["top", "in a function", "relative", "for the type checker"],
)
def test_a_cycle_is_found_wherever_the_imports_stand(
    tmp_path: Path, first: str, second: str
) -> None:
    source = tree(tmp_path, {"a": first, "b": second, "c": "from rvosbench.a import x\n"})
    assert source.cycles() == [["rvosbench.a", "rvosbench.b"]]


def test_a_package_that_hands_on_its_modules_is_no_cycle(tmp_path: Path) -> None:
    source = tree(
        tmp_path,
        {
            "room/__init__": "from rvosbench.room.one import x\n",
            "room/one": "from rvosbench.room.two import y\n",
            "room/two": "y = 1\n",
        },
    )
    assert source.cycles() == []
    assert source.imports(source.modules["rvosbench.room"]) == {"rvosbench.room.one"}


def test_long_cycles_are_one_each() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": set[str]()}
    assert sorted(sorted(part) for part in components(graph)) == [
        ["a", "b", "c"],
        ["d", "e"],
        ["f"],
    ]


def test_doors_are_not_hidden_imports(tmp_path: Path) -> None:
    door = '    """Say it."""\n    from rvosbench.library import one\n    import torch\n\n'
    files = {
        "library": "one = 1\n",
        "cli/__init__": "",
        "cli/app": (
            "from rvosbench.cli import words\nfrom rvosbench.cli.more import more_command\n"
            'app.command("words")(words.words_command)\napp.command("more")(more_command)\n'
        ),
        "cli/words": (
            f"def words_command():\n{door}    x = 1\n    from rvosbench.library import two\n"
        ),
        "cli/more": f'@app.command("also")\ndef also():\n{door}\ndef more_command():\n{door}',
        "cli/helper": f"def helper():\n{door}",
        "method": (
            "class Mine:\n    def __init__(self):\n        from rvosbench.library import one\n\n"
            "    def predict(self):\n        from rvosbench.library import one\n\n"
            "SPEC = MethodSpec(build=Mine)\n"
        ),
    }
    source = tree(tmp_path, files)
    assert source.hidden_imports() == [
        "rvosbench/cli/helper.py:3",
        "rvosbench/cli/words.py:7",
        "rvosbench/method.py:6",
    ]


def test_a_docstring_does_not_make_a_function_long(tmp_path: Path) -> None:
    body = "    x = 1\n" * 49
    words = '    """One.\n\n    Two.\n    """\n'
    source = tree(
        tmp_path, {"a": f"def short():\n{words}{body}", "b": f"def long():\n{body}    y = 2\n"}
    )
    assert source.long_functions() == ["rvosbench/b.py:1: long has 51 lines"]


def test_long_files_and_wide_lines_are_named(tmp_path: Path) -> None:
    wide = f"a = '{'x' * 95}'"
    source = tree(tmp_path, {"a": f"{wide}\n{wide[:50]}'  # noqa: {'E' * 90}\n", "b": "\n" * 401})
    assert source.wide_lines() == ["rvosbench/a.py:1: 101 characters"]
    assert source.long_files() == ["rvosbench/b.py: 401 lines"]
