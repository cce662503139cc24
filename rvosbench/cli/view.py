"""`rvosbench view`: what a run predicted, as a page or as strips of frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, say

if TYPE_CHECKING:
    from rvosbench.report.cases import RunCases
    from rvosbench.report.strips import Strip


def view_command(
    run: Annotated[Path, typer.Argument(help="Run folder of `rvosbench eval`.")],
    against: Annotated[
        Optional[list[Path]],  # noqa: UP045 typer reads the annotation at run time
        typer.Option(help="Run folder to compare with, on the same videos; may be repeated."),
    ] = None,
    expression: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="VIDEO/ID",
            help="Expression to show; may be repeated. Default: where the run gains most over the "
            "first --against, or scores best.",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Expressions shown without --expression.")] = 3,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each, evenly spread.")] = 6,
    strip: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Write the strips to this PNG or JPEG and no page."),
    ] = None,
    table: Annotated[
        bool,
        typer.Option("--table", help="Print J&F by category as Markdown, a row a run; no page."),
    ] = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The page; default: view.html in the run folder."),
    ] = None,
    data: options.Root = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what a run predicted: a page with scores by category and strips of frames.

    A strip is an expression and the same frames with the ground truth and each prediction.

    Example: rvosbench view runs/sola --against runs/everything --strip strip.png
    """
    from rvosbench.report.cases import open_run
    from rvosbench.report.run_page import category_table, write_page
    from rvosbench.report.strips import check_comparable
    from rvosbench.tables.markdown import to_markdown

    opened = open_run(run, data)
    others = [open_run(folder, data) for folder in against or []]
    for other in others:
        check_comparable(opened, other)
    if table:
        typer.echo(to_markdown(category_table([r.result for r in (opened, *others)])), nl=False)
        return
    strips = _strips(opened, others, expression, count, frames)
    if strip is not None:
        _save(strips, strip)
    page = None if strip else out or run / "view.html"
    if page is not None:
        write_page(page, opened.result, others[0].result if others else None, strips)
    if as_json:
        emit({"page": str(page) if page else None, "strip": str(strip) if strip else None})
    else:
        say(f"{'page' if page else 'strip'}: {page or strip}")


def _strips(
    run: RunCases, others: Sequence[RunCases], names: list[str] | None, count: int, frames: int
) -> list[Strip]:
    from rvosbench.report.run_page import title
    from rvosbench.report.strips import same_case, strip, telling

    wanted = [run.find(name) for name in names or []]
    wanted = wanted or telling(run, others[0] if others else None, count)
    return [
        strip(
            [
                (title(r.result), r(scored if r is run else same_case(r, scored)))
                for r in [run, *others]
            ],
            frames,
        )
        for scored in wanted
    ]


def _save(strips: Sequence[Strip], path: Path) -> None:
    import io

    from rvosbench.errors import UsageError
    from rvosbench.files.atomic import write_bytes
    from rvosbench.report.strips import paint

    kinds = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
    if path.suffix.lower() not in kinds:
        raise UsageError(f"--strip {path}: wanted a name that ends with .png or .jpg")
    content, picture, kind = io.BytesIO(), paint(strips), kinds[path.suffix.lower()]
    if kind == "PNG":
        picture.quantize(256).save(content, kind, optimize=True)
    else:
        picture.save(content, kind, quality=90)
    write_bytes(path, content.getvalue())
