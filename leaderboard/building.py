"""`leaderboard build`: the page and all tables, written to a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rvosbench.files.atomic import write_bytes

from .gathering import Collection, certainty, make_table, table_names
from .rendering import RENDERERS, SUFFIXES


@dataclass(frozen=True)
class BuildOptions:
    """What is built.

    Attributes:
        out: folder; files of the same names are replaced, others left.
        table: only this table, without the page.
        form: only this format of the tables.
        roots: dataset name -> folder, for pictures of best and worst cases.
    """

    out: Path
    table: str | None = None
    form: str | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)


def build(options: BuildOptions, collection: Collection) -> list[Path]:
    """Write everything; the same inputs give the same bytes.

    Returns:
        The written files, the page first.

    Raises:
        UnknownNameError: no table of that name.
    """
    written = []
    for name, text in _files(collection, options):
        write_bytes(options.out / name, text.encode("utf-8"))
        written.append(options.out / name)
    return written


def _files(collection: Collection, options: BuildOptions) -> Iterator[tuple[str, str]]:
    from .page.site import pages

    confidence = certainty(collection.everything)
    if options.table is None:
        yield from pages(collection, confidence, options.roots)
    names = [options.table] if options.table is not None else list(table_names(collection))
    for name in names:
        table = make_table(collection, name, confidence)
        for form in [options.form] if options.form else RENDERERS:
            yield f"tables/{name}{SUFFIXES[form]}", RENDERERS[form](table)
