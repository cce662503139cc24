"""The paper's nine tables, as declarations. Rows are those of the paper, in its order.

A run joins a table if it was measured on the table's dataset with the table's training data and
configuration. Another split or protocol gives it columns of its own, another corruption rows.

Source: Kim et al., arXiv 2412.01136, tables 1 to 5 and A.1, A.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from rvosbench.tables.published import PAPER_TITLES


@dataclass(frozen=True)
class Label:
    """A column that says what a row is.

    Attributes:
        heading: of the column.
        field: "method", "parameters", "corruption", ... or a setting, see
            `leaderboard.numbers.ablation`.
        best: "low" if the lowest value is the best one and is marked.
        filter: name of the page's filter on this column; empty for none.
    """

    heading: str
    field: str
    best: Literal["", "low"] = ""
    filter: str = ""


@dataclass(frozen=True)
class Block:
    """Three columns of scores: where they were measured.

    Attributes:
        heading: over the columns; empty for none.
        title: of the dataset, where the heading must tell several blocks apart.
    """

    heading: str
    title: str
    dataset: str
    split: str
    protocol: str


@dataclass(frozen=True)
class Training:
    """Which training data a run may have to join a table.

    Attributes:
        needs: all of these.
        without: none of these.
        text: for people.
    """

    needs: frozenset[str]
    without: frozenset[str]
    text: str


MEVIS = Block("", "MeViS", "mevis", "valid", "mevis")
RYT = Block("Ref-YouTube-VOS", "Ref-YouTube-VOS", "ref-youtube-vos", "valid", "ref-youtube-vos")
DAVIS = Block("Ref-DAVIS", "Ref-DAVIS", "ref-davis17", "valid", "unknown")

_ON_MEVIS = Training(
    frozenset({"mevis"}),
    frozenset({"ref-youtube-vos", "ref-davis17"}),
    "MeViS, without Ref-YouTube-VOS and Ref-DAVIS17",
)
_JOINT = Training(frozenset({"mevis", "ref-youtube-vos"}), frozenset(), "MeViS and Ref-YouTube-VOS")


@dataclass(frozen=True)
class TableSpec:
    """A table of the paper.

    Attributes:
        name: its number.
        varies: the ablation settings that tell its rows apart; all others are the full method's.
        corrupted: its rows are grouped by corruption; otherwise frames are clean.
        second: the second best is marked too.
        any_method: methods besides SOLA may join.
    """

    name: str
    labels: tuple[Label, ...]
    note: str = ""
    blocks: tuple[Block, ...] = (MEVIS,)
    training: Training = _ON_MEVIS
    varies: tuple[str, ...] = ()
    corrupted: bool = False
    second: bool = False
    any_method: bool = True

    @property
    def title(self) -> str:
        """As the paper prints it."""
        return PAPER_TITLES[self.name]


def _ablation(name: str, *labels: Label) -> TableSpec:
    varies = tuple(label.field for label in labels)
    return TableSpec(name, labels, varies=varies, any_method=False)


_METHODS = Label("Methods", "method")
_ALL = (
    TableSpec(
        "1",
        (_METHODS, Label("# of trainable parameters", "parameters", best="low")),
        "The best results are in bold, and the second-best results are underlined.",
        (replace(MEVIS, heading="Metrics"),),
        second=True,
    ),
    TableSpec(
        "2",
        (_METHODS,),
        "The best results are in bold. The models are trained on the training set of MeViS and "
        "evaluated on Ref-YouTube-VOS and Ref-DAVIS.",
        (RYT, DAVIS),
    ),
    TableSpec(
        "3",
        (_METHODS,),
        "The best results are in bold. The models are jointly trained on the training sets of "
        "MeViS and Ref-YouTube-VOS and evaluated separately on each.",
        (replace(MEVIS, heading="MeViS"), RYT),
        _JOINT,
    ),
    _ablation("4", Label("Methods", "selection_module")),
    _ablation("5a", Label("Methods", "alignment_weight")),
    _ablation(
        "5b",
        Label("Inter-object attn.", "inter_object_attention"),
        Label("Motion attn.", "motion_attention"),
    ),
    TableSpec(
        "A.1",
        (_METHODS, Label("Algorithm", "corruption")),
        "The best results are in bold. The models are trained on the original training set and "
        "evaluated on the corrupted version of the validation set, with ImageNet-C corruptions of "
        "severity 5.",
        varies=("selection_module",),
        corrupted=True,
    ),
    _ablation(
        "A.2a", Label("Train", "background_training"), Label("Inference", "background_inference")
    ),
    _ablation("A.2b", Label("# of Alignment Layers", "n_layers")),
)

PAPER_TABLES: Mapping[str, TableSpec] = MappingProxyType({spec.name: spec for spec in _ALL})
"""The tables of the paper by number, in its order."""
