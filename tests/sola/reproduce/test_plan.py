"""The plan against the published tables, and what tables share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from rvosbench.errors import UnknownNameError
from rvosbench.records import Json
from sola.config import training_preset
from sola.reproduce.plan import (
    TABLES,
    TRAININGS,
    TRIALS,
    chosen_tables,
    needed_trainings,
    needed_trials,
)

PUBLISHED = Path(__file__).parents[3] / "leaderboard" / "published" / "sola.json"
DESIGNS: Mapping[str, Mapping[str, Json]] = {
    "grounder": {"selection_module": False},
    "no-alignment": {"alignment_weight": 0.0},
    "no-inter-object": {"inter_object_attention": False, "motion_attention": True},
    "no-motion": {"inter_object_attention": True, "motion_attention": False},
    "no-background": {"background_training": False, "background_inference": False},
    "no-background-at-inference": {
        "background_training": True,
        "background_inference": False,
    },
    "one-layer": {"n_layers": 1},
    "three-layers": {"n_layers": 3},
    "sola": {"n_layers": 2},
}
CORRUPTED = {"sola-blur": "motion_blur:5", "sola-noise": "gaussian_noise:5"}


def published(**wanted: Json) -> tuple[float, float, float]:
    """The one row of SOLA on MeViS that has these facts."""
    rows = json.loads(PUBLISHED.read_text("utf-8"))["rows"]
    found = {
        (row["jf"], row["j"], row["f"])
        for row in rows
        if row["method"] == "SOLA" and row["dataset"] == "mevis"
        if all(row.get(k) == v for k, v in wanted.items())
    }
    assert len(found) == 1, found
    return found.pop()


@pytest.mark.parametrize("trial", [*DESIGNS, *CORRUPTED])
def test_the_papers_figures_are_those_of_the_published_rows(trial: str) -> None:
    rows = [r for t in TABLES.values() for r in t.rows if r.trial == trial and r.printed]
    facts = (
        {"configuration": dict(DESIGNS[trial])}
        if trial in DESIGNS
        else {"corruption": CORRUPTED[trial]}
    )
    assert rows
    for row in rows:
        assert row.printed
        assert (row.printed.jf, row.printed.j, row.printed.f) == published(**facts)


def test_every_claim_is_what_the_paper_prints() -> None:
    claims = [(c, t) for t in TABLES.values() for c in t.claims]
    for claim, table in claims:
        printed = {row.trial: row.printed for row in table.rows}
        better, worse = printed[claim.better], printed[claim.worse]
        if better and worse:
            assert better.jf > worse.jf
            assert claim.printed == pytest.approx(better.jf - worse.jf)
        else:
            assert claim.printed is None
    assert len({(c.better, c.worse, t.name) for c, t in claims}) == len(claims)


def test_seven_networks_are_shared_by_all_tables() -> None:
    trials = needed_trials(chosen_tables([]))
    assert set(trials) == set(TRIALS)
    assert needed_trainings(trials) == tuple(TRAININGS)
    assert needed_trainings(needed_trials(chosen_tables(["4", "A.1"]))) == ("full",)
    both = chosen_tables(["A.2b", "5b"])
    assert [t.name for t in both] == ["5b", "A.2b"]  # in the paper's order


def test_an_ablation_changes_what_it_says_and_nothing_else() -> None:
    base = training_preset("demo", "demo")
    plain = {**asdict(base.selector), **asdict(base.training)}
    differing = {}
    for name, training in TRAININGS.items():
        changed = base.changed(training.changes)
        fields = {**asdict(changed.selector), **asdict(changed.training)}
        differing[name] = {k: v for k, v in fields.items() if v != plain[k]}
    loss = {**plain["loss"], "alignment_weight": 0}
    assert differing == {
        "full": {},
        "no-alignment": {"loss": loss},
        "no-inter-object": {"inter_object_attention": False},
        "no-motion": {"motion_attention": False},
        "no-background": {"background_training": False},
        "one-layer": {"n_layers": 1},
        "three-layers": {"n_layers": 3},
    }


def test_a_table_that_is_none_of_them_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown table '5'.*5a"):
        chosen_tables(["5"])
