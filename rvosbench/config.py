"""Configuration: one frozen dataclass a component, changed by `--set key=value` or a TOML file.

Keys reach into nested dataclasses with dots (`prompts.points_per_side=16`). Text is converted to
the field's type; an unknown key or a wrong type is an error, never ignored.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from rvosbench.errors import ConfigurationError, did_you_mean

Json: TypeAlias = Any
"""A value that `json.dumps` takes: None, bool, int, float, str, list or dict of these."""

C = TypeVar("C")


def configure(config: C, changes: Mapping[str, Json]) -> C:
    """A copy of a frozen dataclass with `changes` applied; values may be text or of the right type.

    The result is checked as a whole: values that only fit together may come in any order.

    Raises:
        ConfigurationError: unknown key, or a value that does not fit the field's type or others.
    """
    return _changed(config, [(key, key.split("."), value) for key, value in changes.items()])


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """`["a.b=1"]` -> `{"a.b": "1"}`.

    Raises:
        ConfigurationError: an item without "=".
    """
    parsed = {}
    for item in assignments:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"--set {item!r}: wanted key=value, such as threshold=0.4")
        parsed[key.strip()] = value.strip()
    return parsed


def read_toml(path: Path) -> dict[str, Json]:
    """A TOML file as dotted keys; tables become nested fields."""
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]
    try:
        return dict(_flat(tomllib.loads(path.read_text(encoding="utf-8"))))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read as TOML: {error}") from error


def differences(config: object) -> dict[str, Json]:
    """Dotted keys whose value differs from the default of the configuration's type, sorted.

    Fields with the metadata `{"signed": False}` (paths of caches, batch sizes: what changes no
    number) are left out.
    """
    default = type(config)()
    mine, theirs = (dict(_flat(_signed(c))) for c in (config, default))
    return {k: _plain(v) for k, v in sorted(mine.items()) if k not in theirs or theirs[k] != v}


def values(config: object) -> dict[str, Json]:
    """All dotted keys and their values."""
    return {k: _plain(v) for k, v in _flat(dataclasses.asdict(config))}  # type: ignore[call-overload]


def signed_values(config: object) -> dict[str, Json]:
    """All dotted keys and their values, without the fields that `differences` leaves out."""
    return {k: _plain(v) for k, v in sorted(_flat(_signed(config)))}


def keys(config_type: type[Any]) -> tuple[str, ...]:
    """All dotted keys of a configuration type."""
    return tuple(k for k, _ in _flat(dataclasses.asdict(config_type())))


def _signed(config: Any) -> dict[str, Json]:  # noqa: ANN401 any dataclass
    fields = {
        f.name: getattr(config, f.name)
        for f in dataclasses.fields(config)
        if f.metadata.get("signed", True)
    }
    return {k: _signed(v) if dataclasses.is_dataclass(v) else v for k, v in fields.items()}


Change = tuple[str, list[str], Json]
"""The key as it was given, what of its path is left, the value."""


def _changed(config: C, changes: Sequence[Change]) -> C:
    new: dict[str, Json] = {}
    nested: dict[str, list[Change]] = {}
    for key, path, value in changes:
        _check_known(config, key, path)
        if len(path) > 1:
            nested.setdefault(path[0], []).append((key, path[1:], value))
        else:
            new[path[0]] = _convert(value, typing.get_type_hints(type(config))[path[0]], key)
    for name, inner in nested.items():
        new[name] = _changed(new.get(name, getattr(config, name)), inner)
    try:
        return dataclasses.replace(config, **new)  # type: ignore[type-var]
    except ValueError as error:
        given = ", ".join(f"{key}={value}" for key, _, value in changes)
        raise ConfigurationError(f"{given}: {error}") from error


def _check_known(config: object, key: str, path: Sequence[str]) -> None:
    fields = {f.name for f in dataclasses.fields(config)}  # type: ignore[arg-type]
    if path[0] in fields and (len(path) == 1 or dataclasses.is_dataclass(getattr(config, path[0]))):
        return
    known = keys(type(config))
    raise ConfigurationError(
        f"unknown configuration key {key!r}{did_you_mean('.'.join(path), known)}. "
        f"Keys here: {', '.join(known) or 'none'}."
    )


def _convert(value: Json, wanted: object, key: str) -> Json:
    options = _options(wanted)
    for option in options:
        converted = _try(value, option)
        if converted is not _MISFIT:
            return converted
    shown = " or ".join(getattr(o, "__name__", str(o)) for o in options)
    raise ConfigurationError(f"{key}={value!r}: wanted {shown.replace('NoneType', 'none')}")


_MISFIT = object()


def _options(wanted: object) -> list[Any]:
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        parts = sorted(typing.get_args(wanted), key=lambda part: part is not type(None))
        return [o for part in parts for o in _options(part)]  # "none" before text
    if typing.get_origin(wanted) is typing.Literal:
        return list(typing.get_args(wanted))
    return [wanted]


def _try(value: Json, option: Any) -> Json:  # noqa: ANN401 a type or a literal
    if isinstance(option, str | int):  # a member of a Literal
        return option if str(value) == str(option) else _MISFIT
    if option is type(None):
        return None if value is None or str(value).lower() == "none" else _MISFIT
    if option is bool:
        text = str(value).lower()
        return text in _TRUE if text in _TRUE + _FALSE else _MISFIT
    try:
        if option in (int, float):
            return _MISFIT if isinstance(value, bool) else option(value)
        if typing.get_origin(option) is tuple:
            items = json.loads(value) if isinstance(value, str) else value
            inner = typing.get_args(option)[0]
            return tuple(inner(item) for item in items)
        return option(value)
    except (TypeError, ValueError):
        return _MISFIT


_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def _flat(tree: Mapping[str, Json], prefix: str = "") -> Iterable[tuple[str, Json]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _plain(value: Json) -> Json:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
