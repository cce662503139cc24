"""From a signature in a paper back to the run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rvosbench.errors import ResultError, UsageError
from rvosbench.records import Json
from rvosbench.runs.result import report

from .entries import Entry, Run

_HASH = re.compile(r"[0-9a-f]{8,12}")


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
    if not _HASH.fullmatch(plain.rpartition("|")[2]):
        raise UsageError(
            f"{signature!r} is not a signature: it ends in 12 digits of a hash, such as "
            "sola:demo|demo/valid|mevis.1|0123456789ab"
        )
    runs = {e.run.signature: e.run for e in entries if e.run is not None}
    if plain in runs:
        return runs[plain]
    last = plain.rpartition("|")[2]
    found = [r for s, r in runs.items() if last in s.rpartition("|")[2]]
    found = [r for r in found if "|" not in plain or _plain(r.signature) == plain]
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
    short = {
        k: v
        for k, v in report(result, run.path).items()
        if k not in ("expressions", "parts")
    }
    card = {name: getattr(result.card, name) for name in ("title", "venue", "url", "bibtex")}
    return {**short, "card": card, "facts": dict(result.facts)}


def _plain(text: str) -> str:
    """Without LaTeX commands, braces, escapes and white space."""
    text = text.replace(r"\textbar", "|").replace(r"\allowbreak", "")
    return re.sub(r"[\\{}$\s]", "", text)
