"""`rvosbench sola`: everything about the reference method that is not `rvosbench eval`."""

from __future__ import annotations

import typer

from .analyze import app as analyze_app

app = typer.Typer(help="The reference method SOLA: its analyses.", no_args_is_help=True)
app.add_typer(analyze_app, name="analyze")
