"""`rvosbench data`: which datasets there are, and what is in them."""

from __future__ import annotations

import dataclasses

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import answer, emit, progress, show, verdict

app = typer.Typer(help="Datasets: list them, look into them.", no_args_is_help=True)


@app.command("list")
def list_datasets(as_json: options.AsJson = False) -> None:
    """List the datasets that can be opened, ours and those of installed plugins."""
    from rvosbench import plugins

    specs = {name: plugins.dataset_spec(name) for name in plugins.names(plugins.DATASETS)}
    facts = [
        {
            "name": name,
            "splits": list(spec.splits),
            "hidden": sorted(spec.hidden),
            "needs_data": spec.needs_root,
            **dataclasses.asdict(spec.card),
        }
        for name, spec in specs.items()
    ]
    columns = ["name", "title", "splits", "licence", "source"]
    rows = [[spec[key] for key in columns] for spec in facts]
    for row, spec in zip(rows, specs.values(), strict=True):
        row[2] = ", ".join(s + " (hidden ground truth)" * (s in spec.hidden) for s in spec.splits)
    answer(as_json, facts, "datasets", columns, rows)


@app.command("stats")
@options.grouped
def stats_command(source: options.SplitOptions, as_json: options.AsJson = False) -> None:
    """Count the videos, frames, expressions, words and objects of a split.

    Example: rvosbench data stats --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.datasets.capabilities import details
    from rvosbench.datasets.health import statistics

    opened = source.choice().dataset
    facts = statistics(opened)
    tables = details(opened)
    if as_json:
        emit({**facts, "details": [dataclasses.asdict(table) for table in tables]})
        return
    rows = [[name.replace("_", " "), _shown(value)] for name, value in facts.items()]
    show(f"{opened.name}/{opened.split}", ["", "value"], rows, numbers=1)
    for table in tables:
        cells = [[_shown(cell) for cell in row] for row in table.rows]
        show(table.title, table.columns, cells, numbers=len(table.columns) - 1)


@app.command("check")
@options.grouped
def check_command(
    source: options.SplitOptions, limit: options.Limit = None, as_json: options.AsJson = False
) -> None:
    """Look for mistakes in a split: broken files, masks of the wrong size, ambiguous expressions.

    Ends with code 1 if there are any.

    Example: rvosbench data check --dataset demo --split test
    """
    from rvosbench.datasets.conformance import findings

    opened = source.choice().dataset
    videos = min(limit or len(opened), len(opened))
    with progress(f"checking {opened.name}/{opened.split}", videos) as on_done:
        found = findings(opened, videos, lambda video: on_done(video, False))
    name = f"{opened.name}/{opened.split}"
    facts = {"dataset": opened.name, "split": opened.split, "videos": videos, "problems": found}
    verdict(as_json, facts, found, f"{name}: {len(found) or 'no'} problems in {videos} videos")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{k}: {_shown(v)}" for k, v in value.items()) or "-"
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
