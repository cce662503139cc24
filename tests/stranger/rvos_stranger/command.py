"""A command group of a stranger."""

from __future__ import annotations

import typer

app = typer.Typer(help="Commands of a stranger.")


@app.callback()
def group() -> None:
    """Keeps a single command a group."""


@app.command("greet")
def greet() -> None:
    """Say hello."""
    typer.echo("hello from outside")
