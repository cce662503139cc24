"""`rvosbench submit`: predictions for the servers that keep the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rvosbench.cli.screen import say

app = typer.Typer(help="Submissions to the datasets' own servers.", no_args_is_help=True)


@app.command("pack")
def pack_command(
    run: Annotated[Path, typer.Argument(help="Run folder of `rvosbench eval`.")],
    out: Annotated[Path, typer.Option(help="Zip to write.")] = Path("submission.zip"),
) -> None:
    """Pack the predictions of a run as the dataset's server wants them.

    Example: rvosbench submit pack runs/sola-mevis-valid-1a2b3c4d --out sola.zip
    """
    from rvosbench.runs.submission import pack_run

    count = pack_run(run, out)
    say(f"{out}: {count} masks")
