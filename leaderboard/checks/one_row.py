"""Rules that need one row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leaderboard.checks.finding import Finding, far
from leaderboard.numbers.entry import Entry
from rvosbench.metrics.official import PROTOCOLS
from rvosbench.tables.published import UNKNOWN
from rvosbench.tables.table import METRICS, as_printed

WIDEST_GAP = 15.0
"""In percent. J and F measure the same masks; in the literature they lie closer than this."""

PUBLISHED_PROTOCOLS = frozenset({*PROTOCOLS, "a2d-sentences", "jhmdb-sentences", UNKNOWN})
"""Names that a published row may give."""


def mean(entries: Sequence[Entry]) -> Iterator[Finding]:
    """J&F is the mean of J and F."""
    for e in entries:
        s = e.scores
        if s.jf is None or s.j is None or s.f is None:
            continue
        middle = (s.j + s.f) / 2
        if far(s.jf, middle):
            jf, j, f = map(as_printed, (s.jf, s.j, s.f))
            said = f"J&F is {jf}, but the mean of J {j} and F {f} is {middle:.2f}"
            yield Finding("mean", f"{e.where}: {said}", (e,))


def value_range(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Scores are percentages, counts are not negative."""
    for e in entries:
        values = {name: getattr(e.scores, name) for name in METRICS}
        given = {name: v for name, v in values.items() if v is not None}
        for name, v in given.items():
            if not 0 <= v <= 100:
                yield Finding(
                    "range",
                    f"{e.where}: {METRICS[name]} is {as_printed(v)}, not a percentage",
                    (e,),
                )
        if e.run is None and given and 0 < max(given.values()) <= 1:
            message = f"{e.where}: {_said(given)} look like fractions, wanted percent"
            yield Finding("range", message, (e,))
        count = e.about.trainable_parameters
        if count is not None and (count < 0 or 0 < count < 1000):
            message = f"{e.where}: {count} trainable parameters; it is a count, not millions"
            yield Finding("range", message, (e,))


def gap(entries: Sequence[Entry]) -> Iterator[Finding]:
    """J and F of one method lie close together."""
    for e in entries:
        j, f = e.scores.j, e.scores.f
        if e.run is None and j is not None and f is not None and abs(j - f) > WIDEST_GAP:
            values = f"J {as_printed(j)} and F {as_printed(f)}"
            message = f"{e.where}: {values} are {abs(j - f):.1f} apart, which is odd"
            yield Finding("gap", message, (e,))


def source(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A published number says where it stands; a run says who made it."""
    for e in entries:
        if e.citation is not None and not (e.citation.source.title and e.citation.locator):
            yield Finding("source", f"{e.where}: no title of the source, or no place in it", (e,))
        if e.run is not None and not e.run.result.card.title:
            yield Finding("source", f"{e.where}: the method card has no title", (e,))


def protocol(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A protocol is one of ours, and is claimed only with evidence."""
    for e in entries:
        if e.citation is None:
            continue
        name = e.setting.protocol
        if name not in PUBLISHED_PROTOCOLS:
            yield Finding("protocol", f"{e.where}: there is no protocol {name!r}", (e,))
        elif (name == UNKNOWN) == bool(e.citation.protocol_evidence):
            want = "no evidence" if name == UNKNOWN else "how the source says so"
            message = f"{e.where}: protocol {name!r}, wanted {want} in protocol_evidence"
            yield Finding("protocol", message, (e,))


def reason(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A preferred value says why it is preferred, and only a preferred one does."""
    for e in entries:
        if e.citation is not None and e.citation.preferred != bool(e.citation.reason):
            state = "preferred without a reason" if e.citation.preferred else "a reason without it"
            yield Finding("reason", f"{e.where}: {state}", (e,))


def _said(given: dict[str, float]) -> str:
    return ", ".join(f"{METRICS[name]} {as_printed(v)}" for name, v in given.items())
