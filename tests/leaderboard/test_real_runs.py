"""What a real run of SOLA says of itself decides its row: its settings, its training, its card."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from leaderboard.numbers.ablation import ablation_of_facts
from leaderboard.numbers.entry import published_entries
from leaderboard.numbers.results import entry
from leaderboard.tables.board import board_table
from leaderboard.tables.paper import PAPER_TABLES
from leaderboard.tables.paper_table import assemble
from rvosbench.datasets import load_dataset
from rvosbench.records import Json
from rvosbench.runs.evaluate import evaluate
from rvosbench.runs.methods import load_method
from rvosbench.runs.result import Result
from rvosbench.tables.table import Table
from sola.config import DEMO_SELECTOR, LossConfig, SelectorConfig, TrainConfig
from sola.data.samples import TrackSet
from sola.data.track_data import OpenOptions, open_training_data
from sola.network.weights import checkpoint_hash, save_selector, write_training
from sola.training.loop import train

from ..sola.caches import ENCODER, make_cache
from ..sola.cases import make_selector
from ..sola.learnable import FAST, TINY
from ..toys import ToyDataset
from .making import board

Run = Callable[..., Result]
FULL = dataclasses.replace(FAST, epochs=1, loss=LossConfig())


@pytest.fixture(scope="module")
def run() -> Run:
    """Evaluates SOLA with the embedded networks on one video, as `rvosbench eval` would."""
    demo = load_dataset("demo", split="valid")

    def evaluated(selector: str | Path = "demo", **settings: Json) -> Result:
        choice = load_method("sola", "demo", {"selector": str(selector), **settings}, "cpu")
        return evaluate(choice, demo, videos=["valid-0000"])

    return evaluated


def trained(folder: Path, datasets: Sequence[str], config: TrainConfig = FULL) -> Json:
    """The identity of a real training on caches of these datasets, as `sola train` writes it."""
    sets = []
    for name in datasets:
        toy = ToyDataset(name=name)
        sets.append(TrackSet(make_cache(folder / "caches" / name, toy), toy))
    train(open_training_data(sets, [], OpenOptions(ENCODER)), TINY, config, folder / "trained")
    return json.loads((folder / "trained" / "training.json").read_text())["identity"]


def selector(folder: Path, identity: Json, network: SelectorConfig = DEMO_SELECTOR) -> Path:
    """A selector that fits the embedded networks, trained as `identity` says."""
    save_selector(folder, make_selector(network))
    write_training(folder, identity, {}, finished=True)
    return folder


def as_on_mevis(result: Result) -> Result:
    """The run as if its video were all of MeViS valid: what a table of the paper wants."""
    facts = {**result.facts, "dataset": "mevis", "split": "valid", "videos": None}
    return dataclasses.replace(result, facts=facts)


def table(name: str, *results: Result) -> Table:
    runs = [entry(Path("runs/one/result.json"), as_on_mevis(one)) for one in results]
    return assemble(PAPER_TABLES[name], [*published_entries(), *runs])


def labels(name: str, result: Result, count: int = 1) -> list[list[str]]:
    """The label cells of the run's rows in a table."""
    rows = [row for row in table(name, result).rows if row.mark]
    return [[cell.text for cell in row.cells[:count]] for row in rows]


def test_a_run_without_background_is_never_the_full_method(run: Run, tmp_path: Path) -> None:
    place = selector(tmp_path / "selector", trained(tmp_path, ["mevis"]))
    whole, ablated = run(place), run(place, background_inference=False)
    assert ablation_of_facts(whole.facts) == {}
    assert ablation_of_facts(ablated.facts) == {"background_inference": False}
    assert labels("1", whole) == [["SOLA"]]
    assert labels("1", ablated) == []
    assert "background_inference=False" in table("1", ablated).left_out[0]
    assert labels("A.2a", whole, 2) == [["✓", "✓"]]
    assert labels("A.2a", ablated, 2) == [["✓", "✗"]]
    shown = [entry(Path(str(i)), as_on_mevis(r)) for i, r in enumerate((whole, ablated))]
    names = [row.cells[0].text for row in board_table(board(shown, "mevis"), {}).rows]
    assert sorted(names) == ["SOLA", "SOLA (background_inference=false)"]


def test_a_joint_training_enters_table_3_and_not_table_1(run: Run, tmp_path: Path) -> None:
    identity = trained(tmp_path, ["mevis", "ref-youtube-vos"])
    result = run(selector(tmp_path / "selector", identity))
    assert result.card.training_data == "MeViS + Ref-YouTube-VOS"
    assert entry(Path("r"), result).about.training_data == "MeViS + Ref-YouTube-VOS"
    assert labels("3", result) == [["SOLA"]]
    assert "training data is 'MeViS + Ref-YouTube-VOS'" in table("1", result).left_out[0]
    old = dataclasses.replace(  # an older version wrote the published card whatever was trained
        result, card=dataclasses.replace(result.card, training_data="MeViS")
    )
    assert labels("3", old) == [["SOLA"]]
    assert labels("1", old) == []


def test_an_average_has_the_settings_and_the_data_of_its_members(run: Run, tmp_path: Path) -> None:
    without = dataclasses.replace(FULL, loss=LossConfig(alignment_weight=0.0))
    one = trained(tmp_path / "one", ["mevis"], without)
    two = trained(tmp_path / "two", ["mevis", "ref-youtube-vos"], without)
    places = [selector(tmp_path / n, i) for n, i in (("a", one), ("b", two))]
    members = [
        {"weights": checkpoint_hash(p), "identity": i}
        for p, i in zip(places, (one, two), strict=True)
    ]
    inner = {"average": members[:1], "data": one["data"]}
    identity = {"average": [{"weights": "0", "identity": inner}, members[1]], "data": one["data"]}
    result = run(selector(tmp_path / "average", identity))
    assert ablation_of_facts(result.facts) == {"alignment_weight": 0.0}
    assert result.card.training_data == "MeViS + Ref-YouTube-VOS"
    alone = run(selector(tmp_path / "alone", inner))
    assert labels("5a", alone) == [["w/o L_align"]]
    assert labels("1", alone) == []


def test_members_of_an_average_that_disagree_stand_in_no_row_of_the_paper() -> None:
    weights = [{"identity": {"training": {"loss": {"alignment_weight": w}}}} for w in (0.3, 0.0)]
    facts = {"method": "sola", "provenance": {"training": {"average": weights}}}
    assert ablation_of_facts(facts) == {"alignment_weight": "0.0 and 0.3"}


def test_a_network_of_another_shape_is_told_by_the_run(run: Run, tmp_path: Path) -> None:
    network = dataclasses.replace(DEMO_SELECTOR, n_layers=3, motion_attention=False)
    result = run(selector(tmp_path / "selector", trained(tmp_path, ["mevis"]), network))
    assert ablation_of_facts(result.facts) == {"n_layers": 3, "motion_attention": False}


def test_a_selector_that_does_not_say_its_training_claims_none(run: Run, tmp_path: Path) -> None:
    save_selector(tmp_path, make_selector(DEMO_SELECTOR))
    result = run(tmp_path)
    assert result.card.training_data == ""
    assert "its training data is 'not said'" in table("1", result).left_out[0]


def test_the_embedded_selector_is_of_the_demo_with_its_own_loss(run: Run) -> None:
    result = run()
    assert ablation_of_facts(result.facts) == {"alignment_weight": 0.1}
    assert entry(Path("r"), result).about.training_data == "MotionShapes"
