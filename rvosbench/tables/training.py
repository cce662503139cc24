"""Training data, as results keep it and as method cards and tables name it.

A method that can be trained puts the identity of its training into the provenance of a result,
under `training`: what `training.json` of a selector says. That is one training, or
`{"average": [{"identity": ...}, ...]}` of several whose weights were averaged, nested at will.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from rvosbench.records import Json

DATASET_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "mevis": "MeViS",
        "mevis-v2": "MeViSv2",
        "ref-youtube-vos": "Ref-YouTube-VOS",
        "ref-davis17": "Ref-DAVIS17",
        "demo": "MotionShapes",
    }
)
"""Dataset -> its name in papers; a dataset that is not here keeps its own."""

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **{title.casefold(): name for name, title in DATASET_TITLES.items()},
        "ref-ytvos": "ref-youtube-vos",
        "refytvos": "ref-youtube-vos",
        "ryt": "ref-youtube-vos",
        "ref-davis": "ref-davis17",
        "none": "",
    }
)


def trainings(identity: Json) -> Iterator[Mapping[str, Json]]:
    """Every single training behind an identity: itself, or the members of an average."""
    if not isinstance(identity, Mapping):
        return
    members = identity.get("average")
    if not isinstance(members, list | tuple):
        yield identity
        return
    for member in members:
        yield from trainings(member.get("identity") if isinstance(member, Mapping) else None)


def learned_from(identity: Json) -> tuple[str, ...]:
    """Names of the datasets that the weights of a training, or of an average, were learned from.

    Args:
        identity: of one training or an average. `data` of a training is `{"train": [{"dataset":
            NAME, ...}, ...]}`; `{"dataset": NAME}`, of older files, is read too.

    Returns:
        Sorted, each once; none if nothing is said.
    """
    return tuple(sorted({name for one in trainings(identity) for name in _datasets(one)}))


def training_text(datasets: Iterable[str]) -> str:
    """Names of datasets as a card says them.

    >>> training_text(["mevis", "ref-youtube-vos"])
    'MeViS + Ref-YouTube-VOS'
    """
    return " + ".join(DATASET_TITLES.get(name, name) for name in datasets)


def training_sets(text: str) -> frozenset[str]:
    """Dataset names in a card's training data; remarks stay as they are, in small letters.

    >>> sorted(training_sets("MeViS + Ref-YouTube-VOS"))
    ['mevis', 'ref-youtube-vos']
    >>> training_sets("none")
    frozenset()
    """
    parts = re.split(r"\s*(?:[,;+&]|\band\b|\bthen\b)\s*", text.casefold())
    return frozenset(name for part in parts if (name := _NAMES.get(part.strip(), part.strip())))


def _datasets(training: Mapping[str, Json]) -> list[str]:
    data = training.get("data")
    if not isinstance(data, Mapping):
        return []
    parts = data.get("train") if isinstance(data.get("train"), list | tuple) else [data]
    names = [part.get("dataset") for part in parts or () if isinstance(part, Mapping)]
    return [name for name in names if isinstance(name, str)]
