"""The command group `rvosbench sola`: one file a command, mounted here."""

from __future__ import annotations

import typer

from sola.cli.analyze import app as analyze_app
from sola.cli.reproduce import reproduce_command
from sola.cli.sweep import sweep_command
from sola.cli.train import train_command

app = typer.Typer(
    help="SOLA, the reference method: train its selector and look into it.", no_args_is_help=True
)

app.command("train")(train_command)
app.command("reproduce")(reproduce_command)
app.command("sweep")(sweep_command)
app.add_typer(analyze_app, name="analyze")
