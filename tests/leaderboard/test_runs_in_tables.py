"""A run stands in the right row of the right tables, or is told why not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from leaderboard.numbers.entry import Entry, published_entries
from leaderboard.numbers.results import corruption_text, entry, read_runs, training_data
from leaderboard.tables.confidence import confidences
from leaderboard.tables.paper import MEVIS, PAPER_TABLES
from leaderboard.tables.paper_table import assemble
from rvosbench.errors import ResultError, UsageError
from rvosbench.records import Json, MethodCard
from rvosbench.runs.result import Result, write_result
from rvosbench.tables import WRITERS
from rvosbench.tables.table import Row, Table

from .making import SOLA_CARD, result, rows, saved, sola

BOTH = MethodCard("SOLA", training_data="MeViS, Ref-YouTube-VOS")


def entries(*results: Result) -> list[Entry]:
    return [entry(Path(f"run-{i}/result.json"), r) for i, r in enumerate(results)]


def table(name: str, *results: Result) -> Table:
    return assemble(PAPER_TABLES[name], [*published_entries(), *entries(*results)])


def texts(row: Row) -> list[str]:
    return [cell.text for cell in row.cells]


def runs_of(name: str, *results: Result) -> list[list[str]]:
    return [texts(row) for row in table(name, *results).rows if row.mark]


def test_a_run_stands_below_its_method_and_is_bold_where_it_is_best() -> None:
    found = table("1", sola(0.6))
    assert [row.cells[0].text for row in found.rows][-2:] == ["SOLA", "SOLA"]
    assert [row.mark for row in found.rows] == [*[""] * 9, "a"]
    run, published = found.rows[-1], found.rows[-2]
    assert [cell.place for cell in run.cells] == [0, 2, 1, 1, 1]
    assert [cell.place for cell in published.cells] == [0, 1, 2, 2, 2]
    assert "run a" in WRITERS["markdown"](found)
    assert sola(0.6).signature in found.footnotes[0]


def test_a_new_method_stands_at_the_end_and_a_worse_one_is_not_marked() -> None:
    found = table("1", result(rows(0.2)))
    assert texts(found.rows[-1])[:2] == ["Mine", "12.3 M"]
    assert [cell.place for cell in found.rows[-1].cells] == [0, 1, 0, 0, 0]


def test_a_run_of_a_published_method_stands_below_its_row() -> None:
    found = table("1", result(rows(0.2), MethodCard("referformer", training_data="MeViS")))
    names = [row.cells[0].text for row in found.rows]
    assert names[names.index("ReferFormer") + 1] == "referformer"


def test_published_rows_stand_in_the_papers_order_whatever_order_they_are_read_in() -> None:
    turned = assemble(PAPER_TABLES["1"], published_entries()[::-1])
    assert turned.rows == table("1").rows


@pytest.mark.parametrize("one", [PAPER_TABLES["1"], MEVIS, PAPER_TABLES["1"].training])
def test_what_a_table_wants_cannot_be_changed(one: object) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, next(iter(vars(one))), "x")


def test_training_data_tells_table_1_from_3() -> None:
    alone, joint = sola(0.5), result(rows(0.5), BOTH, method="sola")
    assert len(runs_of("1", alone, joint)) == len(runs_of("3", alone, joint)) == 1
    assert "training data is 'MeViS, Ref-YouTube-VOS'" in table("1", joint).left_out[0]
    assert "table's MeViS and Ref-YouTube-VOS" in table("3", alone).left_out[0]


def averaged(*weights: float) -> dict[str, Json]:
    """The provenance of an average of selectors trained with these alignment weights."""
    each = [trained(loss={"alignment_weight": weight})["training"] for weight in weights]
    return {"training": {"average": [{"identity": identity} for identity in each]}}


def trained(**settings: Json) -> dict[str, Json]:
    """The provenance of a selector trained on MeViS with these settings."""
    return {"training": {"training": settings, "data": {"train": [{"dataset": "mevis"}]}}}


@pytest.mark.parametrize(
    ("name", "provenance", "label"),
    [
        ("5a", trained(loss={"alignment_weight": 0.0}), ["w/o L_align"]),
        ("5a", trained(loss={"alignment_weight": 0.1}), ["L_align weight 0.1"]),
        ("5a", trained(loss={"alignment_weight": 1.0}), ["L_align weight 1"]),
        ("5a", averaged(0.3, 0.1), ["L_align weight 0.1 and 0.3"]),
        ("5b", {"selector_config": {"motion_attention": False}}, ["✓", "✗"]),
        ("A.2a", trained(background_training=False), ["✗", "✓"]),
        ("A.2b", {"selector_config": {"n_layers": 3}}, ["3"]),
        ("A.2b", {"selector_config": {"n_layers": 4}}, ["4"]),
    ],
)
def test_an_ablation_stands_in_its_row_and_in_no_other_table(
    name: str, provenance: dict[str, object], label: list[str]
) -> None:
    run = sola(0.5, provenance=provenance)
    (mine,) = runs_of(name, run)
    assert mine[: len(label)] == label
    for other in set(PAPER_TABLES) - {name}:
        assert runs_of(other, run) == []
    assert "configuration is another one" in table("1", run).left_out[0]


def test_an_ablation_stands_below_the_row_of_the_same_choice() -> None:
    found = table("A.2b", sola(0.5, provenance={"selector_config": {"n_layers": 1}}))
    assert [(r.cells[0].text, r.mark) for r in found.rows] == [
        ("1", ""),
        ("1", "a"),
        ("2", ""),
        ("3", ""),
    ]


def test_the_usual_configuration_stands_in_the_full_row_of_all_ablations() -> None:
    for name, label in {"4": "w/ selection module", "5a": "w/ L_align", "A.2b": "2"}.items():
        assert [row[0] for row in runs_of(name, sola(0.5))] == [label]


def test_the_baseline_without_selector_is_table_4s_first_row() -> None:
    run = result(card=MethodCard("GroundingDINO only"), method="grounding-dino")
    assert [row[0] for row in runs_of("4", run)] == ["w/o selection module"]
    assert runs_of("1", run) == []


def test_the_baseline_without_selector_is_compared_in_table_a1() -> None:
    """As `rvosbench sola reproduce` compares them there."""
    run = result(
        card=MethodCard("GroundingDINO only", training_data="none"),
        method="grounding-dino",
        corruption="motion_blur:5",
    )
    assert runs_of("A.1", run, sola(0.4, corruption="motion_blur:5"))[1][:2] == [
        "GroundingDINO only",
        "Motion blur",
    ]


def test_a_strangers_n_layers_means_nothing() -> None:
    assert len(runs_of("1", result(config={"n_layers": 6}))) == 1
    assert "it is not SOLA" in table("A.2b", result(config={"n_layers": 6})).left_out[0]


def test_valid_u_gets_columns_of_its_own() -> None:
    found = table("1", sola(0.6, split="valid_u"))
    assert found.blocks == [("", 2), ("MeViS", 3), ("MeViS valid_u", 3)]
    assert texts(found.rows[-1])[2:5] == ["-", "-", "-"]
    assert [cell.place for cell in found.rows[-1].cells[5:]] == [0, 0, 0]
    assert [cell.place for cell in found.rows[-2].cells[2:5]] == [1, 1, 1]


def test_another_protocol_gets_columns_of_its_own() -> None:
    run = sola(0.6, dataset="ref-davis17", protocol="ref-davis17-annotators")
    assert table("2", run).blocks == [
        ("", 1),
        ("Ref-YouTube-VOS", 3),
        ("Ref-DAVIS", 3),
        ("Ref-DAVIS (protocol ref-davis17-annotators)", 3),
    ]
    found = table("1", sola(0.6, protocol="sola-released"))
    assert found.blocks[-1] == ("MeViS (protocol sola-released)", 3)


def test_an_unknown_protocol_of_a_run_never_equals_the_papers_unknown() -> None:
    found = table("2", sola(0.6, dataset="ref-davis17", protocol="unknown"))
    assert len(found.blocks) == 4


def test_one_contender_fills_one_row_over_several_datasets() -> None:
    here = sola(0.6, dataset="ref-youtube-vos", protocol="ref-youtube-vos")
    there = sola(0.5, dataset="ref-davis17", protocol="ref-davis17-expressions")
    (row,) = runs_of("2", here, there)
    assert "-" in row
    assert len([text for text in row if text != "-"]) == 7
    assert here.signature in table("2", here, there).footnotes[0]
    assert there.signature in table("2", here, there).footnotes[0]


def test_two_results_of_one_contender_on_one_split_are_two_rows() -> None:
    assert len(runs_of("1", sola(0.5), sola(0.6, provenance={"selector": "other"}))) == 2


def test_corrupted_runs_stand_in_their_group_and_others_get_a_group() -> None:
    blur = sola(0.45, corruption="motion_blur:5@fast-1|per_frame|seed0")
    fog = sola(0.4, corruption="fog:3@fast-1")
    found = table("A.1", blur, fog)
    groups = [row.group for row in found.rows]
    assert groups == [*["motion_blur:5"] * 5, *["gaussian_noise:5"] * 4, "fog:3"]
    assert texts(found.rows[4])[:2] == ["SOLA", "Motion blur"]
    assert [cell.place for cell in found.rows[4].cells] == [0, 0, 1, 1, 1]
    assert texts(found.rows[-1])[:2] == ["SOLA", "Fog, severity 3"]
    assert "frames fog:3@fast-1" in found.footnotes[1]
    assert runs_of("1", blur) == []
    assert runs_of("A.1", sola(0.5)) == []


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (result(dataset="demo"), "it is on demo, the table on mevis"),
        (result({}), "it has no scores"),
        (result(videos=["a", "b"]), "a part of the split only (2 videos)"),
        (result(card=MethodCard("Mine")), "its training data is 'not said'"),
        (result(corruption="fog:1"), "its frames are corrupted (fog:1), the table's clean"),
    ],
)
def test_a_run_that_does_not_belong_is_left_out_with_the_reason(run: Result, reason: str) -> None:
    found = table("1", run)
    assert [row for row in found.rows if row.mark] == []
    assert len(found.left_out) == 1
    assert reason in found.left_out[0]


def test_an_upper_bound_is_shown_and_never_ranked() -> None:
    found = table("1", result(rows(0.9), upper_bound=True))
    assert [cell.place for cell in found.rows[-1].cells] == [0] * 5
    assert [cell.place for cell in found.rows[-2].cells[2:]] == [1, 1, 1]
    assert "upper bound" in found.footnotes[0]


def test_equal_printed_scores_share_a_place() -> None:
    same = {"v": [(0.45201, 0.52099)]}
    found = table("1", result(same))
    assert [cell.place for cell in found.rows[-1].cells[3:]] == [1, 1]
    assert [cell.place for cell in found.rows[-2].cells[3:]] == [1, 1]


def test_intervals_and_ties_are_printed_in_every_format() -> None:
    results = [result(rows(0.50, 12)), result(rows(0.501, 12, seed=1), SOLA_CARD, method="sola")]
    confidence = confidences(results)
    found = assemble(PAPER_TABLES["1"], [*published_entries(), *entries(*results)], confidence)
    tied = [cell for row in found.rows for cell in row.cells if cell.tied]
    assert len(tied) == 1
    for form, sign in {"markdown": "≈ ", "latex": r"$\approx$\,", "html": "≈ "}.items():
        assert sign in WRITERS[form](found)
    span = tied[0].interval
    assert span is not None
    assert f"{span.low:.1f}, {span.high:.1f}" in WRITERS["latex"](found)
    assert len(found.footnotes) == 4


def test_missing_predictions_and_server_scores_are_said() -> None:
    (note, *_) = table("1", sola(0.5, missing="zero", scored_by="server")).footnotes
    assert "missing predictions count as empty" in note
    assert "scored by the authors' server" in note


def test_runs_are_read_from_folders_once_and_by_name(tmp_path: Path) -> None:
    first, second = sola(0.5), result()
    saved(tmp_path / "many", first, second)
    write_result(tmp_path / "again" / "result.json", first)
    found = read_runs([tmp_path / "many", tmp_path / "again", tmp_path / "many" / "run-1"])[0]
    assert [e.run.result.signature for e in found if e.run] == [second.signature, first.signature]


def test_a_place_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        read_runs([tmp_path / "nothing"])
    with pytest.raises(UsageError, match="no result in it"):
        read_runs([tmp_path])


def test_a_result_changed_by_hand_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, result()) / "run-0" / "result.json"
    path.write_text(path.read_text().replace('"split": "valid"', '"split": "valid_u"'))
    with pytest.raises(ResultError, match="changed after the run"):
        read_runs([path])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        ("fog:5", "fog:5"),
        ({"name": "fog", "severity": 2}, "fog:2"),
        ({"type": "fog", "severity": 2}, "fog:2"),
    ],
)
def test_corruptions_of_any_shape_become_one_line(value: object, text: str | None) -> None:
    assert corruption_text(value) == text


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "MeViS"),
        ({"training_data": ["mevis", "ref-youtube-vos"]}, "MeViS + Ref-YouTube-VOS"),
        ({"provenance": {"training_data": "demo"}}, "demo"),
        ({"provenance": None}, "MeViS"),
    ],
)
def test_training_data_is_what_the_run_says_else_the_card(
    facts: dict[str, Json], said: str
) -> None:
    assert training_data(result(**facts)) == said


def test_a_result_without_a_dataset_is_refused() -> None:
    with pytest.raises(ResultError, match="do not say dataset"):
        entry(Path("r.json"), result(dataset=None))
