"""What a command works on: published numbers, reviewed results, and the runs it is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leaderboard.numbers.entry import Entry, Run, published_entries
from leaderboard.numbers.results import REVIEWED, order, read_runs, with_results
from leaderboard.numbers.reviewed import LOCAL
from rvosbench.errors import ResultError, UsageError
from rvosbench.records import Json
from rvosbench.runs.result import report
from rvosbench.tables.published import FOLDER

RUNS = Path("runs")
"""Where `rvosbench eval` writes, and where runs are looked for by their signature."""

_HASH = re.compile(r"[0-9a-f]{8,12}")


@dataclass(frozen=True)
class Collection:
    """Everything that is known.

    Attributes:
        published: rows of papers.
        given: runs that the user named, for the paper's tables.
        stored: reviewed results, of the package and of the working folder.
        unreadable: files among them that are left out, with the reason.
    """

    published: tuple[Entry, ...]
    given: tuple[Entry, ...] = ()
    stored: tuple[Entry, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[Entry, ...]:
        """Given and stored runs, one a signature."""
        found = {entry.signature: entry for entry in (*self.stored[::-1], *self.given[::-1])}
        return tuple(sorted(found.values(), key=order))

    @property
    def everything(self) -> tuple[Entry, ...]:
        """Published rows, then runs."""
        return (*self.published, *self.runs)


def gather(with_runs: Sequence[Path] = (), published: Path | None = None) -> Collection:
    """Read everything; raises ResultError or UsageError, see the readers."""
    given, faults = read_runs(with_runs)
    stored, more = read_runs(with_results(REVIEWED, LOCAL))
    rows = published_entries(published or FOLDER)
    return Collection(tuple(rows), given, stored, (*faults, *more))


def resolve(signature: str, entries: Sequence[Entry]) -> Run:
    """The run whose signature it is.

    Args:
        signature: as printed, as it comes out of LaTeX or a PDF (broken over lines, with escapes),
            or only 8 to 12 digits of the hash at its end.
        entries: where to look.

    Raises:
        UsageError: it is no signature.
        ResultError: no run has it, or several have.
    """
    plain = _plain(signature)
    last = plain.rpartition("|")[2]
    if not _HASH.fullmatch(last):
        raise UsageError(
            f"{signature!r} is not a signature: it ends in 12 digits of a hash, such as "
            "sola:demo|demo/valid|mevis.1|0123456789ab"
        )
    runs = {e.run.signature: e.run for e in entries if e.run is not None}
    if plain in runs:
        return runs[plain]
    found = [
        run
        for name, run in runs.items()
        if (_plain(name) == plain if "|" in plain else last in name.rpartition("|")[2])
    ]
    if len(found) != 1:
        count = f"{len(found)} of the" if found else "none of the"
        raise ResultError(
            f"{count} {len(runs)} known results has the signature {plain!r}: "
            "say where to look with --with-runs DIR"
        )
    return found[0]


def details(run: Run) -> dict[str, Json]:
    """Everything a signature stands for: the scores, all choices, and the file."""
    result = run.result
    short = {k: v for k, v in report(result, run.path).items() if k not in ("expressions", "parts")}
    card = {name: getattr(result.card, name) for name in ("title", "venue", "url", "bibtex")}
    return {**short, "card": card, "facts": dict(result.facts)}


def _plain(text: str) -> str:
    """Without LaTeX commands, braces, escapes and white space."""
    text = text.replace(r"\textbar", "|").replace(r"\allowbreak", "")
    return re.sub(r"[\\{}$\s]", "", text)
