"""Commands, options, settings, modules and files that the documentation names exist."""

from __future__ import annotations

import importlib
import io
import re
import runpy
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from rvosbench.cli.app import app
from rvosbench.config import keys, parse_assignments
from rvosbench.plugins import COMMANDS, method_spec
from rvosbench.tracks.candidates import CandidateConfig
from sola.config import SelectorConfig, TrainConfig

from .pages import DOTTED, FILE, IMPORT, LINK, PAGES, ROOT, commands, spans

MADE = {"leaderboard/results"}
"""Folders that are there once a command has made them."""
GROUPS = {f"rvosbench.{kind}" for kind in ("datasets", "methods", "protocols", "commands")}
PROGRAM: Any = get_command(app)
PROGRAM.commands |= {e.name: get_command(e.load()) for e in entry_points(group=COMMANDS)}
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())


def command_of(arguments: Sequence[str]) -> tuple[Any, list[str]]:
    """The command that arguments call, and what is left of them; fails if there is none."""
    command, rest = PROGRAM, list(arguments)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"no command {rest[0]!r} in {' '.join(arguments)!r}"
        command = command.commands[rest.pop(0)]
    return command, rest


def options_of(command: Any) -> set[str]:  # noqa: ANN401 a command of typer's own click
    found = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    return {name for name in found if name.startswith("-")} | {"--help"}


def all_options(command: Any) -> set[str]:  # noqa: ANN401
    inner = getattr(command, "commands", {}).values()
    return options_of(command).union(*map(all_options, inner))


def settings_of(name: str, rest: Sequence[str]) -> set[str] | None:
    """The keys of `--set` for a command; None where it takes those of several components."""
    if name == "eval":
        method = rest[rest.index("--method") + 1] if "--method" in rest else "sola"
        if method.isupper():
            return None
        return set(keys(method_spec(method).config_type))
    if name == "build":
        return set(keys(CandidateConfig))
    if name == "train":
        return {*keys(TrainConfig), *(f"selector.{key}" for key in keys(SelectorConfig))}
    return None


def check(arguments: Sequence[str]) -> None:
    command, rest = command_of(arguments)
    named = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
    assert named <= options_of(command), f"{named - options_of(command)}: {' '.join(arguments)!r}"
    pairs = [v for k, v in pairwise(rest) if k == "--set" and "=" in v]
    known = settings_of(command.name, rest)
    for key in parse_assignments(pairs):
        placeholder = any(part.isupper() for part in key.split("."))
        assert known is None or placeholder or key in known, f"{key}: {' '.join(arguments)!r}"


@every_page
def test_commands_exist_with_the_options_that_are_named(page: Path) -> None:
    text = page.read_text("utf-8")
    for arguments in commands(text, "rvosbench"):
        check(arguments)
    for span in spans(text):
        if span.split()[0] in PROGRAM.commands and " " in span:
            check(next(commands(f"`rvosbench {span}`", "rvosbench")))


def helps(command: Any, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Every command with what its help says of it and of its options."""
    said = [getattr(p, "help", None) or "" for p in command.params]
    yield name, "\n".join([command.help or "", *said])
    for inner, found in getattr(command, "commands", {}).items():
        yield from helps(found, f"{name} {inner}")


HELPS = dict(helps(PROGRAM, "rvosbench"))


@pytest.mark.parametrize("name", HELPS)
def test_the_help_of_a_command_names_commands_that_exist(name: str) -> None:
    text = re.sub(r"^Example: (.+)$", r"`\1`", HELPS[name], flags=re.MULTILINE)
    for arguments in commands(text, "rvosbench"):
        check(arguments)
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text):
        assert option in all_options(PROGRAM), option


@pytest.mark.parametrize(
    "line",
    [
        "rvosbench evaluate --method sola",
        "rvosbench data lists",
        "rvosbench eval --methods sola",
        "rvosbench eval --method sola --set no.such=1",
        "rvosbench tracks build --set prompts.no_such=1",
        "rvosbench sola train --set selector.layers=2",
        "X=1 torchrun rvosbench sola train \\\n    --trucks a",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    found = list(commands(f"```bash\n{line}  # as an example\n```\n", "rvosbench"))
    assert len(found) == 1
    with pytest.raises(AssertionError):
        check(found[0])


@every_page
def test_options_that_stand_alone_belong_to_a_command(page: Path) -> None:
    known = all_options(PROGRAM) | helped(page)
    for span in spans(page.read_text("utf-8")):
        if span.startswith("--"):
            assert re.split("[ =]", span)[0] in known, span


@every_page
def test_scripts_and_recipes_know_the_options_that_are_named(page: Path) -> None:
    text = page.read_text("utf-8")
    for script in scripts(text):
        named = given_options(text, script)
        assert named <= (help_of(script) if named else named), f"python {script}"


def scripts(text: str) -> set[str]:
    """Every script and module of ours that a page has run by Python."""
    found = {f"-m {a[0]}" for a in commands(text, "python -m") if a[0].startswith("recipes")}
    for path in {a[0] for a in commands(text, "python") if a[0].endswith(".py")}:
        if not path.startswith("../"):
            assert (ROOT / path).is_file(), path
            found.add(path)
    return found


def given_options(text: str, script: str) -> set[str]:
    """The options that a page gives to `python SCRIPT`."""
    given = commands(text, re.escape(f"python {script}"))
    return {word.partition("=")[0] for words in given for word in words if word.startswith("--")}


def helped(page: Path) -> set[str]:
    """The options of the scripts that a page runs with options: it may name more of them alone."""
    text = page.read_text("utf-8")
    return set().union(*(help_of(s) for s in scripts(text) if given_options(text, s)))


HELP: dict[str, set[str]] = {}


def help_of(script: str) -> set[str]:
    """Options in the help of `python SCRIPT`, where SCRIPT is a path or "-m MODULE"."""
    if script not in HELP:
        HELP[script] = _printed_options(script)
    return HELP[script]


def _printed_options(script: str) -> set[str]:
    module = script.removeprefix("-m ")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.setattr(sys, "argv", [module, "--help"])
        patch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit, match=r"^0$"):
            _execute(module, as_module=module != script)
    return set(re.findall(r"--[a-z][a-z-]*", said.getvalue()))


def _execute(name: str, *, as_module: bool) -> None:
    if as_module:
        with warnings.catch_warnings():
            # Other tests of this process may have imported the module before.
            warnings.simplefilter("ignore", RuntimeWarning)
            runpy.run_module(name, run_name="__main__")
    else:
        runpy.run_path(str(ROOT / name), run_name="__main__")


@every_page
def test_modules_and_what_is_in_them_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for name in sorted(set(DOTTED.findall(text)) - GROUPS):
        if not (ROOT / name).exists():
            resolve(name)
    for module, names in IMPORT.findall(text):
        for name in names.split(","):
            resolve(f"{module}.{name.strip()}")


def resolve(name: str) -> object:
    """What a dotted name names."""
    module, found, parts = "", None, name.split(".")
    for part in parts:
        if hasattr(found, part):
            found = getattr(found, part)
            module = f"{module}.{part}"
            continue
        module = f"{module}.{part}".lstrip(".")
        found = importlib.import_module(module)
    return found


@every_page
def test_files_that_are_named_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for path in sorted(set(FILE.findall(text)) - MADE):
        assert (ROOT / path).exists(), path
    for link in sorted(set(LINK.findall(text))):
        assert (page.parent / link).exists(), link
