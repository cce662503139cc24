"""What the page of one method shows: its numbers, and of its runs scores and pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from leaderboard.numbers.entry import Entry, Run, slug
from leaderboard.page.provenance import Fact, provenance
from leaderboard.tables.board import BoardEntry
from leaderboard.tables.cells import score_text
from leaderboard.tables.confidence import Confidences
from rvosbench.errors import RvosbenchError
from rvosbench.metrics.breakdown import Part
from rvosbench.metrics.significance import scores_by_video
from rvosbench.report.cases import RunCases, jf, name_of, open_run
from rvosbench.report.pictures import data_address, overlay, spread
from rvosbench.runs.result import Result, ScoredExpression, parts
from rvosbench.runs.run_folder import RunFolder
from rvosbench.tables.table import METRICS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CASES = 3
"""So many of the best, and as many of the worst."""

FRAMES = 3
THUMBNAIL = 240
"""Width of a picture in pixels; the height follows."""


Strip: TypeAlias = tuple[ScoredExpression, tuple[str, ...]]
"""An expression, and data addresses of pictures in the order of time."""


@dataclass(frozen=True)
class Gallery:
    """The best and worst cases, or why there are none."""

    best: tuple[Strip, ...] = ()
    worst: tuple[Strip, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class RunView:
    """A run: its result, scores by category and by video, best and worst cases."""

    result: Result
    gallery: Gallery

    @cached_property
    def categories(self) -> list[Part]:
        """By category, group, size, length and number of targets."""
        return parts(self.result)

    @cached_property
    def videos(self) -> list[Part]:
        """By video."""
        found = scores_by_video(scored.score for scored in self.result.expressions)
        means = {metric: found.means(metric) for metric in METRICS}
        return [
            Part("video", video, int(count), **{m: means[m][video] for m in METRICS})
            for video, count in zip(found.videos, found.counts, strict=True)
        ]

    @property
    def title(self) -> str:
        """Where it was measured."""
        facts = self.result.facts
        corruption = f", {facts['corruption']}" if facts.get("corruption") else ""
        return f"{facts['dataset']}/{facts['split']}{corruption}, protocol {facts.get('protocol')}"


@dataclass(frozen=True)
class MethodView:
    """One page.

    Attributes:
        slug: file name without suffix.
        entries: all of the method, published ones first.
        numbers: those with scores, each with the printed scores and where they come from.
    """

    slug: str
    name: str
    entries: tuple[Entry, ...]
    numbers: tuple[tuple[Entry, tuple[str, ...], tuple[Fact, ...]], ...] = ()
    runs: tuple[RunView, ...] = ()

    @property
    def about(self) -> Entry:
        """The entry that knows most about the method."""
        return max(self.entries, key=lambda e: sum(bool(v) for v in vars(e.about).values()))


def method_views(
    entries: Sequence[Entry], confidence: Confidences, roots: Mapping[str, Path]
) -> list[MethodView]:
    """A view for every method, by name."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.about.method.casefold()].append(entry)
    return [_view(groups[name], confidence, roots) for name in sorted(groups)]


def _view(group: Sequence[Entry], confidence: Confidences, roots: Mapping[str, Path]) -> MethodView:
    name = group[0].about.method
    numbers = [
        (
            entry,
            tuple(score_text(entry, metric) for metric in METRICS),
            tuple(provenance(BoardEntry(entry), confidence)),
        )
        for entry in group
        if entry.scores.jf is not None
    ]
    runs = [
        RunView(e.run.result, gallery(e.run, roots))
        for e in group
        if e.run is not None and e.run.result.summary
    ]
    return MethodView(slug(name), name, tuple(group), tuple(numbers), tuple(runs))


def gallery(run: Run, roots: Mapping[str, Path]) -> Gallery:
    """Best and worst cases of a run.

    Args:
        run: its folder holds `videos/`, unless it is a reviewed result file.
        roots: dataset name -> folder, for datasets that need one.
    """
    folder = RunFolder(run.path.parent)
    if not folder.videos.is_dir() or run.path != folder.result_file:
        return Gallery(remark="The predictions of this run are not at hand.")
    try:
        cases = open_run(folder.path, roots.get(run.result.facts["dataset"]))
        ranked = sorted(cases.result.expressions, key=lambda s: (jf(s), name_of(s)))
        count = min(CASES, len(ranked) // 2)
        best = tuple(_strip(s, cases) for s in ranked[::-1][:count])
        worst = tuple(_strip(s, cases) for s in ranked[:count])
    except (RvosbenchError, OSError, KeyError, ValueError) as error:
        return Gallery(remark=f"No pictures: {error}")
    return Gallery(best, worst)


def _strip(scored: ScoredExpression, cases: RunCases) -> Strip:
    case = cases(scored)
    video, shown = case.sample.video, scored.score.frames or sorted(case.ground_truth)
    pictures = [
        _thumbnail(overlay(video.read(i), case.masks.frame(i), case.ground_truth.get(i)))
        for i in spread(shown, FRAMES)
    ]
    return scored, tuple(pictures)


def _thumbnail(picture: NDArray[np.uint8]) -> str:
    from PIL import Image

    image = Image.fromarray(picture)
    height = max(1, round(image.height * THUMBNAIL / image.width))
    return data_address(image.resize((THUMBNAIL, height), Image.Resampling.BILINEAR), 80)
