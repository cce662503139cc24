"""Every rule finds its planted fault, and nothing else; all together find those of the literature.

The twelve contradictions are those that were collected from the papers by hand.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leaderboard.checks import RULES, Finding, check
from leaderboard.numbers.entry import Entry, published_entries
from leaderboard.numbers.results import entry as run_entry
from rvosbench.records import MethodCard

from .making import cited, published_file, published_row, result

GOOD = [
    cited("A", (45.0, 40.0, 50.0)),
    cited("B", (46.0, 41.0, 51.0)),
    cited("A", (45.05, 40.02, 50.08), "b"),
    cited("C", (30.0, None, None), "b"),
]


def found(entries: list[Entry]) -> list[str]:
    return [finding.rule for finding in check(entries)]


def test_nothing_is_found_in_good_rows() -> None:
    assert check(GOOD) == []
    assert check([]) == []


PLANTED: dict[str, list[Entry]] = {
    "mean": [cited("A", (45.2, 40.0, 50.0))],
    "range": [cited("A", (101.0, None, None))],
    "gap": [cited("A", (50.0, 40.0, 60.0))],
    "source": [cited("A", (45.0, 40.0, 50.0), locator="")],
    "protocol": [cited("A", (45.0, 40.0, 50.0), protocol="mevis")],
    "reason": [cited("A", (45.0, 40.0, 50.0), preferred=True)],
    "order": [cited("B", (45.0, 40.0, 50.0)), cited("A", (46.0, 41.0, 51.0))],
    "duplicate": [cited("A", (45.0, 40.0, 50.0)), cited("A", (45.0, 40.0, 50.0))],
    "differs": [cited("A", (45.0, 40.0, 50.0)), cited("A", (45.2, 40.2, 50.2), "b")],
    "copied": [cited("A", (45.0, 40.0, 50.0)), cited("B", (45.0, 40.0, 50.0))],
    "citation": [
        cited("A", (45.0, 40.0, 50.0), cited_as="1"),
        cited("A", (45.0, 40.0, 50.0), locator="Table 2", cited_as="2"),
    ],
    "stale": [cited("A", (45.0, 40.0, 50.0), flags=[("mean", "odd")])],
}


@pytest.mark.parametrize("rule", list(PLANTED))
def test_a_planted_fault_is_found_by_its_rule_alone(rule: str) -> None:
    assert found(PLANTED[rule]) == [rule]


def test_every_rule_has_a_planted_fault() -> None:
    assert set(PLANTED) | {"swapped"} == {*RULES, "stale"}


def test_exchanged_values_are_found_beside_the_differences() -> None:
    a = [cited("A", (45.0, None, None)), cited("B", (50.0, None, None))]
    b = [cited("A", (50.0, None, None), "b"), cited("B", (45.0, None, None), "b")]
    assert sorted(found([*a, *b])) == ["differs", "differs", "swapped"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([cited("A", (0.45, 0.4, 0.5))], "look like fractions"),
        ([cited("A", (-1.0, None, None))], "J&F is -1.0, not a percentage"),
        ([cited("A", (45.0, None, None), trainable_parameters=33)], "a count, not millions"),
        ([cited("A", (45.0, None, None), trainable_parameters=-1)], "-1 trainable parameters"),
        ([cited("A", (45.0, None, None), protocol="davis")], "there is no protocol 'davis'"),
        ([cited("A", (45.0, None, None), protocol_evidence="x")], "wanted no evidence"),
        ([cited("A", (45.0, None, None), reason="x")], "a reason without it"),
    ],
)
def test_other_faults_of_one_row(entries: list[Entry], message: str) -> None:
    (finding,) = check(entries)
    assert message in finding.message


def test_zero_parameters_and_zero_scores_are_fine() -> None:
    assert check([cited("A", (0.0, 0.0, 0.0), trainable_parameters=0)]) == []


def test_a_run_without_a_title_and_a_run_given_twice_are_found() -> None:
    nameless = run_entry(Path("r.json"), result(card=MethodCard("")))
    assert found([nameless]) == ["source"]
    assert found([nameless, nameless]) == ["source", "source", "duplicate"]


def test_the_tolerance_is_a_tenth_inclusive() -> None:
    assert check([cited("A", (45.1, 40.0, 50.0))]) == []
    assert found([cited("A", (45.11, 40.0, 50.0))]) == ["mean"]
    assert check([cited("A", (45.0, None, None)), cited("A", (45.1, None, None), "b")]) == []


def test_another_training_or_configuration_is_another_thing() -> None:
    first = cited("A", (45.0, None, None), training_data="MeViS")
    assert check([first, cited("A", (50.0, None, None), "b", training_data="RYT")]) == []
    assert check([first, cited("A", (50.0, None, None), "b", configuration={"x": 1})]) == []


def test_a_flag_or_a_preferred_value_settles_a_finding() -> None:
    flagged = cited("A", (45.2, 40.0, 50.0), flags=[("mean", "as printed")])
    assert [f.known for f in check([flagged])] == ["as printed"]
    chosen = cited("A", (45.2, None, None), "b", preferred=True, reason="newer")
    assert [f.known for f in check([GOOD[0], chosen])] == ["b preferred: newer"]
    other = cited("A", (45.0, None, None), "c", preferred=True, reason="x")
    assert [f.known for f in check([chosen, other])] == [""]


def test_a_row_in_a_file_is_found_with_its_place(tmp_path: Path) -> None:
    path = published_file(tmp_path, "s", published_row(jf=44.0))
    (finding,) = check(published_entries(path.parent))
    assert finding.message == (
        "s, Table 1: X on mevis/valid: J&F is 44.0, but the mean of J 40.0 and F 50.0 is 45.00"
    )


# number of the collected contradiction -> rule and what the message says
LITERATURE = {
    "1": (
        "mean",
        "sola, Table 5b: SOLA .* J&F is 44.9, .* J 42.2 and F 47.0 is 44.60",
    ),
    "2": ("citation", r"ReferFormer .* cited as \[28\] in Table 1, \[12\] in Table 2"),
    "3": (
        "swapped",
        r"emc, Table 1: .* ReferFormer and URVOS \(27.8, 31.0\) .* in sola",
    ),
    "4": ("copied", "emc, Table 1: LMPM on ref-youtube-vos/valid: 65.7/63.9/67.4 .* SgMg"),
    "5": (
        "mean",
        "emc, .* SAMWISE on ref-davis17/valid: J&F is 70.6, .* F 74.5 is 70.95",
    ),
    "6": ("mean", "emc, .* DsHmp on mevis/valid_u: J&F is 55.3, .* J 51.0 and F 60.4 is 55.70"),
    "7": ("mean", "survey, .* MPG-SAM 2 on ref-davis17/valid: J&F is 72.4, .* F 78.0 is 73.40"),
    "8": ("differs", "SAMWISE on mevis/valid: .* samwise J&F 49.5 .* survey J&F 48.3"),
    "9": ("mean", "revseg, .* LISA-13B on ref-davis17/valid: J&F is 66.9, .* is 66.00"),
    "10": ("mean", "videochat-tpo, .* VideoLISA.* J&F is 63.7, .* J 61.7 and F 63.7 is 62.70"),
    "11": (
        "mean",
        r"referformer, .* \(Video-Swin-T\).* J&F is 62.6, .* F 63.3 is 61.60",
    ),
    "12": ("differs", "Sa2VA-8B on mevis/valid: .* 46.9 .* 51.5 .* 51.59 .* 57.0"),
}
ALSO = {
    "3, ReferFormer": ("differs", "ReferFormer on mevis/valid: .* emc J&F 27.8 .* sola J&F 31.0"),
    "3, URVOS": ("differs", "URVOS on mevis/valid: .* emc J&F 31.0 .* sola J&F 27.8"),
    "4, DAVIS": ("copied", "emc, Table 1: LMPM on ref-davis17/valid: 63.3/60.6/66.0 .* SgMg"),
    "7, F": ("differs", "MPG-SAM 2 on ref-davis17/valid: .* emc F 76.0 .* survey F 78.0"),
    "8, RYT": ("differs", "SAMWISE on ref-youtube-vos/valid: .* 69.2 .* 67.2"),
    "8, DAVIS": ("differs", "SAMWISE on ref-davis17/valid: .* 70.6 .* 68.5"),
    "9, J&F": ("differs", "LISA-13B on ref-davis17/valid: .* movisa J&F 66.0 .* revseg J&F 66.9"),
    "10, F": ("differs", "VideoLISA.* revseg F 65.7 .* videochat-tpo F 63.7"),
    "10, own row": ("gap", "VideoChat-TPO on ref-youtube-vos/valid: J 52.3 and F 75.4 are 23.1"),
    "OnlineRefer": ("differs", r"OnlineRefer .* 63.5 \(Swin-L\).* 62.9 \(Video-Swin-B\)"),
    "OnlineRefer, own": ("mean", "OnlineRefer on ref-davis17/valid: J&F is 64.8, .* is 64.65"),
}


@pytest.fixture(scope="module")
def of_the_literature() -> list[Finding]:
    return check(published_entries())


@pytest.mark.parametrize("number", [*LITERATURE, *ALSO])
def test_the_contradictions_of_the_literature_are_found(
    number: str, of_the_literature: list[Finding]
) -> None:
    rule, message = {**LITERATURE, **ALSO}[number]
    assert any(f.rule == rule and re.search(message, f.message) for f in of_the_literature)


def test_all_of_them_are_settled_with_a_reason(of_the_literature: list[Finding]) -> None:
    assert [f.message for f in of_the_literature if not f.known] == []
    sa2va = [f for f in of_the_literature if f.rule == "differs" and "Sa2VA" in f.message]
    others = len(of_the_literature) - len(sa2va)
    assert others == len(LITERATURE) + len(ALSO) - 1  # nothing is found that nobody collected
