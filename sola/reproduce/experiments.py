"""The paper's ablations: which networks are trained, what is evaluated, what the tables hold.

Seven networks are trained, each with every seed; tables share them. What the paper prints is read
from the published numbers (`rvosbench.tables.published`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rvosbench.errors import UnknownNameError
from rvosbench.records import Json
from rvosbench.tables.published import PAPER_TITLES, Scores, printed_scores

NETWORKS: Mapping[str, tuple[str, str]] = {
    "full": ("the full method", ""),
    "no-alignment": ("no alignment loss", "loss.alignment_weight=0"),
    "no-inter-object": ("no inter-object attention", "selector.inter_object_attention=false"),
    "no-motion": ("no motion attention", "selector.motion_attention=false"),
    "no-background": ("no background tracks", "background_training=false"),
    "one-layer": ("one layer", "selector.n_layers=1"),
    "three-layers": ("three layers", "selector.n_layers=3"),
}
"""Network -> its title, and its change as `rvosbench sola train --set` takes it."""


@dataclass(frozen=True)
class Experiment:
    """What is evaluated: a trained network, or a method that is not trained.

    Attributes:
        method: at the entry point.
        network: one of `NETWORKS`, evaluated once a seed; empty for a method that is not trained.
        background: whether tracks of the grid may be chosen.
        corruption: of the frames, such as "motion_blur:5"; empty: none.
        cached: it chooses among the cached tracks.
    """

    method: str
    network: str = ""
    background: bool = True
    corruption: str = ""
    cached: bool = True


GROUNDER, TRUTH_GROUNDER = "grounding-dino", "truth-grounder"
NOISE, BLUR = "gaussian_noise:5", "motion_blur:5"

EXPERIMENTS: Mapping[str, Experiment] = {
    "sola": Experiment("sola", "full"),
    "no-alignment": Experiment("sola", "no-alignment"),
    "no-inter-object": Experiment("sola", "no-inter-object"),
    "no-motion": Experiment("sola", "no-motion"),
    "no-background": Experiment("sola", "no-background", background=False),
    "no-background-at-inference": Experiment("sola", "full", background=False),
    "one-layer": Experiment("sola", "one-layer"),
    "three-layers": Experiment("sola", "three-layers"),
    "sola-blur": Experiment("sola", "full", corruption=BLUR),
    "sola-noise": Experiment("sola", "full", corruption=NOISE),
    "grounder": Experiment(GROUNDER, cached=False),
    "grounder-blur": Experiment(GROUNDER, corruption=BLUR, cached=False),
    "grounder-noise": Experiment(GROUNDER, corruption=NOISE, cached=False),
    "shipped": Experiment("sola"),
    "truth-grounder": Experiment(TRUTH_GROUNDER, cached=False),
    "oracle": Experiment("oracle"),
    "empty": Experiment("empty", cached=False),
}


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Attributes:
        experiment: one of `EXPERIMENTS`.
        labels: what the row is, a text for each of the table's label columns.
        configuration: settings that tell the paper's row from the others of its table; None where
            the paper has no such row.
    """

    experiment: str
    labels: tuple[str, ...]
    configuration: Mapping[str, Json] | None = None


@dataclass(frozen=True)
class Claim:
    """What the paper finds, or says: one experiment comes out better than another.

    Attributes:
        better: one of `EXPERIMENTS`.
        worse: likewise.
        printed: difference of their J&F in the paper, in percent; None where it prints none.
    """

    better: str
    worse: str
    printed: float | None = None


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        name: its number.
        headings: of the label columns.
        rows: in the paper's order, references last.
        orderings: to be tested, "better > worse".
        note: what a reader has to know.
    """

    name: str
    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]
    orderings: tuple[str, ...]
    note: str = ""

    @property
    def title(self) -> str:
        """The paper's."""
        return PAPER_TITLES[self.name]

    def printed(self, row: TableRow) -> Scores | None:
        """The paper's scores of a row, in percent; None where it has none."""
        if row.configuration is None:
            return None
        setting, corruption = row.configuration, EXPERIMENTS[row.experiment].corruption or None
        # Table A.1 does not repeat what is measured on clean frames: table 4 has it.
        table = "4" if self.name == "A.1" and not corruption else self.name
        return printed_scores("sola", table, configuration=setting, corruption=corruption)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The orderings, with what the paper prints."""
        jf = {row.experiment: s.jf for row in self.rows if (s := self.printed(row)) is not None}
        pairs = [ordering.split(" > ") for ordering in self.orderings]
        return tuple(Claim(b, w, _difference(jf.get(b), jf.get(w))) for b, w in pairs)


def _difference(better: float | None, worse: float | None) -> float | None:
    return None if better is None or worse is None else round(better - worse, 1)


def _row(experiment: str, *labels: str, **configuration: Json) -> TableRow:
    """A row of the paper, told from the others of its table by its settings."""
    return TableRow(experiment, labels, configuration)


def _switched(experiment: str, **configuration: bool) -> TableRow:
    """A row whose labels say which of the settings are on."""
    labels = tuple("yes" if on else "no" for on in configuration.values())
    return TableRow(experiment, labels, configuration)


_REFERENCES = {
    "shipped": "SOLA with the embedded selector",
    "truth-grounder": "truth-box grounder: ceiling of frame-level methods (upper bound)",
    "oracle": "oracle: ceiling of selecting among these tracks (upper bound)",
    "empty": "empty masks (lower bound)",
}
_ALONE = "GroundingDINO only"
_BACKGROUND = (
    _switched("no-background", background_training=False, background_inference=False),
    _switched("no-background-at-inference", background_training=True, background_inference=False),
    _switched("sola", background_training=True, background_inference=True),
)
_ATTENTION = (
    _switched("no-inter-object", inter_object_attention=False, motion_attention=True),
    _switched("no-motion", inter_object_attention=True, motion_attention=False),
    _switched("sola", inter_object_attention=True, motion_attention=True),
)
_CORRUPTED = (
    TableRow("grounder-blur", (_ALONE, "motion blur")),
    _row("sola-blur", "SOLA", "motion blur"),
    TableRow("grounder-noise", (_ALONE, "gaussian noise")),
    _row("sola-noise", "SOLA", "gaussian noise"),
    _row("grounder", _ALONE, "none", selection_module=False),
    _row("sola", "SOLA", "none", selection_module=True),
)
_LAYERS = (
    _row("one-layer", "1", n_layers=1),
    _row("sola", "2", n_layers=2),
    _row("three-layers", "3", n_layers=3),
)
_SELECTION = (
    _row("grounder", "w/o selection module", selection_module=False),
    _row("sola", "w/ selection module", selection_module=True),
)
_LOSS = (
    _row("no-alignment", "w/o L_align", alignment_weight=0.0),
    _row("sola", "w/ L_align", alignment_weight=0.3),
)

_TABLES = (
    PaperTable(
        "4",
        ("method",),
        (*_SELECTION, *(TableRow(name, (label,)) for name, label in _REFERENCES.items())),
        ("sola > grounder",),
        "Without its selection module SOLA is GroundingDINO's boxes, frame by frame.",
    ),
    PaperTable("5a", ("loss",), _LOSS, ("sola > no-alignment",)),
    PaperTable(
        "5b",
        ("inter-object attention", "motion attention"),
        _ATTENTION,
        ("sola > no-inter-object", "sola > no-motion"),
    ),
    PaperTable(
        "A.1",
        ("method", "corruption"),
        _CORRUPTED,
        (
            *("sola > sola-blur", "sola > sola-noise", "sola-noise > sola-blur"),
            *("sola-blur > grounder-blur", "sola-noise > grounder-noise", "sola > grounder"),
        ),
        "Selectors are trained on clean frames; tracks are made anew on corrupted ones. The paper "
        "compares with other published methods; here the frame-level baseline stands in their "
        "place.",
    ),
    PaperTable(
        "A.2a",
        ("in training", "at inference"),
        _BACKGROUND,
        (
            "sola > no-background-at-inference",
            "no-background-at-inference > no-background",
            "sola > no-background",
        ),
        "Without background tracks, training sees truth-prompted tracks only, and inference "
        "chooses among box tracks only.",
    ),
    PaperTable(
        "A.2b",
        ("layers",),
        _LAYERS,
        ("sola > one-layer", "sola > three-layers", "three-layers > one-layer"),
    ),
)
TABLES: Mapping[str, PaperTable] = {table.name: table for table in _TABLES}


def chosen_tables(names: Sequence[str]) -> tuple[PaperTable, ...]:
    """Tables by number, in the paper's order; no names: all.

    Raises:
        UnknownNameError: there is no such table among the experiments.
    """
    for name in names:
        if name not in TABLES:
            raise UnknownNameError("table", name, TABLES)
    return tuple(table for name, table in TABLES.items() if not names or name in names)


def needed_experiments(tables: Sequence[PaperTable]) -> tuple[str, ...]:
    """What has to be evaluated, each once, in the order of `EXPERIMENTS`."""
    wanted = {row.experiment for table in tables for row in table.rows}
    return tuple(name for name in EXPERIMENTS if name in wanted)


def needed_networks(experiments: Sequence[str]) -> tuple[str, ...]:
    """What has to be trained for them, each once, in the order of `NETWORKS`."""
    wanted = {EXPERIMENTS[name].network for name in experiments}
    return tuple(name for name in NETWORKS if name in wanted)
