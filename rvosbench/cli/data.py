"""`rvosbench data`: which datasets there are, and what is in them."""

from __future__ import annotations

import dataclasses

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, show

app = typer.Typer(help="Datasets: list them, look into them.", no_args_is_help=True)


@app.command("list")
def list_command(as_json: options.AsJson = False) -> None:
    """List the datasets that can be opened, ours and those of installed plugins."""
    from rvosbench import plugins

    specs = {name: plugins.dataset_spec(name) for name in plugins.names(plugins.DATASETS)}
    if as_json:
        emit(
            [
                {
                    "name": name,
                    "splits": list(spec.splits),
                    "hidden": sorted(spec.hidden),
                    "needs_data": spec.needs_root,
                    **dataclasses.asdict(spec.card),
                }
                for name, spec in specs.items()
            ]
        )
        return
    rows = [
        [
            name,
            spec.card.title,
            ", ".join(s + (" (hidden truth)" if s in spec.hidden else "") for s in spec.splits),
            spec.card.licence,
            spec.card.source,
        ]
        for name, spec in specs.items()
    ]
    show("datasets", ["name", "title", "splits", "licence", "source"], rows)


@app.command("stats")
def stats_command(
    dataset: options.DatasetName = "demo",
    split: options.Split = None,
    data: options.Root = None,
    as_json: options.AsJson = False,
) -> None:
    """Count the videos, frames, expressions, words and objects of a split.

    Example: rvosbench data stats --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.datasets import load_dataset
    from rvosbench.datasets.health import statistics

    opened = load_dataset(dataset, data, split)
    facts = dataclasses.asdict(statistics(opened))
    if as_json:
        emit(facts)
        return
    rows = [[name.replace("_", " "), _shown(value)] for name, value in facts.items()]
    show(f"{opened.name}/{opened.split}", ["", "value"], rows, numbers=1)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{k}: {_shown(v)}" for k, v in value.items()) or "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
