"""The command line: a door to the library. A command parses, calls one function, prints."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from rvosbench import __version__
from rvosbench.cli import corrupt, data, doctor, evaluation, methods, submit, tracks, view
from rvosbench.cli.screen import say
from rvosbench.errors import RvosbenchError
from rvosbench.plugins import COMMANDS

app = typer.Typer(
    name="rvosbench",
    help="Datasets, exact metrics, corruptions, the SOLA reference method and a leaderboard for "
    "referring video object segmentation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("eval")(evaluation.evaluate_command)
app.command("score")(evaluation.score_command)
app.command("view")(view.view_command)
app.command("corrupt")(corrupt.corrupt_command)
app.add_typer(data.app, name="data")
app.add_typer(methods.app, name="methods")
app.add_typer(submit.app, name="submit")
app.add_typer(tracks.app, name="tracks")
app.command("doctor")(doctor.doctor_command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rvosbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Run the command line; errors a user can put right end without a traceback."""
    _mount_plugins()
    try:
        app()
    except RvosbenchError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:  # a folder that is a file, read-only, a full disk
        say(f"error: {_in_words(error)}")
        sys.exit(1)


def _in_words(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return str(error) or type(error).__name__
    return f"{error.filename}: {error.strerror.lower()} (while reading or writing it)"


def _mount_plugins() -> None:
    for entry in sorted(entry_points(group=COMMANDS), key=lambda e: e.name):
        try:
            app.add_typer(entry.load(), name=entry.name)
        except Exception as error:  # a broken plugin must not take the other commands with it
            say(f"warning: command group {entry.name!r} ({entry.value}) cannot be loaded: {error}")
