"""Finding datasets, methods and commands by name, at entry points.

Our own parts use the same door as a stranger's package. Nothing is imported until it is asked for.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from rvosbench.contracts import DatasetSpec, MethodSpec
from rvosbench.errors import PluginError, UnknownNameError

DATASETS = "rvosbench.datasets"
METHODS = "rvosbench.methods"
COMMANDS = "rvosbench.commands"

T = TypeVar("T")


def names(group: str) -> tuple[str, ...]:
    """Sorted names at an entry-point group."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


def dataset_spec(name: str) -> DatasetSpec:
    """The dataset called `name`.

    Raises:
        UnknownNameError: no distribution offers it.
        PluginError: two distributions offer it, or its module cannot be imported.
    """
    return load(DATASETS, "dataset", name, DatasetSpec)


def method_spec(name: str) -> MethodSpec:
    """The method called `name`; raises as `dataset_spec`."""
    return load(METHODS, "method", name, MethodSpec)


def load(group: str, kind: str, name: str, wanted: type[T]) -> T:
    """Import the object at an entry point and check its type."""
    entry = _find(group, kind, name)
    try:
        found = entry.load()
    except Exception as error:
        raise PluginError(
            f"{kind} {name!r} of {_origin(entry)} ({entry.value}) cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, wanted):
        raise PluginError(
            f"{kind} {name!r} of {_origin(entry)} ({entry.value}) is a "
            f"{type(found).__name__}, wanted a {wanted.__name__}"
        )
    return found


def _find(group: str, kind: str, name: str) -> EntryPoint:
    found = {e.value: e for e in entry_points(group=group, name=name)}
    if not found:
        raise UnknownNameError(kind, name, names(group))
    if len(found) > 1:
        owners = ", ".join(f"{_origin(e)} ({e.value})" for e in found.values())
        raise PluginError(f"{kind} {name!r} is claimed by {owners}: uninstall all but one")
    return next(iter(found.values()))


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown distribution"
