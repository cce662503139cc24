"""What the page of one method shows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rvosbench.recipe import digest
from rvosbench.runs.result import Result, parts

from ..boards import Line
from ..entries import FIGURES, Entry, Run
from ..significance import Confidence
from ..tables import score_text
from .overlays import Gallery, gallery
from .provenance import Fact, provenance


@dataclass(frozen=True)
class Number:
    """One number-set of a method: where it was measured, the scores, and who says so."""

    setting: str
    protocol: str
    configuration: str
    scores: tuple[str, ...]
    source: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Share:
    """Mean scores of a part of the expressions, as printed: J&F, J, F in percent."""

    kind: str
    name: str
    count: int
    scores: tuple[str, ...]
    jf: float


@dataclass(frozen=True)
class RunView:
    """A run: by category, by video, by expression."""

    title: str
    signature: str
    categories: tuple[Share, ...]
    videos: tuple[Share, ...]
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...]
    gallery: Gallery


@dataclass(frozen=True)
class MethodView:
    """One page.

    Attributes:
        slug: file name without suffix.
        entries: all number-sets, published ones first.
    """

    slug: str
    name: str
    entries: tuple[Entry, ...]
    numbers: tuple[Number, ...] = ()
    runs: tuple[RunView, ...] = field(default=())

    @property
    def about(self) -> Entry:
        """The entry that knows most about the method."""
        return max(self.entries, key=lambda e: sum(bool(v) for v in vars(e.about).values()))


def slug(name: str) -> str:
    """A file name for a method: readable, and different for different names.

    >>> slug("SOLA"), slug("../../x")[:4]
    ('sola', 'x-d0')
    """
    words = re.findall(r"[a-z0-9]+", name.casefold())
    plain = "-".join(words)
    faithful = plain == re.sub(r"[\s-]+", "-", name.casefold())
    return plain if faithful and plain else f"{plain or 'method'}-{digest(name.casefold())[:6]}"


def method_views(
    entries: Sequence[Entry], confidence: Mapping[str, Confidence], roots: Mapping[str, Path]
) -> list[MethodView]:
    """A view for every method, by name."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.about.method.casefold()].append(entry)
    return [_view(groups[name], confidence, roots) for name in sorted(groups)]


def _view(
    group: Sequence[Entry], confidence: Mapping[str, Confidence], roots: Mapping[str, Path]
) -> MethodView:
    name = group[0].about.method
    numbers = [_number(entry, confidence) for entry in group if entry.scores.jf is not None]
    runs = [_run(e.run, roots) for e in group if e.run is not None and e.run.result.summary]
    return MethodView(slug(name), name, tuple(group), tuple(numbers), tuple(runs))


def _number(entry: Entry, confidence: Mapping[str, Confidence]) -> Number:
    s = entry.setting
    corruption = f", {s.corruption}" if s.corruption else ""
    configuration = ", ".join(f"{k}={v}" for k, v in sorted(entry.configuration.items()))
    return Number(
        f"{s.dataset}/{s.split}{corruption}",
        s.protocol,
        configuration,
        tuple(score_text(entry, name)[0] for name in FIGURES),
        f"{entry.citation.source.id}, {entry.citation.locator}" if entry.citation else "run",
        tuple(provenance(Line(entry), confidence)),
    )


def _run(run: Run, roots: Mapping[str, Path]) -> RunView:
    result = run.result
    facts = result.facts
    corruption = f", {facts['corruption']}" if facts.get("corruption") else ""
    return RunView(
        f"{facts['dataset']}/{facts['split']}{corruption}, protocol {facts.get('protocol')}",
        result.signature,
        tuple(_categories(result)),
        tuple(_videos(result)),
        tuple(_expressions(result)),
        gallery(run, roots),
    )


def _categories(result: Result) -> list[Share]:
    return [
        Share(p.by, p.value, p.count, _printed(p.jf, p.j, p.f), 100 * p.jf) for p in parts(result)
    ]


def _videos(result: Result) -> list[Share]:
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for scored in result.expressions:
        rows[scored.score.video].append((scored.score.j, scored.score.f))
    shares = []
    for video, scores in sorted(rows.items()):
        j, f = (sum(s[k] for s in scores) / len(scores) for k in (0, 1))
        jf = (j + f) / 2
        shares.append(Share("video", video, len(scores), _printed(jf, j, f), 100 * jf))
    return shares


def _expressions(result: Result) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (
            s.score.video,
            s.expression.text,
            _printed((s.score.j + s.score.f) / 2, s.score.j, s.score.f),
        )
        for s in result.expressions
    ]


def _printed(jf: float, j: float, f: float) -> tuple[str, ...]:
    return tuple(f"{100 * value:.1f}" for value in (jf, j, f))
