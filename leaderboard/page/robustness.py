"""Robustness: J&F against the severity of each corruption, for small plots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from leaderboard.numbers.ablation import ABLATION_DEFAULTS, ablation
from leaderboard.numbers.entry import Entry
from leaderboard.tables.cells import corruption_parts, corruption_title
from rvosbench.report.drawing import ticks

DASHES = ("", "6 3", "2 2", "8 3 2 3", "1 3", "10 4")
STYLES = 6
"""So many lines have a colour of their own; a plot with more repeats them with other dashes."""


@dataclass(frozen=True)
class Series:
    """One method under one corruption.

    Attributes:
        name: of the method, runs with their preset.
        style: index of its colour, the same in all plots.
        points: (severity, J&F in percent), severity 0 being clean frames; ascending.
    """

    name: str
    style: int
    points: tuple[tuple[int, float], ...]

    @property
    def dash(self) -> str:
        """Dashes tell lines apart without colour."""
        return DASHES[(self.style + self.style // STYLES) % len(DASHES)]


@dataclass(frozen=True)
class Plot:
    """All methods under one corruption, measured the same way."""

    title: str
    subtitle: str
    series: tuple[Series, ...]

    @property
    def ticks(self) -> range:
        """Scores that get a grid line; the last is the upper end of the axis."""
        return ticks(max(score for one in self.series for _, score in one.points))


def plots(entries: Sequence[Entry]) -> list[Plot]:
    """One plot a dataset, split, protocol and corruption that somebody was measured under."""
    names: dict[Hashable, str] = {}
    measured: dict[tuple[str, ...], dict[Hashable, dict[int, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for entry in entries:
        if entry.scores.jf is None or _is_ablation(entry):
            continue
        s, who = entry.setting, entry.contender
        names[who] = _name(entry)
        name, severity = corruption_parts(s.corruption) if s.corruption else ("", 0)
        if severity is not None:
            scores = measured[s.dataset, s.split, s.protocol, name][who]
            scores.setdefault(severity, entry.scores.jf)
    used = {who for key, lines in measured.items() if key[-1] for who in lines}
    styles = {who: i for i, who in enumerate(sorted(used, key=lambda w: (names[w], str(w))))}
    found = []
    for (*where, name), lines in sorted(measured.items()):
        if not name:
            continue  # of clean frames
        clean = measured.get((*where, ""), {})
        series = [
            Series(names[who], style, tuple(sorted({**lines[who], **clean.get(who, {})}.items())))
            for who, style in styles.items()
            if who in lines
        ]
        dataset, split, protocol = where
        subtitle = f"{dataset}/{split}, protocol {protocol}"
        found.append(Plot(corruption_title(f"{name}:5"), subtitle, tuple(series)))
    return found


def _is_ablation(entry: Entry) -> bool:
    return (ablation(entry) or ABLATION_DEFAULTS) != dict(ABLATION_DEFAULTS) and entry.run is None


def _name(entry: Entry) -> str:
    if entry.citation is not None:
        return f"{entry.about.method} ({entry.citation.source.id})"
    bound = ", upper bound" if entry.upper_bound else ""
    return f"{entry.name} (run{bound})"
