"""What stands in the label columns: the text of an entry's method, size or choice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from rvosbench.records import Json

from .ablation import ablation
from .entries import Entry

YES, NO, NOTHING = "✓", "✗", "-"

_WORDS: Mapping[tuple[str, Json], str] = MappingProxyType(
    {
        ("selection_module", False): "w/o selection module",
        ("selection_module", True): "w/ selection module",
        ("alignment_weight", 0.0): "w/o L_align",
        ("alignment_weight", 0.3): "w/ L_align",
    }
)


def label(entry: Entry, field: str) -> str:
    """The text of a label column for an entry; a dash where nothing is known."""
    about = entry.about
    if field == "method":
        return entry.name
    if field == "parameters":
        return millions(about.trainable_parameters)
    if field == "corruption":
        return corruption_title(entry.setting.corruption)
    if field in ("venue", "backbone", "training_data"):
        return str(getattr(about, field)) or NOTHING
    if field == "protocol":
        return entry.setting.protocol
    return _choice(field, (ablation(entry) or {}).get(field))


def millions(count: int | None) -> str:
    """A count of parameters as papers print it: `32.9 M`; a dash if unknown."""
    if count is None:
        return NOTHING
    return "0" if count == 0 else f"{count / 1e6:.1f} M"


def corruption_title(corruption: str | None) -> str:
    """`motion_blur:5@per_frame` -> `Motion blur`; another severity than 5 is said."""
    if corruption is None:
        return "Clean"
    name, severity = corruption_parts(corruption)
    title = name.replace("_", " ").capitalize()
    return title if severity == 5 else f"{title}, severity {severity}"


def corruption_parts(corruption: str) -> tuple[str, int | None]:
    """Name and severity of a corruption; whatever follows them is left out."""
    found = re.match(r"([A-Za-z0-9_]+):(\d+)", corruption)
    return (found[1], int(found[2])) if found else (corruption, None)


def _choice(field: str, value: Json) -> str:
    if value is None:
        return NOTHING
    if (field, value) in _WORDS:
        return _WORDS[field, value]
    if isinstance(value, bool):
        return YES if value else NO
    if field == "alignment_weight":
        return f"L_align weight {value}" if isinstance(value, str) else f"L_align weight {value:g}"
    return str(value)
