"""Robustness: J&F against the severity of each corruption, as small plots in SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from leaderboard.numbers.ablation import ABLATION_DEFAULTS, ablation
from leaderboard.numbers.entry import Entry
from leaderboard.tables.cells import corruption_parts, corruption_title

WIDTH, HEIGHT = 240, 160
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 10, 8, 24
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
    def top(self) -> float:
        """Upper end of the axis: the next grid line above all points."""
        highest = max(y for s in self.series for _, y in s.points)
        step = 10 if highest < 50 else 20
        return min(100.0, step * (highest // step + 1))

    def x(self, severity: int) -> float:
        """Horizontal place of a severity, in the plot's units."""
        return round(_LEFT + severity * (WIDTH - _LEFT - _RIGHT) / 5, 1)

    def y(self, score: float) -> float:
        """Vertical place of a score in percent."""
        return round(HEIGHT - _BOTTOM - score / self.top * (HEIGHT - _TOP - _BOTTOM), 1)

    def path(self, series: Series) -> str:
        """The line through a series."""
        return " ".join(f"{self.x(s)},{self.y(v)}" for s, v in series.points)

    @property
    def ticks(self) -> list[float]:
        """Scores that get a grid line."""
        step = 10 if self.top <= 50 else 20
        return [float(tick) for tick in range(0, int(self.top) + 1, step)]


def plots(entries: Sequence[Entry]) -> list[Plot]:
    """One plot a dataset, split, protocol and corruption that somebody was measured under."""
    clean: dict[Hashable, Entry] = {}
    measured: dict[tuple[str, ...], dict[Hashable, dict[int, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    names: dict[Hashable, str] = {}
    for entry in entries:
        if entry.scores.jf is None or _is_ablation(entry):
            continue
        who = entry.contender
        names[who] = _name(entry)
        if entry.setting.corruption is None:
            clean.setdefault((who, _where(entry)), entry)
            continue
        name, severity = corruption_parts(entry.setting.corruption)
        if severity is not None:
            measured[(*_where(entry), name)][who].setdefault(severity, entry.scores.jf)
    styles = {who: i for i, who in enumerate(sorted(names, key=lambda w: (names[w], str(w))))}
    used = sorted({who for lines in measured.values() for who in lines}, key=lambda w: styles[w])
    ranks = {who: i for i, who in enumerate(used)}
    return [_plot(key, lines, clean, names, ranks) for key, lines in sorted(measured.items())]


def _plot(
    key: tuple[str, ...],
    lines: Mapping[Hashable, Mapping[int, float]],
    clean: Mapping[Hashable, Entry],
    names: Mapping[Hashable, str],
    ranks: Mapping[Hashable, int],
) -> Plot:
    dataset, split, protocol, name = key
    series = []
    for who in sorted(lines, key=lambda w: ranks[w]):
        points = dict(lines[who])
        base = clean.get((who, (dataset, split, protocol)))
        if base is not None and base.scores.jf is not None:
            points[0] = base.scores.jf
        series.append(Series(names[who], ranks[who], tuple(sorted(points.items()))))
    title = corruption_title(f"{name}:5")
    return Plot(title, f"{dataset}/{split}, protocol {protocol}", tuple(series))


def _where(entry: Entry) -> tuple[str, str, str]:
    s = entry.setting
    return (s.dataset, s.split, s.protocol)


def _is_ablation(entry: Entry) -> bool:
    return (ablation(entry) or ABLATION_DEFAULTS) != dict(ABLATION_DEFAULTS) and entry.run is None


def _name(entry: Entry) -> str:
    if entry.citation is not None:
        return f"{entry.about.method} ({entry.citation.source.id})"
    bound = ", upper bound" if entry.upper_bound else ""
    return f"{entry.name} (run{bound})"
