"""Made-up results of experiments: scores by video, expression and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary
from rvosbench.records import Expression, MethodCard
from rvosbench.runs.result import Result, ScoredExpression
from sola.reproduce.evaluations import Evaluation
from sola.reproduce.experiments import PaperTable
from sola.reproduce.report import Report, make_report
from sola.reproduce.settings import Settings, default_settings

VIDEOS, EXPRESSIONS = 20, 3
KINDS = ("appearance", "direction", "order")


def settings(**changes: object) -> Settings:
    return replace(default_settings("demo"), out=Path("nowhere"), **changes)  # type: ignore[arg-type]


def result(level: float, seed: int = 0, kinds: Mapping[str, float] | None = None) -> Result:
    """Scores around `level`; the last sentence of every video is harder by what `kinds` says."""
    rng = np.random.default_rng(seed)
    scored = []
    for v in range(VIDEOS):
        shift = np.random.default_rng((9, v)).normal(0, 0.1)  # of the video, whatever the method
        for k, kind in enumerate(KINDS):
            score = level + shift + (kinds or {}).get(kind, 0.0) + rng.normal(0, 0.02)
            j, f = (float(np.clip(score + d, 0, 1)) for d in (-0.01, 0.01))
            expression = Expression(str(k), kind, tags=(kind,))
            scored.append(ScoredExpression(expression, ExpressionScore(f"v{v:02d}", str(k), j, f)))
    j, f = (float(np.mean([getattr(s.score, n) for s in scored])) for n in ("j", "f"))
    facts = {
        "method": "mine",
        "dataset": "demo",
        "split": "test",
        "protocol": "mevis",
        "protocol_version": "1",
        "level": [level, seed],
    }
    return Result(facts, MethodCard("mine"), Summary(j, f, (j + f) / 2), tuple(scored))


def report(levels: Mapping[str, float], tables: tuple[PaperTable, ...], seeds: int = 3) -> Report:
    """A report of trials of these levels, on both splits; all others are missing."""
    trained = {trial: trial not in ("grounder", "oracle", "empty") for trial in levels}
    results = {
        Evaluation(trial, split, seed): result(level, seed + 10 * i)
        for i, (trial, level) in enumerate(levels.items())
        for split in ("test", "valid")
        for seed in range(seeds if trained[trial] else 1)
    }
    wanted = {row.experiment for table in tables for row in table.rows}
    missing = {trial: "nobody made it" for trial in sorted(wanted - levels.keys())}
    return make_report(tables, settings(seeds=seeds), results, {}, missing)
