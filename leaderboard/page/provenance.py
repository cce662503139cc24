"""Where a number comes from, as lines that the page shows on hover and click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from rvosbench.records import Json

from ..assembling import unranked
from ..boards import Line
from ..entries import FIGURES, UNKNOWN, Citation, Entry, Run
from ..significance import Confidence
from ..tables import TITLES, score_text

Fact = dict[str, Json]
"""A line of a pop-up: label, text, and a link or None."""


def provenance(line: Line, confidence: Mapping[str, Confidence]) -> list[Fact]:
    """Everything a reader may want to know of the numbers of a line."""
    entry = line.entry
    facts = [_fact("Scores", scores_text(entry))]
    if entry.citation is not None:
        facts += _cited(entry, entry.citation)
    if entry.run is not None:
        facts += _ran(entry, entry.run, confidence.get(entry.run.signature))
    facts += [_fact("Also printed", _other(other)) for other in line.others]
    return [fact for fact in facts if fact["text"]]


def scores_text(entry: Entry) -> str:
    """`J&F 48.6, J 45.2, F 52.1`."""
    return ", ".join(f"{TITLES[name]} {score_text(entry, name)[0]}" for name in FIGURES)


def safe_url(url: str) -> str | None:
    """The address if it is a web page; files may hold anything, such as `javascript:`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _cited(entry: Entry, citation: Citation) -> list[Fact]:
    source = citation.source
    kind = " (seen only as quoted elsewhere)" if source.kind == "quoted" else ""
    known = citation.protocol_evidence or "the source does not say"
    return [
        _fact("Source", f"{source.title}{kind}", safe_url(source.url)),
        _fact("Place", citation.locator),
        _fact("Version", entry.about.version),
        _fact("Protocol", f"{entry.setting.protocol}: {known}"),
        _fact("Chosen because", citation.reason),
        *[_fact("Remark", flag.note) for flag in citation.flags],
    ]


def _ran(entry: Entry, run: Run, known: Confidence | None) -> list[Fact]:
    result = run.result
    protocol = entry.setting.protocol
    facts = [
        _fact("Source", "a run of rvosbench", safe_url(entry.about.url)),
        _fact("Signature", result.signature),
        _fact("Protocol", "not recorded" if protocol == UNKNOWN else protocol),
        _fact("Preset", entry.about.version),
    ]
    if unranked(entry):
        facts.append(_fact("Remark", "an upper bound that sees the truth: never ranked"))
    return facts + _sure(known)


def _sure(known: Confidence | None) -> list[Fact]:
    if known is None:
        return []
    spans: Sequence[str] = [
        f"{TITLES[name]} {span.low:.1f} to {span.high:.1f}"
        for name in FIGURES
        if (span := known.intervals.get(name)) is not None
    ]
    facts = [_fact("95 % interval", f"{', '.join(spans)} (bootstrap over videos)" if spans else "")]
    if known.p_value is not None:
        verdict = "not distinguishable" if known.tied else "different"
        text = f"{verdict}, p = {known.p_value:.4f} (paired permutation test over videos)"
        facts.append(_fact("Against the best run", text))
    return facts


def _other(entry: Entry) -> str:
    source = f"{entry.citation.source.title}, {entry.citation.locator}" if entry.citation else ""
    version = f" ({entry.about.version})" if entry.about.version else ""
    notes = "; ".join(f.note for f in entry.citation.flags) if entry.citation else ""
    return f"{scores_text(entry)}{version}: {source}{f' [{notes}]' if notes else ''}"


def _fact(label: str, text: str, link: str | None = None) -> Fact:
    return {"label": label, "text": text, "link": link}
