"""One process works in a folder; others are told which, and a dead one is taken over."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rvosbench.errors import UsageError
from rvosbench.files.atomic import write_json
from rvosbench.files.claims import CLAIMS, claimed, claims
from rvosbench.files.owner import this_process

HOLDER = """
import sys
from pathlib import Path
from rvosbench.files.claims import claimed
with claimed(Path(sys.argv[1]), sys.argv[2]):
    print("in", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(folder: Path, share: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that works in the folder until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(folder), share]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        yield process


def test_a_folder_is_made_claimed_and_left_clean(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with claimed(folder):
        (mine,) = claims(folder)
        assert mine.owner == this_process()
        with claimed(folder):  # the same process, again
            pass
        assert claims(folder) == [mine]
    assert list(folder.iterdir()) == []


def test_an_error_releases_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), claimed(tmp_path):
        raise ValueError("inside")
    assert claims(tmp_path) == []


def test_a_second_process_is_told_who_works_there(tmp_path: Path) -> None:
    with another(tmp_path) as process:
        message = rf"process {process.pid} of .* works here since 20.*: wait for it"
        with pytest.raises(UsageError, match=message), claimed(tmp_path):
            pass
        assert [claim.owner.process for claim in claims(tmp_path)] == [process.pid]
    with claimed(tmp_path):
        pass


def test_a_dead_owner_is_taken_over(tmp_path: Path) -> None:
    with another(tmp_path) as process:
        process.kill()
        process.wait()
        assert len(list((tmp_path / CLAIMS).iterdir())) == 1
        with claimed(tmp_path):
            assert [claim.owner for claim in claims(tmp_path)] == [this_process()]


def test_a_claim_of_another_machine_stands_until_it_is_removed(tmp_path: Path) -> None:
    claim = {"host": "elsewhere", "process": 1, "started": "1", "since": "2026", "share": ""}
    write_json(tmp_path / CLAIMS / "elsewhere-1-1.json", claim)
    message = rf"process 1 of elsewhere .*If that machine is gone, delete {tmp_path / CLAIMS}"
    with pytest.raises(UsageError, match=message), claimed(tmp_path):
        pass
    assert [c.owner.host for c in claims(tmp_path)] == ["elsewhere"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"host": "h", "process": "x"}'])
def test_a_claim_that_cannot_be_read_holds_nobody_up(tmp_path: Path, content: str) -> None:
    (tmp_path / CLAIMS).mkdir()
    (tmp_path / CLAIMS / "x.json").write_text(content)
    with claimed(tmp_path):
        assert [claim.owner for claim in claims(tmp_path)] == [this_process()]


def test_parts_of_one_job_share_a_folder_and_nobody_else_does(tmp_path: Path) -> None:
    with another(tmp_path, "job 7"):
        with claimed(tmp_path, "job 7"):
            assert len(claims(tmp_path)) == 2
        for share in ("", "job 8"):
            with pytest.raises(UsageError, match="works here since"), claimed(tmp_path, share):
                pass
        assert len(claims(tmp_path)) == 1


def test_a_claim_is_made_while_somebody_leaves(tmp_path: Path) -> None:
    """Who leaves removes the empty folder of claims, at any moment."""
    over = threading.Event()

    def leave_again_and_again() -> None:
        while not over.wait(0.0005):
            with suppress(OSError):
                (tmp_path / CLAIMS).rmdir()

    other = threading.Thread(target=leave_again_and_again)
    other.start()
    try:
        for _ in range(100):
            with claimed(tmp_path):
                pass
    finally:
        over.set()
        other.join()
