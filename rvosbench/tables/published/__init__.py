"""Published numbers: reviewed data in one schema, one JSON file a source, in this folder.

Every row has every key; what a source does not say is null or empty, never guessed. Scores are in
**percent**: a published number is a printed, already rounded one, and its digits matter.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from rvosbench.errors import ResultError
from rvosbench.records import Json

FOLDER = Path(__file__).parent
SCHEMA = 1
"""Of a file: `{"schema": 1, "source": {...}, "rows": [...]}`."""

KINDS = ("paper", "survey", "repository", "issue", "quoted")

_T = TypeVar("_T")

PAPER_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "1": "Quantitative comparison on MeViS",
        "2": "Zero-shot quantitative comparison on Ref-YouTube-VOS and Ref-DAVIS",
        "3": "Quantitative comparison on combined dataset",
        "4": "Ablation study on the proposed selection method",
        "5a": "Ablation on different loss functions",
        "5b": "Effects of employing different types of attention layers",
        "A.1": "Quantitative result on a corrupted version of MeViS",
        "A.2a": "Effects of including background object tokens",
        "A.2b": "Effects of the number of object-language alignment layers",
    }
)
"""Titles of the tables of SOLA's paper (Kim et al., arXiv 2412.01136), by number, in its order."""

UNKNOWN = "unknown"
"""The protocol of a number whose source does not say how it was measured."""


@dataclass(frozen=True)
class About:
    """Who: what the tables print of a method. Unknown text is empty, an unknown count None.

    Attributes:
        method: its name, model size included; the same in all sources.
        version: which of several rows of it, such as "arXiv v1" or "re-run".
        training_data: names of datasets, or a remark; "none" if training-free. See
            `rvosbench.tables.training`.
    """

    method: str
    version: str = ""
    venue: str = ""
    backbone: str = ""
    trainable_parameters: int | None = None
    training_data: str = ""
    url: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class Setting:
    """Where it was measured. Two numbers are comparable only if their settings are equal.

    Attributes:
        protocol: name of the scoring protocol, or "unknown".
        corruption: None for clean frames, otherwise such as "motion_blur:5".
    """

    dataset: str
    split: str
    protocol: str = UNKNOWN
    corruption: str | None = None


@dataclass(frozen=True)
class Scores:
    """J, F and their mean in percent; None where a source does not give it."""

    jf: float | None
    j: float | None
    f: float | None


@dataclass(frozen=True)
class Source:
    """Where published numbers stand.

    Attributes:
        id: name of its file, and its key in BibTeX.
        kind: paper, survey, repository, issue, or quoted (seen only as quoted elsewhere).
    """

    id: str
    title: str
    kind: str
    url: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class Flag:
    """A remark on a row; if `rule` names a rule of `leaderboard check`, its finding is known."""

    rule: str
    note: str


@dataclass(frozen=True)
class Citation:
    """Where exactly a published number stands, and what a reviewer found about it.

    Attributes:
        locator: table or file, with the commit of a file.
        row: position in that table, None where the order says nothing.
        cited_as: reference number of the method in the source.
        protocol_evidence: why the protocol is known, if it is.
        preferred: of several contradicting values the one that is shown; `reason` says why.
    """

    source: Source
    locator: str
    row: int | None = None
    cited_as: str = ""
    protocol_evidence: str = ""
    preferred: bool = False
    reason: str = ""
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class PublishedRow:
    """One row of a published table.

    Attributes:
        configuration: what differs from the method's default settings (ablations).
    """

    about: About
    setting: Setting
    scores: Scores
    configuration: Mapping[str, Json]
    citation: Citation


Check: TypeAlias = tuple[Callable[[Json], bool], str]
"""Whether a value fits, and what is wanted."""


def _filled(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Json) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _plain(value: Json) -> bool:
    values = value.values() if isinstance(value, dict) else [None]
    return all(isinstance(v, bool) or _number(v) for v in values)


def _flags(value: Json) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and set(one) == {"rule", "note"} and all(map(_filled, one.values()))
        for one in value
    )


_OF_TYPES: Mapping[str, Check] = MappingProxyType(
    {
        "str": (lambda v: isinstance(v, str), "text"),
        "str | None": (lambda v: v is None or _filled(v), "text or null"),
        "int | None": (_count, "a count or null"),
        "float | None": (lambda v: v is None or _number(v), "a number in percent or null"),
        "bool": (lambda v: isinstance(v, bool), "true or false"),
        "tuple[Flag, ...]": (_flags, "a list of {rule, note}"),
    }
)
_NAME: Check = (_filled, "text that is not empty")


def _keys(*kinds: type, without: Sequence[str] = ()) -> dict[str, Check]:
    """The keys of a row or a source: the fields of its types."""
    fields = [f for kind in kinds for f in dataclasses.fields(kind) if f.name not in without]
    return {f.name: _OF_TYPES[str(f.type)] for f in fields}


SOURCE_KEYS: Mapping[str, Check] = MappingProxyType(
    {**_keys(Source), "id": _NAME, "kind": (lambda v: v in KINDS, f"one of {', '.join(KINDS)}")}
)
ROW_KEYS: Mapping[str, Check] = MappingProxyType(
    {
        **_keys(About, Setting, Scores, Citation, without=("url", "bibtex", "source")),
        **dict.fromkeys(("method", "dataset", "split", "protocol"), _NAME),
        "jf": (_number, "a number in percent"),
        "configuration": (_plain, "an object of numbers and booleans"),
    }
)


def read_published(folder: Path = FOLDER) -> list[PublishedRow]:
    """All rows of all sources, in the order of file names and then of the files.

    Raises:
        ResultError: a file that is not in the schema; the message lists every fault in it.
    """
    return [row for path in sorted(folder.glob("*.json")) for row in read_source(path)]


def read_source(path: Path) -> list[PublishedRow]:
    """The rows of one source; raises as `read_published`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: cannot be read as published results: {error}") from error
    faults = schema_faults(content, path.stem)
    if faults:
        raise ResultError(f"{path}: not in the schema of published results: {'; '.join(faults)}")
    source = Source(**content["source"])
    return [_row(source, row) for row in content["rows"]]


def printed_scores(
    source: str,
    table: str,
    method: str = "SOLA",
    configuration: Mapping[str, Json] | None = None,
    corruption: str | None = None,
) -> Scores:
    """The scores that a source prints in one row of a table, on MeViS; in percent.

    Args:
        source: name of its file, such as "sola" for the SOLA paper.
        table: its number, such as "5b".
        method: as in the file.
        configuration: settings that the row is about, by name; rows may have more of them.
        corruption: such as "motion_blur:5"; None for clean frames.

    Raises:
        ResultError: there is no such row, or several that differ.
    """
    wanted = dict(configuration or {}).items()
    found = {
        row.scores
        for row in read_source(FOLDER / f"{source}.json")
        if row.citation.locator == f"Table {table}"
        and (row.about.method, row.setting.dataset) == (method, "mevis")
        and row.setting.corruption == corruption
        and wanted <= row.configuration.items()
    }
    if len(found) != 1:
        what = f"{method} {dict(wanted)} {corruption or ''}".rstrip()
        raise ResultError(f"{source}, Table {table}: {len(found)} rows of {what}, wanted one")
    return found.pop()


def _row(source: Source, row: Mapping[str, Json]) -> PublishedRow:
    row = {**row, "source": source, "flags": tuple(Flag(**flag) for flag in row["flags"])}
    about, setting, scores = _of(About, row), _of(Setting, row), _of(Scores, row)
    return PublishedRow(about, setting, scores, row["configuration"], _of(Citation, row))


def _of(kind: type[_T], row: Mapping[str, Json]) -> _T:
    """The value whose fields are among the keys of a row."""
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: row[name] for name in names if name in row})


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


def _faults(where: str, value: Json, keys: Mapping[str, Check]) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is a {type(value).__name__}, wanted an object"]
    faults = [f"{where} lacks {key!r}" for key in keys if key not in value]
    faults += [f"{where} has an unknown key {key!r}" for key in sorted(set(value) - set(keys))]
    return faults + [
        f"{where}: {key} is {value[key]!r}, wanted {wanted}"
        for key, (fits, wanted) in keys.items()
        if key in value and not fits(value[key])
    ]
