"""Rules that need one row at a time: each yields what is wrong with it, a sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from leaderboard.numbers.entry import Entry
from rvosbench.metrics.official import PROTOCOLS
from rvosbench.tables.published import UNKNOWN
from rvosbench.tables.table import METRICS, as_printed

TOLERANCE = 0.1
"""Two printed numbers this close, in percent, may be the same number rounded twice."""

WIDEST_GAP = 15.0
"""In percent. J and F measure the same masks; in the literature they lie closer than this."""

PUBLISHED_PROTOCOLS = frozenset({*PROTOCOLS, "a2d-sentences", "jhmdb-sentences", UNKNOWN})
"""Names that a published row may give."""


def far(a: float, b: float) -> bool:
    """Whether two percentages differ by more than the tolerance; binary rounding left aside."""
    return abs(a - b) > TOLERANCE + 1e-9


def mean(e: Entry) -> Iterator[str]:
    """J&F is the mean of J and F."""
    s = e.scores
    if s.jf is None or s.j is None or s.f is None:
        return
    middle = (s.j + s.f) / 2
    if far(s.jf, middle):
        jf, j, f = map(as_printed, (s.jf, s.j, s.f))
        yield f"J&F is {jf}, but the mean of J {j} and F {f} is {middle:.2f}"


def range_(e: Entry) -> Iterator[str]:
    """Scores are percentages, counts are not negative."""
    values = {title: getattr(e.scores, name) for name, title in METRICS.items()}
    given = {title: value for title, value in values.items() if value is not None}
    for title, value in given.items():
        if not 0 <= value <= 100:
            yield f"{title} is {as_printed(value)}, not a percentage"
    if e.run is None and given and 0 < max(given.values()) <= 1:
        said = ", ".join(f"{title} {as_printed(value)}" for title, value in given.items())
        yield f"{said} look like fractions, wanted percent"
    count = e.about.trainable_parameters
    if count is not None and (count < 0 or 0 < count < 1000):
        yield f"{count} trainable parameters; it is a count, not millions"


def gap(e: Entry) -> Iterator[str]:
    """J and F of one method lie close together."""
    j, f = e.scores.j, e.scores.f
    if e.run is None and j is not None and f is not None and abs(j - f) > WIDEST_GAP:
        values = f"J {as_printed(j)} and F {as_printed(f)}"
        yield f"{values} are {abs(j - f):.1f} apart, which is odd"


def source(e: Entry) -> Iterator[str]:
    """A published number says where it stands; a run says who made it."""
    if e.citation is not None and not (e.citation.source.title and e.citation.locator):
        yield "no title of the source, or no place in it"
    if e.run is not None and not e.run.result.card.title:
        yield "the method card has no title"


def protocol(e: Entry) -> Iterator[str]:
    """A protocol is one of ours, and is claimed only with evidence."""
    if e.citation is None:
        return
    name = e.setting.protocol
    if name not in PUBLISHED_PROTOCOLS:
        yield f"there is no protocol {name!r}"
    elif (name == UNKNOWN) == bool(e.citation.protocol_evidence):
        want = "no evidence" if name == UNKNOWN else "how the source says so"
        yield f"protocol {name!r}, wanted {want} in protocol_evidence"


def reason(e: Entry) -> Iterator[str]:
    """A preferred value says why it is preferred, and only a preferred one does."""
    if e.citation is not None and e.citation.preferred != bool(e.citation.reason):
        yield "preferred without a reason" if e.citation.preferred else "a reason without it"


RowRule: TypeAlias = Callable[[Entry], Iterator[str]]

ONE_ROW: Mapping[str, RowRule] = MappingProxyType(
    {r.__name__.rstrip("_"): r for r in (mean, range_, gap, source, protocol, reason)}
)
"""Rule name -> rule."""
