"""A stage of the experiments: units of one kind, each made once and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Job, Unit
from rvosbench.recipe import Recipe
from sola.reproduce.settings import Settings

Tell = Callable[[str], None]
"""Takes a line for people, from any process: a function of a module, sent by pickle."""


def make_units(
    stage: str, recipes: Mapping[str, Recipe], job: Job, settings: Settings, tell: Tell
) -> dict[str, Path]:
    """Makes the units of a stage that are missing or were made otherwise.

    Args:
        stage: its name, and that of its folder.
        recipes: key of a unit -> what decides its output.
        job: makes one, a JSON file.
        settings: of all experiments.
        tell: is told of every unit.

    Returns:
        Key -> the output.
    """
    store = Store(settings.out / stage / "done")
    done: list[str] = []

    def on_done(unit: Unit, reused: bool) -> None:
        done.append(unit.key)
        was = " (was there)" if reused else ""
        tell(f"{len(done)}/{len(recipes)} {stage}: {unit.key}{was}")

    units = [Unit(key, recipe.digest) for key, recipe in recipes.items()]
    run_units(units, job, store, local(settings.workers), on_done)
    return {key: store.output(key) for key in recipes}


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """On a CPU, sums depend on the number of threads: one, so that numbers do not."""
    import torch

    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
