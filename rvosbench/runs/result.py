"""Result files: every number with the signature of all the choices behind it.

Scores are kept unrounded in [0, 1]; only rendering multiplies by 100 and rounds. A result holds no
paths, times or worker counts: the same run gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rvosbench.contracts import ExpressionScore, Summary
from rvosbench.errors import ResultError
from rvosbench.files.atomic import write_json
from rvosbench.metrics.breakdown import Part, breakdown
from rvosbench.missing import Missing
from rvosbench.recipe import digest
from rvosbench.records import Expression, Json, MethodCard

FORMAT = 2
"""Version of the file. Readers accept their own and older ones and ignore unknown keys.

2: metric values are called so (1: figures, extra); facts hold the code and the whole configuration.
"""


@dataclass(frozen=True)
class ScoredExpression:
    """An expression of the split with its score."""

    expression: Expression
    score: ExpressionScore


@dataclass(frozen=True)
class Result:
    """A method's score on one split.

    Attributes:
        facts: everything that changes a number, JSON-safe: dataset, split, fingerprint, protocol,
            method, configuration, checkpoints, corruption, ...
        card: the method's card as it was at the time.
        summary: None on a split without ground truth.
        expressions: in dataset order; empty on a split without ground truth.
        upper_bound: the method looked at the ground truth, and is never ranked.
        missing: "masks" and "expressions" that were missing and count as empty masks.
    """

    facts: Mapping[str, Json]
    card: MethodCard
    summary: Summary | None
    expressions: tuple[ScoredExpression, ...] = ()
    upper_bound: bool = False
    missing: Mapping[str, int] = field(default_factory=lambda: Missing()._asdict())

    @property
    def signature(self) -> str:
        """One line that tells two scores apart; equal signatures mean equal choices."""
        return signature(self.facts)


def signature(facts: Mapping[str, Json]) -> str:
    """The readable choices and a hash of them all, such as `sola:demo|demo/valid|mevis.1|…`.

    Two results may be compared as numbers of one protocol only if all but the method part agree.
    """
    preset = f":{facts['preset']}" if facts.get("preset") else ""
    parts = [
        f"{facts['method']}{preset}",
        f"{facts['dataset']}/{facts['split']}",
        f"{facts['protocol']}.{facts['protocol_version']}",
    ]
    if facts.get("corruption"):
        parts.append(str(facts["corruption"]))
    return "|".join([*parts, digest(facts)[:12]])


def write_result(path: Path, result: Result) -> None:
    """Write a result file atomically, byte for byte the same for the same result."""
    write_json(path, to_json(result), indent=1)


def read_result(path: Path) -> Result:
    """Read a result file of this or an older version; keys from newer minor versions are ignored.

    Raises:
        ResultError: not a result, from a newer format, or changed by hand (signature mismatch).
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: cannot be read as a result: {error}") from error
    got = content.get("format") if isinstance(content, dict) else type(content).__name__
    if not isinstance(got, int) or got > FORMAT:
        raise ResultError(
            f"{path}: format {got!r}, this version reads up to {FORMAT}: "
            "update rvosbench, or check that it is a result file"
        )
    try:
        result = from_json(content)
        signature, said = result.signature, content["signature"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{path}: not a complete result: {error!r}") from error
    if signature != said:
        raise ResultError(
            f"{path}: its facts give the signature {signature!r} but it says {said!r}: the file "
            "was changed after the run"
        )
    return result


def to_json(result: Result) -> dict[str, Json]:
    """The content of a result file."""
    return {
        "format": FORMAT,
        "signature": result.signature,
        "facts": dict(result.facts),
        "card": dataclasses.asdict(result.card),
        "upper_bound": result.upper_bound,
        "missing": dict(result.missing),
        "summary": dataclasses.asdict(result.summary) if result.summary else None,
        "expressions": [_row(e) for e in result.expressions],
    }


def from_json(content: Mapping[str, Json]) -> Result:
    """Inverse of `to_json`; unknown keys are ignored."""
    summary = content["summary"]
    return Result(
        facts=content["facts"],
        card=MethodCard(**_known(MethodCard, content["card"])),
        # format 1 called metric values extra
        summary=Summary(**{"metrics": summary.get("extra", {}), **_known(Summary, summary)})
        if summary
        else None,
        expressions=tuple(_scored(row) for row in content["expressions"]),
        upper_bound=content.get("upper_bound", False),
        missing=content.get("missing", Missing()._asdict()),
    )


_REPORTED = ("video", "expression", "j", "f")


def report(result: Result, path: Path | None) -> dict[str, Json]:
    """The object that `--json` prints: scores unrounded in [0, 1], null on a hidden split."""
    facts, summary = result.facts, result.summary
    rows = [
        {**{name: getattr(s.score, name) for name in _REPORTED}, "metrics": dict(s.score.metrics)}
        for s in result.expressions
    ]
    return {
        "signature": result.signature,
        **{k: facts[k] for k in ("method", "dataset", "split", "protocol")},
        "corruption": facts.get("corruption"),
        **{name: getattr(summary, name, None) for name in ("j", "f", "jf")},
        "expressions": rows,
        "result": str(path) if path else None,
        "metrics": dict(summary.metrics) if summary else {},
        "missing": dict(result.missing),
        "parts": [dataclasses.asdict(part) for part in parts(result)],
    }


def parts(result: Result) -> list[Part]:
    """The result by category, group, object size, video length and number of targets."""
    return breakdown((s.expression, s.score) for s in result.expressions)


def to_row(score: ExpressionScore) -> dict[str, Json]:
    """A score without its video; Python writes a float so that reading gives the same bits."""
    return {
        "expression": score.expression,
        "j": score.j,
        "f": score.f,
        "frames": list(score.frames),
        "frame_j": list(score.frame_j),
        "frame_f": list(score.frame_f),
        "metrics": dict(score.metrics),
    }


def from_row(video: str, row: Mapping[str, Json]) -> ExpressionScore:
    """Inverse of `to_row`; other keys are ignored."""
    frames, frame_j, frame_f = (tuple(row[name]) for name in ("frames", "frame_j", "frame_f"))
    metrics = row.get("metrics", row.get("figures", {}))  # format 1 called them figures
    return ExpressionScore(
        video, row["expression"], row["j"], row["f"], frame_j, frame_f, frames, metrics
    )


def _row(scored: ScoredExpression) -> dict[str, Json]:
    e = scored.expression
    asked = {"text": e.text, "group": e.group, "tags": list(e.tags)}
    return {"video": scored.score.video, **asked, **to_row(scored.score)}


def _scored(row: Mapping[str, Json]) -> ScoredExpression:
    expression = Expression(row["expression"], row["text"], row["group"], tuple(row["tags"]))
    return ScoredExpression(expression, from_row(row["video"], row))


def _known(kind: type, values: Mapping[str, Json]) -> dict[str, Json]:
    names = {f.name for f in dataclasses.fields(kind)}
    return {k: v for k, v in values.items() if k in names}
