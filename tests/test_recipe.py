"""What decides an output: equal digests mean equal recipes, and differences are said in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvosbench.recipe import Recipe, common, digest
from rvosbench.records import Json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
FACTS = st.dictionaries(st.text(min_size=1), VALUES)

WANTED = Recipe({"method": "sola", "config": {"threshold": 0.5, "prompts": {"order": "frame"}}})


def test_digests_do_not_change() -> None:
    """They stand in track caches and run folders."""
    assert digest(["a", 1, None, {"b": 0.5}]) == (
        "b3ca363cb028f1ab9f7e305cd5a96a0fff6dd2f05beeb1987c37471295b43dcb"
    )
    assert WANTED.digest == digest(dict(WANTED.facts))


def test_the_order_of_facts_does_not_matter_and_that_of_lists_does() -> None:
    assert Recipe({"a": 1, "b": 2}).digest == Recipe({"b": 2, "a": 1}).digest
    assert digest([1, 2]) != digest([2, 1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, 0),
        (0, False),
        (1, 1.0),
        ("1", 1),
        ("", None),
        ([], None),
        ({}, None),
        ("\u00e9", "e"),
    ],
)
def test_values_of_different_kinds_are_different(one: Json, other: Json) -> None:
    assert digest(one) != digest(other)
    assert Recipe({"a": other}).differences(Recipe({"a": one}))


@given(FACTS, FACTS)
def test_equal_digests_mean_no_differences_and_the_reverse(one: Json, other: Json) -> None:
    a, b = Recipe(one), Recipe(other)
    assert not a.differences(a)
    assert (a.digest == b.digest) == (not a.differences(b)) == (not b.differences(a))


def test_differences_name_the_leaf_what_there_is_and_what_is_wanted() -> None:
    other = WANTED.with_facts(config={"threshold": 0.3, "prompts": {"order": "video"}})
    assert WANTED.differences(other) == [
        "config.prompts.order is video, wanted frame",
        "config.threshold is 0.3, wanted 0.5",
    ]
    assert other.facts["method"] == "sola"
    assert WANTED.facts["config"]["threshold"] == 0.5  # unchanged


def test_a_missing_fact_and_none_are_two_things() -> None:
    without, with_none = Recipe({}), Recipe({"corruption": None})
    assert without.digest != with_none.digest
    assert with_none.differences(without) == ["corruption is not recorded, wanted none"]
    assert without.differences(with_none) == ["corruption is none, wanted nothing of that name"]
    nested = Recipe({"a": {"b": None}})
    assert nested.differences(Recipe({"a": {}})) == ["a.b is not recorded, wanted none"]


def test_a_mapping_in_place_of_a_value_is_a_difference() -> None:
    wanted = Recipe({"a": {"b": 1}})
    assert wanted.differences(Recipe({"a": 1})) == ["a is 1, wanted {'b': 1}"]
    assert wanted.differences(Recipe({})) == ["a is not recorded, wanted {'b': 1}"]


def test_names_with_dots_are_not_taken_for_nested_ones() -> None:
    assert Recipe({"a.b": 1}).differences(Recipe({"a": {"b": 1}}))


def test_only_some_facts() -> None:
    assert WANTED.only(["method", "absent"]) == Recipe({"method": "sola"})
    assert WANTED.only([]).digest == Recipe({}).digest


def test_what_recipes_have_in_common() -> None:
    one = Recipe({"device": "cpu", "libraries": {"torch": "2", "numpy": "1"}, "seed": 1})
    other = Recipe({"device": "cuda", "libraries": {"torch": "2", "numpy": "2"}, "seed": 1})
    assert common([one]) == common([one, one]) == one
    assert common([one, other, one]).facts == {
        "device": "mixed: cpu, cuda",
        "libraries": {"torch": "2", "numpy": "mixed: 1, 2"},
        "seed": 1,
    }
    assert common([one, one.only(["seed"])]).facts["device"] == "mixed: cpu, not recorded"
