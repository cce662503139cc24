"""Where a number comes from: the lines that the page shows on hover and click, and BibTeX."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from leaderboard.numbers.entry import Entry
from leaderboard.tables.board import BoardEntry
from leaderboard.tables.cells import score_text
from leaderboard.tables.confidence import Confidence, Confidences
from rvosbench.records import Json
from rvosbench.tables.latex import escape
from rvosbench.tables.published import UNKNOWN, Citation
from rvosbench.tables.table import METRICS

Fact = dict[str, Json]
"""A line of a pop-up: label, text, and a link or None."""


def provenance(shown: BoardEntry, confidence: Confidences) -> list[Fact]:
    """Everything a reader may want to know of the numbers shown."""
    entry = shown.entry
    facts = [_fact("Scores", scores_text(entry))]
    if entry.citation is not None:
        facts += _cited(entry, entry.citation)
    if entry.run is not None:
        facts += _ran(entry, confidence.get(entry.signature, Confidence()))
    facts += [_fact("Also printed", _other(other)) for other in shown.others]
    return [fact for fact in facts if fact["text"]]


def scores_text(entry: Entry) -> str:
    """`J&F 48.6, J 45.2, F 52.1`."""
    return ", ".join(f"{METRICS[name]} {score_text(entry, name)}" for name in METRICS)


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


def _ran(entry: Entry, known: Confidence) -> list[Fact]:
    protocol = entry.setting.protocol
    spans = [
        f"{title} {known.intervals[name].low:.1f} to {known.intervals[name].high:.1f}"
        for name, title in METRICS.items()
        if name in known.intervals
    ]
    bound = "an upper bound that sees the ground truth: never ranked" * entry.upper_bound
    facts = [
        _fact("Source", "a run of rvosbench", safe_url(entry.about.url)),
        _fact("Signature", entry.signature),
        _fact("Protocol", "not recorded" if protocol == UNKNOWN else protocol),
        _fact("Preset", entry.about.version),
        _fact("Remark", bound),
        _fact("95 % interval", f"{', '.join(spans)} (bootstrap over videos)" if spans else ""),
    ]
    if known.p_value is not None:
        verdict = "not distinguishable" if known.tied else "different"
        text = f"{verdict}, p = {known.p_value:.4f} (paired permutation test over videos)"
        facts.append(_fact("Against the best run", text))
    return facts


def _other(entry: Entry) -> str:
    source = f"{entry.citation.source.title}, {entry.citation.locator}" if entry.citation else ""
    version = f" ({entry.about.version})" if entry.about.version else ""
    notes = entry.remarks()
    return f"{scores_text(entry)}{version}: {source}{f' [{notes}]' if notes else ''}"


def _fact(label: str, text: str, link: str | None = None) -> Fact:
    return {"label": label, "text": text, "link": link}


def bibtex(entry: Entry) -> str:
    """The entry of a run's method, or of the source that printed the number.

    Where we were given no BibTeX, a `@misc` with what is known of the source.
    """
    if entry.citation is None:
        return entry.about.bibtex or _misc(entry.about.method, entry.about.method, entry.about.url)
    source = entry.citation.source
    return source.bibtex or _misc(source.id, source.title, source.url)


def _misc(key: str, title: str, url: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", key.casefold()).strip("-") or "method"
    lines = [f"@misc{{{name},", f"  title = {{{escape(title)}}},"]
    if url and not re.search(r"[{}\\\s]", url):
        lines.append(f"  howpublished = {{\\url{{{url}}}}},")
    return "\n".join([*lines, "}"])
