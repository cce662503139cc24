"""Bringing a list of units up to date: what is missing or changed is done, nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from rvosbench.errors import RvosbenchError
from rvosbench.execution.store import Store
from rvosbench.execution.units import Executor, Job, Outcome, Unit
from rvosbench.files.atomic import remove_left_overs


def run_units(
    units: Sequence[Unit],
    job: Job,
    store: Store,
    executor: Executor,
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None,
) -> None:
    """Bring every unit's output up to date.

    The only writer of outputs and stamps: executors leave outputs at paths of their own. What
    killed processes of this machine left in the store is removed when there is work to do.

    Args:
        units: with distinct keys.
        job: what to do for a unit that is missing or changed.
        store: where outputs go.
        executor: who does it, see `rvosbench.execution.executors.local`.
        on_done: called with the unit, and whether its output was already there.

    Raises:
        Whatever the job raises for the first unit that fails; units finished before stay finished.
    """
    twice = [key for key, number in Counter(unit.key for unit in units).items() if number > 1]
    if twice:
        raise ValueError(f"two units are called {twice[0]!r}: outputs would overwrite each other")
    todo = {}
    for unit in units:
        if store.finished(unit):
            on_done(unit, True)
        else:
            todo[unit.key] = unit
    if not todo:
        return  # readers of a finished folder do not disturb each other
    store.folder.mkdir(parents=True, exist_ok=True)
    remove_left_overs(store.folder)
    for outcome in executor(job, list(todo), store.folder):
        _accept(outcome, todo[outcome.key], store)
        on_done(todo[outcome.key], False)


def _accept(outcome: Outcome, unit: Unit, store: Store) -> None:
    if outcome.error is not None:
        if outcome.details and not isinstance(outcome.error, RvosbenchError):
            outcome.error.add_note(f"in unit {outcome.key!r}:\n{outcome.details}")
        raise outcome.error
    if outcome.where is None:
        raise ValueError(f"the outcome of {unit.key!r} has neither an error nor an output")
    store.accept(unit, outcome.where)
