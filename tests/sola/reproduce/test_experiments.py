"""The experiments against the paper, and what tables share."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from rvosbench.errors import UnknownNameError
from sola.config import training_preset
from sola.reproduce.experiments import (
    EXPERIMENTS,
    NETWORKS,
    TABLES,
    chosen_tables,
    needed_experiments,
    needed_networks,
)

SOLA = (48.6, 45.2, 52.1)
PRINTED = {
    "grounder": (36.9, 30.0, 43.8),
    "no-alignment": (44.5, 41.4, 47.6),
    "no-inter-object": (44.3, 41.6, 47.0),
    "no-motion": (44.9, 42.2, 47.0),
    "sola-blur": (39.8, 36.6, 43.0),
    "sola-noise": (44.4, 40.5, 48.3),
    "no-background": (45.7, 42.4, 48.9),
    "no-background-at-inference": (47.5, 43.9, 51.1),
    "one-layer": (42.5, 40.0, 45.1),
    "three-layers": (48.2, 44.8, 51.5),
    "sola": SOLA,
}
"""J&F, J and F as printed in arXiv 2412.01136, tables 4, 5a, 5b, A.1, A.2a and A.2b."""


@pytest.mark.parametrize("name", TABLES)
def test_rows_have_what_the_paper_prints(name: str) -> None:
    table = TABLES[name]
    for row in table.rows:
        printed = table.printed(row)
        if row.configuration is None:
            assert printed is None
        else:
            assert printed is not None
            assert (printed.jf, printed.j, printed.f) == PRINTED[row.experiment]
    assert "sola" in {row.experiment for row in table.rows}


def test_every_claim_is_what_the_paper_prints() -> None:
    claims = [(c, t) for t in TABLES.values() for c in t.claims]
    for claim, _ in claims:
        if claim.better in PRINTED and claim.worse in PRINTED:
            gap = PRINTED[claim.better][0] - PRINTED[claim.worse][0]
            assert gap > 0
            assert claim.printed == pytest.approx(gap)
        else:
            assert claim.printed is None
    assert len({(c.better, c.worse, t.name) for c, t in claims}) == len(claims) == 16


def test_seven_networks_are_shared_by_all_tables() -> None:
    names = needed_experiments(chosen_tables([]))
    assert set(names) == set(EXPERIMENTS)
    assert needed_networks(names) == tuple(NETWORKS)
    assert needed_networks(needed_experiments(chosen_tables(["4", "A.1"]))) == ("full",)
    both = chosen_tables(["A.2b", "5b"])
    assert [t.name for t in both] == ["5b", "A.2b"]  # in the paper's order


def test_an_ablation_changes_what_it_says_and_nothing_else() -> None:
    base = training_preset("demo", "demo")
    plain = {**asdict(base.selector), **asdict(base.training)}
    differing = {}
    for name, (_, change) in NETWORKS.items():
        changed = base.changed([change] if change else [])
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
