"""`rvosbench methods`: which methods there are."""

from __future__ import annotations

import dataclasses

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, show

app = typer.Typer(help="Methods: ours and those of installed plugins.", no_args_is_help=True)


@app.command("list")
def list_command(as_json: options.AsJson = False) -> None:
    """List the methods that `rvosbench eval --method NAME` knows."""
    from rvosbench import plugins
    from rvosbench.configuration import keys

    specs = {name: plugins.method_spec(name) for name in plugins.names(plugins.METHODS)}
    if as_json:
        emit(
            [
                {
                    "name": name,
                    "presets": sorted(spec.presets),
                    "upper_bound": spec.needs_truth,
                    "settings": list(keys(spec.config_type)),
                    **dataclasses.asdict(spec.card),
                }
                for name, spec in specs.items()
            ]
        )
        return
    rows = [
        [
            name,
            spec.card.title + (" (upper bound: sees the truth)" if spec.needs_truth else ""),
            spec.card.venue or "-",
            ", ".join(spec.presets) or "-",
            ", ".join(keys(spec.config_type)) or "-",
        ]
        for name, spec in specs.items()
    ]
    show("methods", ["name", "title", "venue", "presets", "settings (--set)"], rows)
