"""Our own results as leaderboard entries: run folders, and the reviewed files of `add`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from leaderboard.numbers.ablation import ablation_of_facts
from leaderboard.numbers.entry import Entry, Run
from rvosbench.errors import ResultError, UsageError
from rvosbench.records import Json
from rvosbench.runs.result import Result, read_result
from rvosbench.runs.run_folder import RunFolder
from rvosbench.tables.published import UNKNOWN, About, Scores, Setting
from rvosbench.tables.training import learned_from, training_text

REVIEWED = Path(__file__).parents[1] / "results"
"""Results that came in by `add` and a review, and ship with the package."""

SUFFIX = RunFolder(Path()).result_file.name
"""A run folder's result; a reviewed file is called `<name>.result.json`."""


def read_runs(places: Iterable[Path]) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Entries of all result files in the given files and folders.

    A broken file in a folder does not hide the others: it is left out and said.

    Args:
        places: result files, run folders, or folders that hold any number of them.

    Returns:
        Entries, one a signature, by name; why files in folders are left out, a sentence each.

    Raises:
        UsageError: a place that does not exist or holds no result.
        ResultError: a place that is itself a file and cannot be read as a result.
    """
    entries: dict[str, Entry] = {}
    unreadable: list[str] = []
    for place in places:
        for path in result_files(place):
            try:
                found = entry(path, read_result(path))
            except ResultError as error:
                if path == place:
                    raise
                unreadable.append(f"left out: {error}")
            else:
                entries.setdefault(found.signature, found)
    return tuple(sorted(entries.values(), key=order)), tuple(unreadable)


def with_results(*folders: Path) -> list[Path]:
    """Those of some folders that are there and hold a result."""
    return [f for f in folders if f.is_dir() and any(f.rglob(f"*{SUFFIX}"))]


def result_files(place: Path) -> list[Path]:
    """Paths of the result files at a place, sorted; raises UsageError if there is none."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise UsageError(f"{place}: there is no such file or folder of results")
    found = sorted(place.rglob(f"*{SUFFIX}"))
    if not found:
        raise UsageError(
            f"{place}: no result in it; wanted a run folder made by `rvosbench eval` or `score`"
        )
    return found


def entry(path: Path, result: Result) -> Entry:
    """A result as an entry; its scores are None on a split without ground truth."""
    facts, card, s = result.facts, result.card, result.summary
    missing = [k for k in ("method", "dataset", "split") if not isinstance(facts.get(k), str)]
    if missing:
        raise ResultError(f"{path}: its facts do not say {', '.join(missing)}")
    about = {**vars(card), "training_data": training_data(result)}
    name = about.pop("title") or facts["method"]
    protocol = facts.get("protocol") or UNKNOWN
    corruption = corruption_text(facts.get("corruption"))
    return Entry(
        About(name, facts.get("preset") or "", **about),
        Setting(facts["dataset"], facts["split"], protocol, corruption),
        Scores(100 * s.jf, 100 * s.j, 100 * s.f) if s else Scores(None, None, None),
        ablation_of_facts(facts),
        run=Run(path, result),
    )


def training_data(result: Result) -> str:
    """What a result was trained on: its facts if they say so, otherwise its card.

    Facts say so as `training_data`, text or a list of datasets, in themselves or in their
    provenance, or as the provenance's `training`, see `rvosbench.tables.training`.
    """
    provenance = result.facts.get("provenance") or {}
    said = result.facts.get("training_data") or provenance.get("training_data")
    if isinstance(said, list | tuple):
        return training_text(map(str, said))
    if isinstance(said, str):
        return said
    return training_text(learned_from(provenance.get("training"))) or result.card.training_data


def corruption_text(value: Json) -> str | None:
    """A corruption as one line: text as it is, an object as `name:severity`."""
    if not value:
        return None
    if isinstance(value, Mapping):
        name = value.get("name") or value.get("type")
        return f"{name}:{value.get('severity')}"
    return str(value)


def order(one: Entry) -> tuple[str, str]:
    """Sorting key of runs: the same whatever the order of the places they were read from."""
    return (one.about.method.casefold(), one.signature)
