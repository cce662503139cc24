"""The command group `rvosbench sola`: one file a command, mounted here."""

from __future__ import annotations

import typer

from .analyze import app as analyze_app
from .sweep import sweep_command
from .train import train_command

app = typer.Typer(
    help="SOLA, the reference method: train its selector and look into it.", no_args_is_help=True
)

app.command("train")(train_command)
app.command("sweep")(sweep_command)
app.add_typer(analyze_app, name="analyze")
