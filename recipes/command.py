"""The one command line of all recipes: a recipe's fields are its options.

A recipe is a frozen dataclass of numbers, strings and switches, with a `Budget` and perhaps with a
dataclass of loss weights, whose fields are options as well.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from recipes.clock import Budget
from rvosbench.errors import RvosbenchError

Recipe = TypeVar("Recipe")


def command_parser(doc: str | None, recipe: object | None = None) -> ArgumentParser:
    """A parser with `--out` and `--threads`, and the options of a recipe.

    Args:
        doc: docstring of the recipe's module: its first line is the description, and its example
            says how the module is run.
        recipe: with its defaults; None is a command that trains nothing.
    """
    run = re.search(r"python -m \S+", doc or "")
    first_line = (doc or "").partition("\n")[0]
    parser = ArgumentParser(prog=run.group() if run else None, description=first_line)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--threads", type=int, default=1, help="of torch, default 1")
    if recipe is not None:
        parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
        _add_options(parser, recipe)
    return parser


def recipe_from(given: Namespace, recipe: Recipe) -> Recipe:
    """The recipe with the options that were given."""
    changed: dict[str, Any] = {}
    for field in fields(recipe):  # type: ignore[arg-type] # a dataclass
        value = getattr(recipe, field.name)
        if isinstance(value, Budget):
            changed[field.name] = _budget(given, value)
        elif is_dataclass(value):
            changed[field.name] = recipe_from(given, value)
        elif _is_option(value):
            changed[field.name] = getattr(given, field.name)
    return replace(recipe, **changed)  # type: ignore[type-var]


def execute(
    parser: ArgumentParser, arguments: Sequence[str] | None, act: Callable[[Namespace], object]
) -> None:
    """Parses and acts, with the log on standard error; errors of the package are one line.

    Raises:
        SystemExit: 1 for an error of the package, 2 for wrong usage.
    """
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(given.threads)
    try:
        act(given)
    except RvosbenchError as error:
        sys.stderr.write(f"{parser.prog}: {' '.join(str(error).split())}\n")
        raise SystemExit(1) from None


def write_recipe(recipe: Any, out: Path) -> None:  # noqa: ANN401 - any dataclass
    """Writes `recipe.json`: what a training in `out` is made by."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(recipe), indent=1, default=str)
    (out / "recipe.json").write_text(text + "\n", encoding="utf-8")


def _add_options(parser: ArgumentParser, recipe: object) -> None:
    said = _attributes(recipe)
    for field in fields(recipe):  # type: ignore[arg-type] # a dataclass
        value, name = getattr(recipe, field.name), "--" + field.name.replace("_", "-")
        if isinstance(value, Budget):
            group = parser.add_mutually_exclusive_group()
            usual = f"{value.minutes:g} minutes" if value.steps is None else f"{value.steps} steps"
            text = f"processor time of all threads, without evaluations; default {usual}"
            group.add_argument("--minutes", type=float, help=text)
            group.add_argument("--steps", type=int, help="exactly so many, to repeat a training")
        elif is_dataclass(value):
            _add_options(parser, value)
        elif isinstance(value, bool):
            parser.add_argument(name, action="store_true", help=said.get(field.name))
        elif _is_option(value):
            usual = f"default {value}" if value != "" else ""
            text = f"{said.get(field.name, '')} {usual}".strip()
            parser.add_argument(name, type=type(value), default=value, help=text)


def _attributes(recipe: object) -> dict[str, str]:
    """What the docstring of a recipe's class says of its attributes."""
    text = inspect.cleandoc(type(recipe).__doc__ or "").partition("Attributes:\n")[2]
    parts = re.split(r"^ {4}(\w[\w, ]*): ", text.replace("%", "%%"), flags=re.M)[1:]
    said = zip(parts[::2], parts[1::2], strict=True)
    return {name: " ".join(s.split()) for names, s in said for name in names.split(", ")}


def _budget(given: Namespace, usual: Budget) -> Budget:
    if given.steps is not None:
        return Budget(steps=given.steps)
    return usual if given.minutes is None else Budget(given.minutes)


def _is_option(value: object) -> bool:
    return isinstance(value, bool | int | float | str)
