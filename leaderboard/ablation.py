"""Which ablation a number belongs to: the choices that the paper's tables 4, 5 and A.2 vary.

A run says them in its facts, wherever in its configuration or provenance they stand; a choice that
is not said has its usual value. Only SOLA, and the baseline without its selector, have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rvosbench.records import Json

from .entries import Entry

USUAL: Mapping[str, Json] = MappingProxyType(
    {
        "selection_module": True,
        "alignment_weight": 0.3,
        "inter_object_attention": True,
        "motion_attention": True,
        "background_in_training": True,
        "background_at_inference": True,
        "n_layers": 2,
    }
)
"""The choices of the full method (paper, section 4.2)."""

_METHODS: Mapping[str, Mapping[str, Json]] = MappingProxyType(
    {"sola": {}, "grounding-dino": {"selection_module": False}}
)


def design_of_facts(facts: Mapping[str, Json]) -> dict[str, Json]:
    """Choices of a run that differ from the usual ones; a stranger's method has none."""
    if facts.get("method") not in _METHODS:
        return {}
    said = {
        key: value
        for part in ("config", "provenance")
        for path, value in _leaves(facts.get(part))
        if (key := path.rpartition(".")[2]) in USUAL
    }
    return {k: v for k, v in {**said, **_METHODS[facts["method"]]}.items() if v != USUAL[k]}


def design(entry: Entry) -> Mapping[str, Json] | None:
    """All choices of an entry; None for a method that has none of them."""
    if entry.run is not None:
        ours = entry.run.result.facts.get("method") in _METHODS
    else:
        ours = entry.about.method == "SOLA"
    return {**USUAL, **entry.configuration} if ours else None


def _leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    else:
        yield path, value
