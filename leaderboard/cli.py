"""`rvosbench leaderboard`: tables, the page, checks, and results that come in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leaderboard.numbers.collection import RUNS, Collection, details, gather, resolve
from leaderboard.numbers.results import with_results
from rvosbench.cli import options
from rvosbench.cli.screen import emit, say, show
from rvosbench.tables import WRITERS

app = typer.Typer(
    help="Tables of the paper, published numbers with their sources, and your runs among them.",
    no_args_is_help=True,
)

Format = StrEnum("Format", ["markdown", "latex", "html", "csv", "json"])
WithRuns = Annotated[
    list[Path] | None,
    typer.Option(
        "--with-runs",
        metavar="DIR",
        help="Add results: a run folder, a result file, or a folder of many. May be repeated.",
    ),
]
TableName = Annotated[
    str | None,
    typer.Option("--table", help="1, 2, 3, 4, 5a, 5b, A.1, A.2a, A.2b, or a board such as mevis."),
]


@app.command("show")
def show_command(
    signature: Annotated[
        str | None, typer.Argument(help="A signature, or the last digits of one: shows its run.")
    ] = None,
    table: TableName = None,
    form: Annotated[Format, typer.Option("--format", help="Format of a table.")] = Format.markdown,
    with_runs: WithRuns = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a table, or the run behind a signature; without either, list the tables.

    Example: rvosbench leaderboard show --table 5b --format latex --with-runs runs
    """
    from leaderboard.tables import make_table, table_names

    if signature is not None and table is not None:
        raise typer.BadParameter("give a signature or --table, not both")
    as_json = as_json or form is Format.json
    if signature is not None:
        _show_run(signature, with_runs or [], as_json)
        return
    collection = _gathered(with_runs or [])
    if table is not None:
        made = make_table(collection, table)
        for reason in made.left_out:
            say(reason)
        typer.echo(WRITERS["json" if as_json else form.value](made), nl=False)
        return
    names = table_names(collection)
    if as_json:
        emit([{"name": name, "title": title} for name, title in names.items()])
    else:
        show("tables", ["name", "title"], [[n, t] for n, t in names.items()])


@app.command("build")
def build_command(
    out: Annotated[Path, typer.Option(help="Folder to write; made if need be.")] = Path(
        "leaderboard-page"
    ),
    table: TableName = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Only this format of the tables; default: all."),
    ] = None,
    with_runs: WithRuns = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=DIR",
            help="Folder of a dataset, to draw its best and worst cases; the demo needs none.",
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Write the page (OUT/index.html) and all tables in all formats (OUT/tables).

    Example: rvosbench leaderboard build --with-runs runs --out site
    """
    from leaderboard.page.site import build

    roots = {name: Path(folder) for name, folder in _pairs(data or [], "--data").items()}
    written = build(_gathered(with_runs or []), out, table, form and form.value, roots)
    if as_json:
        emit({"written": [str(path) for path in written]})
        return
    say(f"wrote {len(written)} files; open {written[0]}")


@app.command("add")
def add_command(
    run: Annotated[Path, typer.Argument(help="Run folder or result file.")],
    into: Annotated[
        Path | None, typer.Option(help="Folder of reviewed results; default: leaderboard-results.")
    ] = None,
    card: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Set a field of the method card: title, venue, backbone, trainable_parameters, "
            "training_data, url, bibtex. May be repeated.",
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="J,F", help="Scores of the authors' server in percent (no public ground truth)."
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Check a run and store its result as one small file, to be reviewed and committed.

    Example: rvosbench leaderboard add runs/mine --card title="My method" --card training_data=MeViS
    """
    from leaderboard.numbers.reviewed import LOCAL, add

    scores = _server_scores(server) if server is not None else None
    path = add(run, into or LOCAL, _pairs(card or [], "--card"), scores)
    if as_json:
        emit({"result": str(path)})
        return
    say(f"added {path}")


@app.command("check")
def check_command(
    with_runs: WithRuns = None,
    published: Annotated[
        Path | None,
        typer.Option(help="Check this folder of published numbers instead of the package's own."),
    ] = None,
    only_new: Annotated[
        bool, typer.Option("--new", help="Leave out findings that a reviewer has settled.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Check all numbers for contradictions; exit code 1 if there are new ones.

    Contradictions of the literature stay in the data: a settled one is shown with its reason.
    """
    from leaderboard.checks import check

    collection = _gathered(with_runs or [], published)
    findings = check(collection.everything)
    new = [finding for finding in findings if not finding.known]
    shown = new if only_new else findings
    if as_json:
        emit([{"rule": f.rule, "message": f.message, "known": f.known or None} for f in shown])
    else:
        for f in shown:
            state, settled = ("known", f" [{f.known}]") if f.known else ("NEW  ", "")
            typer.echo(f"{state} {f.rule}: {f.message}{settled}")
    counts = f"{len(new)} new findings, {len(findings) - len(new)} known"
    say(f"{len(collection.everything)} numbers checked: {counts}")
    if new or collection.unreadable:
        raise typer.Exit(1)


def _gathered(places: list[Path], published: Path | None = None) -> Collection:
    """Everything there is; files that cannot be read are said on stderr."""
    collection = gather(places, published)
    for reason in collection.unreadable:
        say(reason)
    return collection


def _show_run(signature: str, places: list[Path], as_json: bool) -> None:
    found = details(resolve(signature, _gathered(places or with_results(RUNS)).everything))
    if as_json:
        emit(found)
        return
    rows = [[key, "-" if value is None else str(value)] for key, value in found.items()]
    show("", ["", "value"], rows)


def _pairs(items: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not (equals and key.strip()):
            raise typer.BadParameter(f"{option} {item!r}: wanted NAME=VALUE")
        pairs[key.strip()] = value.strip()
    return pairs


def _server_scores(text: str) -> tuple[float, float]:
    try:
        j, f = (float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--server {text!r}: wanted J,F such as 45.2,52.1") from error
    return j, f
