"""What weights were learned from: all shapes that a result holds, and the text of a card."""

from __future__ import annotations

import pytest

from rvosbench.records import Json
from rvosbench.tables.training import learned_from, training_sets, training_text, trainings

MEVIS: Json = {"data": {"train": [{"dataset": "mevis", "split": "train"}]}}
JOINT: Json = {"data": {"train": [{"dataset": "ref-youtube-vos"}, {"dataset": "mevis"}]}}
OLD: Json = {"data": {"dataset": "demo", "fingerprints": ["f"]}}


@pytest.mark.parametrize(
    ("identity", "names"),
    [
        (MEVIS, ("mevis",)),
        (JOINT, ("mevis", "ref-youtube-vos")),
        (OLD, ("demo",)),
        ({"average": [{"identity": MEVIS}, {"identity": OLD}]}, ("demo", "mevis")),
        (
            {"average": [{"identity": {"average": [{"identity": JOINT}]}}]},
            ("mevis", "ref-youtube-vos"),
        ),
        ({"average": [{"weights": "0"}, 3]}, ()),
        ({"data": {"train": "toys"}}, ()),
        ({"data": {"train": [{"split": "train"}, 1]}}, ()),
        ({}, ()),
        (None, ()),
    ],
)
def test_datasets_are_found_in_every_shape(identity: Json, names: tuple[str, ...]) -> None:
    assert learned_from(identity) == names


def test_trainings_are_the_leaves_of_an_average() -> None:
    inner = {"average": [{"identity": JOINT}, {"identity": OLD}]}
    assert list(trainings({"average": [{"identity": MEVIS}, {"identity": inner}]})) == [
        MEVIS,
        JOINT,
        OLD,
    ]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("mevis", "ref-youtube-vos"), "MeViS + Ref-YouTube-VOS"),
        (("demo",), "MotionShapes"),
        (("long-rvos",), "long-rvos"),
        ((), ""),
    ],
)
def test_a_text_names_datasets_as_papers_do_and_is_read_back(
    names: tuple[str, ...], text: str
) -> None:
    assert training_text(names) == text
    assert training_sets(text) == frozenset(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("MeViS, RefYTVOS", {"mevis", "ref-youtube-vos"}),
        ("MeViS; RYT & Ref-DAVIS", {"mevis", "ref-youtube-vos", "ref-davis17"}),
        ("COCO then MeViS and secret data", {"coco", "mevis", "secret data"}),
        ("none", set()),
        ("", set()),
    ],
)
def test_cards_of_others_are_read(text: str, names: set[str]) -> None:
    assert training_sets(text) == names
