"""`rvosbench methods`: which methods there are, and what can be changed in them."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import answer

app = typer.Typer(help="Methods: ours and those of installed plugins.", no_args_is_help=True)


@app.command("list")
def list_methods(as_json: options.AsJson = False) -> None:
    """List the methods that `rvosbench eval --method NAME` knows."""
    from rvosbench import plugins

    specs = {name: plugins.method_spec(name) for name in plugins.names(plugins.METHODS)}
    facts = [
        {
            "name": name,
            "presets": sorted(spec.presets),
            "upper_bound": spec.needs_truth,
            **dataclasses.asdict(spec.card),
        }
        for name, spec in specs.items()
    ]
    bound = " (upper bound: sees the ground truth)"
    rows = []
    for f in facts:
        title, presets = f["title"] + bound * f["upper_bound"], ", ".join(f["presets"])
        rows.append([f["name"], title, f["venue"] or "-", presets or "-"])
    answer(as_json, facts, "methods", ["name", "title", "venue", "presets"], rows)


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
    facts = {"name": name, "preset": choice.preset, "settings": fields}
    title = f"{name} (preset {choice.preset})" if choice.preset else name
    rows = [[key, str(value)] for key, value in fields.items()]
    answer(as_json, facts, title, ["setting", "value"], rows)
