"""`leaderboard add`: a run becomes one small reviewed file.

The file is a result file like the run's, without the scores of single frames, one expression a
line: it can be read in a review, and its signature is the run's.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from leaderboard.numbers.entry import slug
from leaderboard.numbers.results import SUFFIX, result_files
from rvosbench.contracts import Summary
from rvosbench.errors import ResultError, RvosbenchError, UsageError
from rvosbench.files.atomic import write_bytes
from rvosbench.metrics import official
from rvosbench.records import Json, MethodCard
from rvosbench.runs.result import Result, read_result, to_json

LOCAL = Path("leaderboard-results")
"""Where `add` puts results unless told otherwise, and where the other commands look for them."""


def add(
    run: Path,
    into: Path = LOCAL,
    card: Mapping[str, Json] | None = None,
    server: tuple[float, float] | None = None,
) -> Path:
    """Check a run and store its result.

    Args:
        run: run folder or result file.
        into: folder of reviewed results; made if need be.
        card: fields of the method card to set, for predictions that were scored from files.
        server: (J, F) in percent as the authors' server gave them, for a split without ground
            truth. The signature then says so.

    Returns:
        The written file; the same run twice gives the same file with the same bytes.

    Raises:
        ResultError: the run is not fit for a leaderboard; the message lists every reason.
        UsageError: no such run, several in the folder, or a card field that does not exist.
    """
    path, *more = result_files(run)
    if more:
        raise UsageError(f"{run}: holds {len(more) + 1} results, wanted one; the first is {path}")
    result = _scored_by_server(with_card(read_result(path), card or {}), server)
    faults = list(faults_of(result))
    if faults:
        raise ResultError(f"{path} cannot be added: {'; '.join(faults)}")
    name = f"{slug(result.card.title)}-{result.signature.rpartition('|')[2]}"
    target = into / str(result.facts["dataset"]) / f"{name}.{SUFFIX}"
    write_bytes(target, reviewed_bytes(result))
    return target


def faults_of(result: Result) -> Iterator[str]:
    """Why a result is not fit for a leaderboard, one sentence each."""
    card = result.card
    for name in ("title", "training_data"):
        if not getattr(card, name) or card.title == "predictions":
            yield f"its method card has no {name}: give it with --card {name}=..."
    if result.facts.get("videos"):
        yield f"it is of {len(result.facts['videos'])} videos only, wanted the whole split"
    if result.summary is None:
        yield "it has no scores: give the server's with --server J,F"
    else:
        yield from _score_faults(result, result.summary)


def reviewed_bytes(result: Result) -> bytes:
    """The file: a result of the current format, one expression a line, without frames."""
    content = to_json(result)
    rows = [
        {**row, "frames": [], "frame_j": [], "frame_f": []} for row in content.pop("expressions")
    ]
    head = json.dumps(content, ensure_ascii=False, indent=1)[:-2]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{head},\n "expressions": [\n{lines}\n ]\n}}\n'.encode()


def with_card(result: Result, fields: Mapping[str, Json]) -> Result:
    """A copy with fields of its card set; raises UsageError for a field that does not exist."""
    known = {f.name for f in dataclasses.fields(MethodCard)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise UsageError(f"--card {unknown[0]}=...: a card has {', '.join(sorted(known))}")
    values = dict(fields)
    if "trainable_parameters" in values:
        values["trainable_parameters"] = _count(values["trainable_parameters"])
    return dataclasses.replace(result, card=dataclasses.replace(result.card, **values))


def _count(value: Json) -> int:
    try:
        return int(str(value).replace("_", ""))
    except ValueError as error:
        raise UsageError(
            f"--card trainable_parameters={value}: wanted a count such as 32980480"
        ) from error


def _scored_by_server(result: Result, server: tuple[float, float] | None) -> Result:
    if server is None:
        return result
    if result.summary is not None:
        raise UsageError("--server is for a split without ground truth, and this run has scores")
    j, f = (value / 100 for value in server)
    facts = {**result.facts, "scored_by": "server"}
    return dataclasses.replace(result, facts=facts, summary=Summary(j, f, (j + f) / 2))


def _score_faults(result: Result, summary: Summary) -> Iterator[str]:
    values = {"J&F": summary.jf, "J": summary.j, "F": summary.f}
    for name, value in values.items():
        if not (math.isfinite(value) and 0 <= value <= 1):
            yield f"{name} is {value!r}, wanted a number in [0, 1]"
    if abs(summary.jf - (summary.j + summary.f) / 2) > 1e-9:
        yield f"J&F {summary.jf!r} is not the mean of J {summary.j!r} and F {summary.f!r}"
    scores = [scored.score for scored in result.expressions]
    if not scores:
        return
    try:
        again = official.protocol(str(result.facts.get("protocol"))).summarize(scores)
    except (RvosbenchError, ValueError, KeyError):
        return  # the protocol's own rule needs more than the file holds
    if max(abs(again.j - summary.j), abs(again.f - summary.f)) > 1e-9:
        yield (
            f"its expressions give J {again.j!r} and F {again.f!r}, "
            f"but it says {summary.j!r} and {summary.f!r}"
        )
