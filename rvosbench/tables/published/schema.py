"""The schema of a file of published numbers: `{"schema": 1, "source": {...}, "rows": [...]}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rvosbench.records import Json

SCHEMA = 1
KINDS = ("paper", "survey", "repository", "issue", "quoted")


def _text(value: Json) -> bool:
    return isinstance(value, str)


def _filled(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _score(value: Json) -> bool:
    return value is None or _number(value)


def _count(value: Json) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _plain(value: Json) -> bool:
    return isinstance(value, dict) and all(
        isinstance(v, bool) or _number(v) for v in value.values()
    )


def _flags(value: Json) -> bool:
    return isinstance(value, list) and all(
        isinstance(flag, dict)
        and set(flag) == {"rule", "note"}
        and all(map(_filled, flag.values()))
        for flag in value
    )


SOURCE_KEYS: Mapping[str, tuple[Callable[[Json], bool], str]] = MappingProxyType(
    {
        "id": (_filled, "text"),
        "title": (_text, "text"),
        "kind": (lambda v: v in KINDS, f"one of {', '.join(KINDS)}"),
        "url": (_text, "text"),
        "bibtex": (_text, "text"),
    }
)
ROW_KEYS: Mapping[str, tuple[Callable[[Json], bool], str]] = MappingProxyType(
    {
        "method": (_filled, "text that is not empty"),
        "version": (_text, "text"),
        "venue": (_text, "text"),
        "backbone": (_text, "text"),
        "trainable_parameters": (_count, "a count or null"),
        "training_data": (_text, "text"),
        "configuration": (_plain, "an object of numbers and booleans"),
        "dataset": (_filled, "a dataset name"),
        "split": (_filled, "a split name"),
        "protocol": (_filled, 'a protocol name or "unknown"'),
        "protocol_evidence": (_text, "text"),
        "corruption": (lambda v: v is None or _filled(v), "null or such as motion_blur:5"),
        "j": (_score, "a number in percent or null"),
        "f": (_score, "a number in percent or null"),
        "jf": (_number, "a number in percent"),
        "locator": (_text, "text"),
        "row": (_count, "a position or null"),
        "cited_as": (_text, "text"),
        "preferred": (lambda v: isinstance(v, bool), "true or false"),
        "reason": (_text, "text"),
        "flags": (_flags, "a list of {rule, note}"),
    }
)


def schema_faults(content: Json, stem: str) -> list[str]:
    """What is wrong with the content of a file called `stem`.json; empty if it is in the schema."""
    if not isinstance(content, dict) or set(content) != {"schema", "source", "rows"}:
        return ["wanted an object with schema, source and rows"]
    if content["schema"] != SCHEMA:
        return [f"schema {content['schema']!r}, this version reads {SCHEMA}"]
    if not isinstance(content["rows"], list):
        return ["rows is not a list"]
    faults = _faults("source", content["source"], SOURCE_KEYS)
    if not faults and content["source"]["id"] != stem:
        faults.append(f"source.id {content['source']['id']!r} is not the file's name {stem!r}")
    for number, row in enumerate(content["rows"], 1):
        name = row.get("method") if isinstance(row, dict) else None
        faults += _faults(f"row {number} ({name!r})", row, ROW_KEYS)
    return faults


def _faults(
    where: str, value: Json, keys: Mapping[str, tuple[Callable[[Json], bool], str]]
) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is a {type(value).__name__}, wanted an object"]
    faults = [f"{where} lacks {key!r}" for key in keys if key not in value]
    faults += [f"{where} has an unknown key {key!r}" for key in sorted(set(value) - set(keys))]
    return faults + [
        f"{where}: {key} is {value[key]!r}, wanted {wanted}"
        for key, (fits, wanted) in keys.items()
        if key in value and not fits(value[key])
    ]
