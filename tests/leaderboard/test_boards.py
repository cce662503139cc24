"""Which of several numbers stands on a board, and which runs do."""

from __future__ import annotations

from pathlib import Path

from leaderboard.numbers.collection import Collection
from leaderboard.numbers.entry import Entry, published_entries
from leaderboard.numbers.results import entry
from leaderboard.page.site import board_tab, filters, script_data
from leaderboard.tables import make_table, table_names
from leaderboard.tables.board import COLUMNS, Board, board_table, boards
from rvosbench.records import MethodCard

from .making import board, cited, result, rows, sola

MISPRINT = ("swapped", "the row of the method above")


def shown(entries: list[Entry], name: str = "mevis") -> list[tuple[str, float | None]]:
    """Source and J&F of what a board shows, from its first place on."""
    return [(row.entry.source, row.entry.scores.jf) for row in board(entries, name).entries]


def test_of_several_sources_a_misprint_is_shown_last_of_all() -> None:
    misprint = cited("A", (60.0, 55.0, 65.0), "a", flags=[MISPRINT])
    right = cited("A", (50.0, 45.0, 55.0), "b")
    assert shown([misprint, right]) == [("b, Table 1", 50.0)]
    (only,) = board([misprint, right], "mevis").entries
    assert only.others == (misprint,)


def test_a_misprint_that_stands_alone_is_shown_below_and_never_ranked() -> None:
    misprint = cited("A", (60.0, 55.0, 65.0), "a", flags=[MISPRINT])
    found = board(
        [misprint, cited("B", (50.0, 45.0, 55.0)), cited("C", (40.0, 35.0, 45.0))], "mevis"
    )
    assert [row.entry.about.method for row in found.entries] == ["B", "C", "A"]
    places = [row.cells[len(COLUMNS)].place for row in board_table(found, {}).rows]
    assert places == [1, 2, 0]
    assert found.entries[2].warning == "the row of the method above"


def test_the_preferred_source_wins_then_the_complete_one() -> None:
    bare = cited("A", (50.0, None, None), "a")
    whole = cited("A", (49.0, 45.0, 53.0), "b")
    preferred = cited("A", (48.0, None, None), "c", preferred=True, reason="their own re-run")
    assert shown([bare, whole]) == [("b, Table 1", 49.0)]
    assert shown([bare, whole, preferred]) == [("c, Table 1", 48.0)]


def test_a_run_on_a_part_of_a_split_or_on_corrupted_frames_is_on_no_board() -> None:
    whole = result(rows(0.5))
    part = result(rows(0.9), videos=["video-0"])
    corrupted = result(rows(0.9), corruption="fog:3")
    hidden = result({})
    runs = [entry(Path(str(i)), r) for i, r in enumerate((whole, part, corrupted, hidden))]
    assert [source for source, _ in shown(runs)] == [whole.signature]
    assert boards(runs[1:]) == []


def test_published_ablations_are_on_no_board_but_the_method_without_selector_is() -> None:
    full = cited("SOLA", (48.6, 45.2, 52.1))
    ablated = cited("SOLA", (44.5, 41.4, 47.6), configuration={"alignment_weight": 0.0})
    without = cited("SOLA", (36.9, 30.0, 43.8), configuration={"selection_module": False})
    assert [jf for _, jf in shown([full, ablated, without])] == [48.6, 36.9]


def test_runs_of_other_settings_say_them() -> None:
    ablated = sola(0.4, config={"background_inference": False})
    runs = [entry(Path(str(i)), r) for i, r in enumerate((sola(0.5), ablated))]
    labels = [row.cells[0].text for row in board_table(board(runs, "mevis"), {}).rows]
    assert labels == ["SOLA", "SOLA (background_inference=false)"]


def test_the_page_shows_the_columns_of_the_table_and_filters_by_them() -> None:
    card = MethodCard("Mine", "arXiv 2026", "ViT", 5_000_000, "MeViS")
    entries = [cited("A", (60.0, 55.0, 65.0), backbone="swin"), entry(Path("r"), result(card=card))]
    found: Board = board(entries, "mevis")
    tab = board_tab(found, {})
    choices = filters(tab.content)
    assert [row for _, row in tab.content] == list(board_table(found, {}).rows)
    assert [name for name, _, _ in choices] == ["venue", "backbone", "training", "protocol"]
    assert {name: texts for name, _, texts in choices}["backbone"] == ["swin", "ViT"]
    data = script_data([tab], {})
    assert set(data["lines"]) == {"mevis-0", "mevis-1"}
    assert data["lines"]["mevis-0"]["latex"].startswith("A & - & swin & - & - & unknown & 60.0")
    assert data["boards"]["mevis"]["begin"].endswith("\\midrule")
    assert data["boards"]["mevis"]["end"].startswith("\\bottomrule")


def test_the_best_known_boards_come_first_then_the_others_by_name() -> None:
    entries = [
        cited("A", (1.0, 1.0, 1.0), dataset=dataset, split=split)
        for dataset, split in (
            ("b", "valid"),
            ("mevis", "valid_u"),
            ("a", "test"),
            ("mevis", "valid"),
        )
    ]
    assert [b.name for b in boards(entries)] == ["mevis", "mevis-valid_u", "a-test", "b"]


def test_a_table_by_its_name_has_its_number_and_its_intervals() -> None:
    runs = tuple(
        entry(Path(str(i)), r)
        for i, r in enumerate((sola(0.5), sola(0.4, fingerprint="f", missing="zero")))
    )
    everything = Collection(tuple(published_entries()), runs)
    for name, heading in (
        ("1", "Table 1. Quantitative comparison on MeViS"),
        ("mevis", "MeViS valid: all methods"),
    ):
        table = make_table(everything, name)
        assert table.heading == heading
        spans = [cell.interval for row in table.rows if row.mark for cell in row.cells]
        assert len([span for span in spans if span]) == 6
        bare = make_table(everything, name, {})
        assert not any(cell.interval for row in bare.rows for cell in row.cells)
    assert "MeViS valid: all methods" in table_names(everything).values()
