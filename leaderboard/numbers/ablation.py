"""Which ablation a number belongs to: the settings that the paper's tables 4, 5 and A.2 vary.

They are named as SOLA names them, and are read where a run of SOLA keeps them: what decides
inference in its configuration, the network in `selector_config` of its provenance, and what decided
the weights in `training`, which is one training or an average of several. A setting that is not
said has its default. Only SOLA, and the baseline without its selector, have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from leaderboard.numbers.entry import Entry
from rvosbench.records import Json
from rvosbench.tables.training import trainings

ABLATION_DEFAULTS: Mapping[str, Json] = MappingProxyType(
    {
        "selection_module": True,
        "alignment_weight": 0.3,
        "inter_object_attention": True,
        "motion_attention": True,
        "background_training": True,
        "background_inference": True,
        "n_layers": 2,
    }
)
"""The settings of the full method (paper, section 4.2)."""

_OF_INFERENCE = ("background_inference",)
_OF_NETWORK = ("inter_object_attention", "motion_attention", "n_layers")
_OF_TRAINING = ("background_training",)
_OF_LOSS = ("alignment_weight",)

_METHODS: Mapping[str, Mapping[str, Json]] = MappingProxyType(
    {"sola": {}, "grounding-dino": {"selection_module": False}}
)


def ablation_of_facts(facts: Mapping[str, Json]) -> dict[str, Json]:
    """Settings of a run that differ from the defaults; a stranger's method has none.

    Members of an average that disagree give all their values as one text, `0.1 and 0.3`, which is
    no value of the paper.
    """
    method = str(facts.get("method"))
    if method not in _METHODS:
        return {}
    provenance = _mapping(facts.get("provenance"))
    said = {
        **_weights(provenance.get("training")),
        **_chosen(provenance.get("selector_config"), _OF_NETWORK),
        **_chosen(facts.get("config"), _OF_INFERENCE),
        **_METHODS[method],
    }
    return {key: value for key, value in said.items() if value != ABLATION_DEFAULTS[key]}


def ablation(entry: Entry) -> Mapping[str, Json] | None:
    """All ablation settings of an entry; None for a method that has none of them."""
    if entry.run is not None:
        ours = entry.run.result.facts.get("method") in _METHODS
    else:
        ours = entry.about.method == "SOLA"
    return {**ABLATION_DEFAULTS, **entry.configuration} if ours else None


def _weights(identity: Json) -> dict[str, Json]:
    usual = {key: ABLATION_DEFAULTS[key] for key in (*_OF_TRAINING, *_OF_LOSS)}
    members = []
    for one in trainings(identity):
        settings = one.get("training")
        loss = _chosen(_mapping(settings).get("loss"), _OF_LOSS)
        members.append({**usual, **_chosen(settings, _OF_TRAINING), **loss})
    return {key: _common([one[key] for one in members]) for key in usual if members}


def _common(values: list[Json]) -> Json:
    distinct = sorted(set(values), key=str)
    return distinct[0] if len(distinct) == 1 else " and ".join(map(str, distinct))


def _chosen(settings: Json, names: tuple[str, ...]) -> dict[str, Json]:
    return {name: value for name, value in _mapping(settings).items() if name in names}


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
