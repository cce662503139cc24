"""Whose a temporary or a claim is, and whether that process still runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from rvosbench.files.owner import Owner, parse_owner, this_process

ME = this_process()


def ended() -> int:
    """The number of a process that ran and runs no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_this_process_is_on_this_machine_and_runs() -> None:
    assert (ME.host, ME.process) == (socket.gethostname(), os.getpid())
    assert not ME.gone


@pytest.mark.parametrize(
    "owner", [ME, Owner("a-b-1", 12, "34"), Owner("h", 1, ""), Owner("node.cluster", 7, "8")]
)
def test_a_label_tells_its_owner(owner: Owner) -> None:
    assert parse_owner(owner.label) == owner


@pytest.mark.parametrize("text", ["", "host", "host-1", "host-x-1", "-1-2", "--"])
def test_other_texts_are_no_owners(text: str) -> None:
    assert parse_owner(text) is None


def test_a_process_that_ended_is_gone() -> None:
    assert Owner(ME.host, ended(), "").gone
    assert Owner(ME.host, 2**40, "").gone is False  # no number of a process: nothing is certain


@pytest.mark.skipif(not ME.started, reason="this system does not tell when a process started")
def test_a_number_that_was_given_again_is_not_the_old_process() -> None:
    assert Owner(ME.host, ME.process, f"{ME.started}1").gone


def test_nothing_is_certain_of_another_machine() -> None:
    assert Owner("elsewhere", ended(), "1").gone is False


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12: threads
def test_a_fork_is_another_process() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0 if this_process() != ME and this_process().process == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0
