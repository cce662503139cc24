"""Results and published rows made up for tests."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from leaderboard.numbers.entry import Entry
from leaderboard.tables.board import Board, boards
from rvosbench.contracts import ExpressionScore, Summary
from rvosbench.records import Expression, Json, MethodCard
from rvosbench.runs.result import Result, ScoredExpression, write_result
from rvosbench.tables.published import About, Citation, Flag, Scores, Setting, Source

Rows = Mapping[str, Sequence[tuple[float, float]]]


def rows(level: float, videos: int = 6, expressions: int = 3, seed: int = 0) -> Rows:
    """Scores around `level`; the last video has one expression less, so that sizes differ."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[float, float]]] = {}
    for v in range(videos):
        shift = rng.normal(0, 0.05)
        count = expressions - (v == videos - 1)
        pairs = np.clip(level + shift + rng.normal(0, 0.03, (count, 2)), 0, 1)
        found[f"video-{v}"] = [(float(j), float(f)) for j, f in pairs]
    return found


def result(
    scores: Rows | None = None,
    card: MethodCard | None = None,
    text: str = "a cat",
    upper_bound: bool = False,
    **facts: Json,
) -> Result:
    """A result on MeViS valid, trained on MeViS, unless told otherwise."""
    scores = rows(0.5) if scores is None else scores
    scored = tuple(
        ScoredExpression(
            Expression(str(i), text, tags=("even" if i % 2 == 0 else "odd",)),
            ExpressionScore(video, str(i), j, f, (j,), (f,), (0,)),
        )
        for video, pairs in scores.items()
        for i, (j, f) in enumerate(pairs)
    )
    j = float(np.mean([s.score.j for s in scored])) if scored else 0.0
    f = float(np.mean([s.score.f for s in scored])) if scored else 0.0
    base: dict[str, Json] = {
        "dataset": "mevis",
        "split": "valid",
        "fingerprint": "f",
        "protocol": "mevis",
        "protocol_version": "1",
        "videos": None,
        "corruption": None,
        "method": "mine",
        "preset": None,
        "config": {},
        "provenance": {},
    }
    return Result(
        {**base, **facts},
        card or MethodCard("Mine", "arXiv 2026", "ViT", 12_300_000, "MeViS"),
        Summary(j, f, (j + f) / 2) if scored else None,
        scored,
        upper_bound,
    )


SOLA_CARD = MethodCard("SOLA", "arXiv 2412.01136", "SAM2-L", 32_980_480, "MeViS")


def sola(level: float, **facts: Json) -> Result:
    """A run of SOLA, trained on MeViS."""
    return result(rows(level), SOLA_CARD, method="sola", preset="released", **facts)


def saved(folder: Path, *results: Result) -> Path:
    """The results as run folders in one folder."""
    for number, one in enumerate(results):
        write_result(folder / f"run-{number}" / "result.json", one)
    return folder


def cited(
    method: str,
    scores: tuple[float | None, float | None, float | None],
    source: str = "a",
    **changes: Json,
) -> Entry:
    """A published row: J&F, J, F on MeViS valid in table 1 of a source."""
    about = {k: changes.pop(k) for k in ("version", "backbone", "training_data") if k in changes}
    count = changes.pop("trainable_parameters", None)
    setting = {k: changes.pop(k) for k in ("dataset", "split", "protocol") if k in changes}
    configuration = changes.pop("configuration", {})
    flags = tuple(Flag(*flag) for flag in changes.pop("flags", ()))
    citation = Citation(
        Source(source, "Title", "paper"),
        changes.pop("locator", "Table 1"),
        protocol_evidence=changes.pop("protocol_evidence", ""),
        flags=flags,
        **changes,
    )
    return Entry(
        About(method, trainable_parameters=count, **about),
        Setting(**{"dataset": "mevis", "split": "valid", **setting}),
        Scores(*scores),
        configuration,
        citation,
    )


def published_row(**changes: Json) -> dict[str, Json]:
    """A row of a published file as JSON."""
    row: dict[str, Json] = {
        "method": "X",
        "version": "",
        "venue": "",
        "backbone": "",
        "trainable_parameters": None,
        "training_data": "",
        "configuration": {},
        "dataset": "mevis",
        "split": "valid",
        "protocol": "unknown",
        "protocol_evidence": "",
        "corruption": None,
        "j": 40.0,
        "f": 50.0,
        "jf": 45.0,
        "locator": "Table 1",
        "row": None,
        "cited_as": "",
        "preferred": False,
        "reason": "",
        "flags": [],
    }
    return {**row, **changes}


def published_file(folder: Path, name: str, *published: Mapping[str, Json]) -> Path:
    """A file of published rows."""
    source = {"id": name, "title": "T", "kind": "paper", "url": "", "bibtex": ""}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"schema": 1, "source": source, "rows": list(published)}))
    return path


def replaced(one: Result, **changes: Json) -> Result:
    """A copy with fields changed."""
    return dataclasses.replace(one, **changes)


def board(entries: Sequence[Entry], name: str) -> Board:
    """The board called `name`."""
    return {one.name: one for one in boards(entries)}[name]
