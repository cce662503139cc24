"""Published numbers: reviewed data in one schema, one JSON file a source, in this folder.

Every row has every key; what a source does not say is null or empty, never guessed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from rvosbench.errors import ResultError
from rvosbench.records import Json
from rvosbench.tables.published.rows import (
    UNKNOWN,
    About,
    Citation,
    Flag,
    PublishedRow,
    Scores,
    Setting,
    Source,
)
from rvosbench.tables.published.schema import schema_faults

__all__ = [
    "FOLDER",
    "UNKNOWN",
    "About",
    "Citation",
    "Flag",
    "PublishedRow",
    "Scores",
    "Setting",
    "Source",
    "printed_scores",
    "read_published",
    "read_source",
]

FOLDER = Path(__file__).parent

_T = TypeVar("_T")


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
    flags = tuple(Flag(**flag) for flag in row["flags"])
    return PublishedRow(
        _of(About, row),
        _of(Setting, row),
        _of(Scores, row),
        row["configuration"],
        _of(Citation, {**row, "source": source, "flags": flags}),
    )


def _of(kind: type[_T], row: Mapping[str, Json]) -> _T:
    """The value whose fields are among the keys of a row."""
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: row[name] for name in names if name in row})
