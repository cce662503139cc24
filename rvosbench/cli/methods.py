"""`rvosbench methods`: which methods there are, and what can be set in them."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, show

app = typer.Typer(help="Methods: ours and those of installed plugins.", no_args_is_help=True)


@app.command("list")
def list_command(as_json: options.AsJson = False) -> None:
    """List the methods that `rvosbench eval --method NAME` knows."""
    from rvosbench import plugins

    specs = {name: plugins.method_spec(name) for name in plugins.names(plugins.METHODS)}
    if as_json:
        emit(
            [
                {
                    "name": name,
                    "presets": sorted(spec.presets),
                    "upper_bound": spec.needs_truth,
                    **dataclasses.asdict(spec.card),
                }
                for name, spec in specs.items()
            ]
        )
        return
    rows = [
        [
            name,
            spec.card.title + (" (upper bound: sees the ground truth)" if spec.needs_truth else ""),
            spec.card.venue or "-",
            ", ".join(spec.presets) or "-",
        ]
        for name, spec in specs.items()
    ]
    show("methods", ["name", "title", "venue", "presets"], rows)


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="Method name.")],
    preset: options.Preset = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what `--set KEY=VALUE` can change in a method, and what a preset makes of it.

    Example: rvosbench methods show sola --preset demo
    """
    from rvosbench.config import values
    from rvosbench.runs.methods import load_method

    choice = load_method(name, preset)
    fields = values(choice.config)
    if as_json:
        emit({"name": name, "preset": choice.preset, "settings": fields})
        return
    preset_name = f" (preset {choice.preset})" if choice.preset else ""
    show(f"{name}{preset_name}", ["setting", "value"], [[k, str(v)] for k, v in fields.items()])
