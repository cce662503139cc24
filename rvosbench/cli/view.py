"""`rvosbench view`: what a run predicted, as a page or as strips of frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, say
from rvosbench.files.atomic import write_bytes
from rvosbench.tables.markdown import to_markdown

Against = Annotated[
    list[Path] | None,
    typer.Option(help="Run folder to compare with, on the same videos; may be repeated."),
]
Expressions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VIDEO/ID",
        help="Expression to show; may be repeated. Default: where the run gains most over the "
        "first --against, or scores best.",
    ),
]


def view_command(
    run: Annotated[Path, typer.Argument(help="Run folder of `rvosbench eval`.")],
    against: Against = None,
    expression: Expressions = None,
    count: Annotated[int, typer.Option(min=1, help="Expressions shown without --expression.")] = 3,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each, evenly spread.")] = 6,
    strip: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the strips to this PNG or JPEG and no page."),
    ] = None,
    table: Annotated[
        bool,
        typer.Option("--table", help="Print J&F by category as Markdown, a row a run; no page."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The page; default: view.html in the run folder.")
    ] = None,
    data: options.Root = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what a run predicted: a page with scores by category and strips of frames.

    A strip is an expression and the same frames with the ground truth and each prediction.

    Example: rvosbench view runs/sola --against runs/everything --strip strip.png
    """
    from rvosbench.report.cases import open_run
    from rvosbench.report.pictures import write_strips
    from rvosbench.report.run_page import category_table, to_html
    from rvosbench.report.strips import check_comparable, strips_of

    opened = open_run(run, data)
    others = [open_run(folder, data) for folder in against or []]
    for other in others:
        check_comparable(opened, other)
    if table:
        typer.echo(to_markdown(category_table([r.result for r in (opened, *others)])), nl=False)
        return
    strips = strips_of([opened, *others], expression or [], count, frames)
    if strip is not None:
        write_strips(strip, strips)
    page = None if strip else out or run / "view.html"
    if page is not None:
        first = others[0].result if others else None
        write_bytes(page, to_html(opened.result, first, strips).encode("utf-8"))
    if as_json:
        emit({"page": str(page) if page else None, "strip": str(strip) if strip else None})
    else:
        say(f"{'page' if page else 'strip'}: {page or strip}")
