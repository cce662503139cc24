"""Strips: an expression, and under it the same frames with the ground truth and each prediction."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np

from rvosbench.errors import UsageError
from rvosbench.report.cases import Case, RunCases, jf, name_of
from rvosbench.report.pictures import TRUE, Strip, StripRow, overlay, spread
from rvosbench.runs.result import Result, ScoredExpression
from rvosbench.tables.table import percent

_LETTERS = 18  # that fit into the width of a label


def strip(cases: Sequence[tuple[str, Case]], count: int = 6) -> Strip:
    """The strip of one expression with the predictions of several methods.

    Args:
        cases: method -> its case; all of the same expression.
        count: frames shown, evenly spread over those with ground truth.
    """
    _, first = cases[0]
    frames = spread(sorted(first.ground_truth), count)
    video = first.sample.video
    images = {index: np.asarray(video.read(index)) for index in frames}
    truth = (overlay(images[i], first.ground_truth[i], colour=TRUE) for i in frames)
    shown = [StripRow("ground truth", tuple(truth))]
    for name, case in cases:
        pictures = (overlay(images[i], case.masks.frame(i), case.ground_truth[i]) for i in frames)
        label = "\n".join(wrap(name, _LETTERS))
        shown.append(StripRow(f"{label}\nJ&F {percent(jf(case.scored))}", tuple(pictures)))
    expression = first.scored.expression
    tags = f" ({', '.join(expression.tags)})" if expression.tags else ""
    remark = f"{video.id}/{expression.id}{tags}, frames {', '.join(map(str, frames))}"
    return Strip(expression.text, remark, tuple(shown))


def strips_of(
    runs: Sequence[RunCases], names: Sequence[str], count: int, frames: int
) -> list[Strip]:
    """The strips of some expressions, with a row for each run.

    Args:
        runs: the one that is shown, then those that it is compared with.
        names: "<video>/<expression>" each; none: those with the greatest gain over the next run.
        count: how many without names.
        frames: shown of each.

    Raises:
        UsageError: a run has no such expression.
    """
    run, *others = runs
    wanted = [run.find(name) for name in names]
    wanted = wanted or telling(run, others[0] if others else None, count)
    return [
        strip([(title(one.result), one(one.find(name_of(scored)))) for one in runs], frames)
        for scored in wanted
    ]


def title(result: Result) -> str:
    """What pages and strips call a method."""
    return result.card.title or str(result.facts["method"])


def telling(run: RunCases, against: RunCases | None, count: int) -> list[ScoredExpression]:
    """The `count` expressions with the greatest gain over another run, or with the best score.

    At most one of a video, and one of a kind (tags) while there are others, so that they differ;
    of equals the first in dataset order.
    """

    def loss(scored: ScoredExpression) -> float:
        return (jf(against.find(name_of(scored))) if against else 0.0) - jf(scored)

    ranked = sorted(run.result.expressions, key=loss)
    chosen: dict[str, ScoredExpression] = {}
    kinds: set[tuple[str, ...]] = set()
    for scored in ranked:
        if scored.score.video not in chosen and scored.expression.tags not in kinds:
            chosen[scored.score.video] = scored
            kinds.add(scored.expression.tags)
    for scored in ranked:
        chosen.setdefault(scored.score.video, scored)
    return list(chosen.values())[:count]


def check_comparable(run: RunCases, against: RunCases) -> None:
    """Two runs of the same videos and expressions; raises UsageError if they are not."""
    for key in ("dataset", "split", "fingerprint", "videos"):
        mine, theirs = run.result.facts.get(key), against.result.facts.get(key)
        if mine != theirs:
            raise UsageError(
                f"the two runs differ in their {key}: {mine!r} and {theirs!r}; "
                "compare runs on the same videos"
            )
