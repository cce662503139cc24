"""The tracer of `benchmarks/calls.py`, on functions made for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.calls import Call, Chain, Chains, counted, is_numbers, profiled, since

OURS = """
def outer(foreign, end):
    return foreign(middle, end)

def middle(end):
    return [inner(end) for _ in range(1)]

def inner(end):
    for value in wrapped(end):
        return value

def wrapped(end):
    return made(end)

def made(end):
    yield end()

class Network:
    def forward(self, end):
        return outer(lambda f, e: f(e), end)
"""


def chain_of(root: Path, call: Callable[[dict[str, Any], Callable[[], None]], object]) -> Chain:
    """The chain at the moment when `end` is called by code that counts as a package's."""
    ours: dict[str, Any] = {}
    exec(compile(OURS, str(root / "sola" / "ours.py"), "exec"), ours)
    chains, found = Chains(root), []

    def end() -> None:
        found.append(chains.at(sys._getframe()))

    def tracer(frame: FrameType, event: str, value: object) -> None:
        if event == "return":
            chains.handed_on(frame, value)

    with profiled(tracer):
        call(ours, end)
    (chain,) = found
    return chain


def names(chain: Chain) -> list[str]:
    return [call.name for call in chain]


def test_whoever_makes_a_generator_counts_although_it_is_gone(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, lambda ours, end: ours["inner"](end))
    assert names(chain) == ["inner", "wrapped", "made"]
    assert chain[0].place == "sola/ours.py:8"


def test_functions_of_others_do_not_count(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, lambda ours, end: ours["outer"](lambda f, e: f(e), end))
    assert names(counted("step", chain)) == ["outer", "middle", "inner", "wrapped", "made"]


def test_a_comprehension_counts_only_where_it_always_did(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, lambda ours, end: ours["middle"](end))
    own_frame = sys.version_info < (3, 12)
    assert len(counted("alignment", chain)) - len(counted("frame", chain)) == own_frame


def test_a_chain_begins_at_its_door(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, lambda ours, end: ours["Network"]().forward(end))
    assert names(chain)[0] == "Network.forward"
    assert names(since(chain, lambda call: call.name == "inner")) == ["inner", "wrapped", "made"]
    assert since(chain, lambda call: call.name == "nowhere") == ()


def test_other_folders_are_not_ours(tmp_path: Path) -> None:
    code = compile("def f(): pass", str(tmp_path / "tests" / "x.py"), "exec")
    inside = compile("class C:\n    def f(self): pass", str(tmp_path / "sola" / "x.py"), "exec")
    body = next(c for c in inside.co_consts if hasattr(c, "co_code"))
    method = next(c for c in body.co_consts if hasattr(c, "co_code"))
    chains = Chains(tmp_path)
    assert [chains.own(c) for c in (code, inside, body)] == [None, None, None]
    assert isinstance(chains.own(method), Call)


def test_masks_are_no_numbers() -> None:
    assert is_numbers((1, 2.0))
    assert is_numbers(3)
    assert not is_numbers((object(), 2))
