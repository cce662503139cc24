"""A method's code as a hash: a version number does not change when code is edited, this does."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from rvosbench.recipe import digest
from rvosbench.records import Json

_PLAIN = (type(None), bool, int, float, str)


@cache
def source_hash(module: str) -> str | None:
    """sha256 over the Python sources of a module's top-level package.

    Args:
        module: dotted name. Of a script (`__main__`) it is the script alone.

    Returns:
        None where there are no source files, as in an interactive session.
    """
    parts = [name.encode() + b"\0" + file.read_bytes() for name, file in _sources(_top(module))]
    return hashlib.sha256(b"".join(part + b"\0" for part in parts)).hexdigest() if parts else None


def _top(module: str) -> str:
    if module == "__main__":  # `python -m package.module` is of the package
        spec = getattr(sys.modules["__main__"], "__spec__", None)
        module = spec.name if spec is not None else module
    return module.partition(".")[0]


def _sources(top: str) -> Iterator[tuple[str, Path]]:
    """Relative name and place of every source file, in the order of names."""
    folders, file = _places(top)
    for folder in sorted(folders):
        for path in sorted(Path(folder).rglob("*.py")):
            yield path.relative_to(folder).as_posix(), path
    if not folders and file is not None and Path(file).is_file():
        yield Path(file).name, Path(file)


def _places(top: str) -> tuple[list[str], str | None]:
    loaded = sys.modules.get(top)
    if loaded is not None:
        return list(getattr(loaded, "__path__", ())), getattr(loaded, "__file__", None)
    spec = find_spec(top)
    if spec is None:
        return [], None
    return list(spec.submodule_search_locations or ()), spec.origin


def object_facts(thing: object) -> tuple[dict[str, Json], list[str]]:
    """What tells an object from another of its class, and the attributes that do not tell it.

    Attributes that JSON can hold, arrays and dataclasses decide by their values, networks
    (whatever has a `state_dict`) by a hash of their weights.

    Returns:
        (facts by attribute, names of attributes of other kinds).
    """
    facts: dict[str, Json] = {}
    unknown: list[str] = []
    network = _is_network(thing)
    if network:
        facts["weights"] = _weights_hash(thing)
    for name, value in _attributes(thing):
        if network and (name.startswith("_") or name == "training"):
            continue  # torch's own; the weights are known
        try:
            facts[name] = _plain(value)
        except TypeError:
            unknown.append(name)
    return facts, unknown


def _attributes(thing: object) -> Iterable[tuple[str, object]]:
    named = [f.name for f in fields(thing)] if is_dataclass(thing) else []
    known = {name: getattr(thing, name, None) for name in named}
    return sorted({**getattr(thing, "__dict__", {}), **known}.items())


def _plain(value: object) -> Json:
    """The value as JSON; raises TypeError for one that JSON cannot tell from another."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return {"array": _array_hash(np.asarray(value))}
    if _is_network(value):
        return {"weights": _weights_hash(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    raise TypeError(f"{type(value).__name__} has no content that JSON can hold")


def _is_network(value: object) -> bool:
    return callable(getattr(value, "state_dict", None)) and not isinstance(value, type)


def _weights_hash(network: Any) -> str:  # noqa: ANN401 whatever has a state_dict
    """sha256 over names, types, shapes and bytes of a network's tensors."""
    content = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        known = _tensor_hash(tensor) if hasattr(tensor, "detach") else digest(_plain(tensor))
        content.update(f"{name}\0{known}\n".encode())
    return content.hexdigest()


def _tensor_hash(tensor: Any) -> str:  # noqa: ANN401
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    known = f"{tensor.dtype}{tuple(tensor.shape)};".encode()
    return hashlib.sha256(known + flat.numpy().tobytes()).hexdigest()


def _array_hash(array: np.ndarray[Any, Any]) -> str:
    if array.dtype.hasobject:
        raise TypeError("an array of objects")
    known = f"{array.dtype}{array.shape};".encode()
    return hashlib.sha256(known + np.ascontiguousarray(array).tobytes()).hexdigest()
