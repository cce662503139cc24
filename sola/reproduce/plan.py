"""Which rows the tables have, and which trainings and evaluations those need.

Seven networks are trained, each with every seed; tables share them. A trial is one thing that is
evaluated: a trained network, or a method that is not trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from rvosbench.errors import UnknownNameError
from rvosbench.tables.paper import PAPER_TITLES
from sola.reproduce import paper
from sola.reproduce.paper import Printed

Bound = Literal["", "upper", "lower", "shipped"]


@dataclass(frozen=True)
class Training:
    """A network, and how it is trained.

    Attributes:
        title: for people.
        changes: as `rvosbench sola train --set` takes them.
    """

    title: str
    changes: tuple[str, ...] = ()


TRAININGS: Mapping[str, Training] = MappingProxyType(
    {
        "full": Training("the full method"),
        "no-alignment": Training("no alignment loss", ("loss.alignment_weight=0",)),
        "no-inter-object": Training(
            "no inter-object attention", ("selector.inter_object_attention=false",)
        ),
        "no-motion": Training("no motion attention", ("selector.motion_attention=false",)),
        "no-background": Training("no background tracks", ("background_training=false",)),
        "one-layer": Training("one layer", ("selector.n_layers=1",)),
        "three-layers": Training("three layers", ("selector.n_layers=3",)),
    }
)


@dataclass(frozen=True)
class Trial:
    """What is evaluated.

    Attributes:
        method: at the entry point.
        training: one of `TRAININGS`, evaluated once a seed; empty for a method that is not trained.
        background: whether tracks of the grid may be chosen.
        corruption: of the frames, such as "motion_blur:5"; empty: none.
        cached: it chooses among the cached tracks.
    """

    method: str
    training: str = ""
    background: bool = True
    corruption: str = ""
    cached: bool = True


GROUNDER, TRUTH_GROUNDER = "grounding-dino", "truth-grounder"
NOISE, BLUR = "gaussian_noise:5", "motion_blur:5"

TRIALS: Mapping[str, Trial] = MappingProxyType(
    {
        "sola": Trial("sola", "full"),
        "no-alignment": Trial("sola", "no-alignment"),
        "no-inter-object": Trial("sola", "no-inter-object"),
        "no-motion": Trial("sola", "no-motion"),
        "no-background": Trial("sola", "no-background", background=False),
        "no-background-at-inference": Trial("sola", "full", background=False),
        "one-layer": Trial("sola", "one-layer"),
        "three-layers": Trial("sola", "three-layers"),
        "sola-blur": Trial("sola", "full", corruption=BLUR),
        "sola-noise": Trial("sola", "full", corruption=NOISE),
        "grounder": Trial(GROUNDER, cached=False),
        "grounder-blur": Trial(GROUNDER, corruption=BLUR, cached=False),
        "grounder-noise": Trial(GROUNDER, corruption=NOISE, cached=False),
        "shipped": Trial("sola"),
        "truth-grounder": Trial(TRUTH_GROUNDER, cached=False),
        "oracle": Trial("oracle"),
        "empty": Trial("empty", cached=False),
    }
)


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        trial: one of `TRIALS`.
        labels: what the row is, a text for each of the table's label columns.
        printed: the paper's figures; None where it has none.
        bound: "upper" and "lower" rows are references, not methods; "shipped" is the selector that
            comes with the package.
    """

    trial: str
    labels: tuple[str, ...]
    printed: Printed | None = None
    bound: Bound = ""


@dataclass(frozen=True)
class Claim:
    """What the paper finds, or says: one trial is better than another.

    Attributes:
        better: one of `TRIALS`.
        worse: likewise.
        printed: difference of their J&F in the paper, in percent; None where it prints none.
    """

    better: str
    worse: str
    printed: float | None = None


@dataclass(frozen=True)
class TablePlan:
    """A table of the paper.

    Attributes:
        name: its number.
        title: of the paper.
        headings: of the label columns.
        rows: in the paper's order, references last.
        claims: orderings to be tested.
        note: what a reader has to know.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...]
    note: str = ""

    @property
    def trials(self) -> tuple[str, ...]:
        """Of its rows."""
        return tuple(row.trial for row in self.rows)


def _claim(better: Row, worse: Row) -> Claim:
    there = better.printed and worse.printed
    gap = round(better.printed.jf - worse.printed.jf, 1) if better.printed and worse.printed else 0
    return Claim(better.trial, worse.trial, gap if there else None)


_YES, _NO = "yes", "no"
_FULL = "sola"
_WITHOUT = Row("grounder", ("w/o selection module",), paper.GROUNDER_ONLY)
_WITH = Row(_FULL, ("w/ selection module",), paper.SOLA)
_NO_ALIGN = Row("no-alignment", ("w/o L_align",), paper.NO_ALIGNMENT)
_ALIGN = Row(_FULL, ("w/ L_align",), paper.SOLA)
_NO_INTER = Row("no-inter-object", (_NO, _YES), paper.NO_INTER_OBJECT)
_NO_MOTION = Row("no-motion", (_YES, _NO), paper.NO_MOTION)
_BOTH = Row(_FULL, (_YES, _YES), paper.SOLA)
_BLUR = Row("sola-blur", ("SOLA", "motion blur"), paper.MOTION_BLUR)
_NOISE = Row("sola-noise", ("SOLA", "gaussian noise"), paper.GAUSSIAN_NOISE)
_CLEAN = Row(_FULL, ("SOLA", "none"), paper.SOLA)
_GROUNDER_CLEAN = Row("grounder", ("GroundingDINO only", "none"), paper.GROUNDER_ONLY)
_GROUNDER_BLUR = Row("grounder-blur", ("GroundingDINO only", "motion blur"))
_GROUNDER_NOISE = Row("grounder-noise", ("GroundingDINO only", "gaussian noise"))
_NEITHER = Row("no-background", (_NO, _NO), paper.NO_BACKGROUND)
_TRAINING = Row("no-background-at-inference", (_YES, _NO), paper.NO_BACKGROUND_AT_INFERENCE)
_ONE = Row("one-layer", ("1",), paper.ONE_LAYER)
_TWO = Row(_FULL, ("2",), paper.SOLA)
_THREE = Row("three-layers", ("3",), paper.THREE_LAYERS)

_REFERENCES = (
    Row("shipped", ("SOLA with the embedded selector",), bound="shipped"),
    Row("truth-grounder", ("truth-box grounder: ceiling of frame-level methods",), bound="upper"),
    Row("oracle", ("oracle: ceiling of selecting among these tracks",), bound="upper"),
    Row("empty", ("empty masks",), bound="lower"),
)

TABLES: Mapping[str, TablePlan] = MappingProxyType(
    {
        plan.name: plan
        for plan in (
            TablePlan(
                "4",
                PAPER_TITLES["4"],
                ("method",),
                (_WITHOUT, _WITH, *_REFERENCES),
                (_claim(_WITH, _WITHOUT),),
                "Without its selection module SOLA is GroundingDINO's boxes, frame by frame.",
            ),
            TablePlan(
                "5a",
                PAPER_TITLES["5a"],
                ("loss",),
                (_NO_ALIGN, _ALIGN),
                (_claim(_ALIGN, _NO_ALIGN),),
            ),
            TablePlan(
                "5b",
                PAPER_TITLES["5b"],
                ("inter-object attention", "motion attention"),
                (_NO_INTER, _NO_MOTION, _BOTH),
                (_claim(_BOTH, _NO_INTER), _claim(_BOTH, _NO_MOTION)),
            ),
            TablePlan(
                "A.1",
                PAPER_TITLES["A.1"],
                ("method", "corruption"),
                (_GROUNDER_BLUR, _BLUR, _GROUNDER_NOISE, _NOISE, _GROUNDER_CLEAN, _CLEAN),
                (
                    _claim(_CLEAN, _BLUR),
                    _claim(_CLEAN, _NOISE),
                    _claim(_NOISE, _BLUR),
                    _claim(_BLUR, _GROUNDER_BLUR),
                    _claim(_NOISE, _GROUNDER_NOISE),
                    _claim(_CLEAN, _GROUNDER_CLEAN),
                ),
                "Selectors are trained on clean frames; tracks are made anew on corrupted ones. "
                "The paper compares with other published methods; here the frame-level baseline "
                "stands in their place.",
            ),
            TablePlan(
                "A.2a",
                PAPER_TITLES["A.2a"],
                ("in training", "at inference"),
                (_NEITHER, _TRAINING, Row(_FULL, (_YES, _YES), paper.SOLA)),
                (_claim(_BOTH, _TRAINING), _claim(_TRAINING, _NEITHER), _claim(_BOTH, _NEITHER)),
                "Without background tracks, training sees truth-prompted tracks only, and "
                "inference chooses among box tracks only.",
            ),
            TablePlan(
                "A.2b",
                PAPER_TITLES["A.2b"],
                ("layers",),
                (_ONE, _TWO, _THREE),
                (_claim(_TWO, _ONE), _claim(_TWO, _THREE), _claim(_THREE, _ONE)),
            ),
        )
    }
)


def chosen_tables(names: Sequence[str]) -> tuple[TablePlan, ...]:
    """Tables by number, in the paper's order; no names: all.

    Raises:
        UnknownNameError: there is no such table among the experiments.
    """
    for name in names:
        if name not in TABLES:
            raise UnknownNameError("table", name, TABLES)
    return tuple(plan for name, plan in TABLES.items() if not names or name in names)


def needed_trials(tables: Sequence[TablePlan]) -> tuple[str, ...]:
    """What has to be evaluated, each once, in the order of `TRIALS`."""
    wanted = {trial for table in tables for trial in table.trials}
    return tuple(name for name in TRIALS if name in wanted)


def needed_trainings(trials: Sequence[str]) -> tuple[str, ...]:
    """What has to be trained for them, each once, in the order of `TRAININGS`."""
    wanted = {TRIALS[name].training for name in trials}
    return tuple(name for name in TRAININGS if name in wanted)
