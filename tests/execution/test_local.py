"""Executors: a unit that fails, in whatever way, is an outcome; nothing outlives the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from rvosbench.errors import UsageError, WorkerError
from rvosbench.execution.executors.local import TRIES, local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Outcome, Unit, attempt
from rvosbench.files.atomic import PART


class StubbornError(Exception):
    """An exception that pickle can write but not read: it wants two arguments."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}, as {why}")


@dataclass(frozen=True)
class Eventful:
    """Does what the key says, and notes every attempt and where it was to write."""

    log: Path

    def __call__(self, key: str, output: Path) -> None:
        with self.log.open("a") as log:
            log.write(f"{key} {output} {os.getpid()}\n")
        assert not output.exists()
        output.mkdir()
        (output / "half").write_text("x")
        if key == "raises":
            raise UsageError("not like this")
        if key == "stubborn":
            raise StubbornError("no", "it wants two")
        begun = [line for line in self.log.read_text().splitlines() if line.startswith(f"{key} ")]
        if key == "kills" or (key == "kills once" and len(begun) == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        (output / "whole").write_text(key)


def outcomes(keys: list[str], folder: Path, workers: int) -> dict[str, Outcome]:
    folder.mkdir(exist_ok=True)
    job = Eventful(folder.parent / "log")
    return {outcome.key: outcome for outcome in local(workers)(job, keys, folder)}


def attempts(folder: Path) -> list[list[str]]:
    lines = (folder.parent / "log").read_text().splitlines()
    return [line.rsplit(" ", 2) for line in lines]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_an_executor_yields_an_outcome_for_every_unit_and_never_raises(
    tmp_path: Path, workers: int
) -> None:
    found = outcomes(["a", "raises", "stubborn", "b/c"], tmp_path / "out", workers)
    assert sorted(found) == ["a", "b/c", "raises", "stubborn"]
    for key in ("a", "b/c"):
        where = found[key].where
        assert where is not None
        assert (where / "whole").read_text() == key
        assert found[key].error is None
    assert isinstance(found["raises"].error, UsageError)
    assert str(found["raises"].error) == "not like this"
    assert "in __call__" in found["raises"].details
    assert "no, as it wants two" in str(found["stubborn"].error)
    assert "in __call__" in found["stubborn"].details
    left = sorted(p.name.partition("@")[2] for p in (tmp_path / "out").iterdir())
    assert left == ["a", "b%2Fc"]  # what failed attempts wrote is gone


def test_a_unit_that_kills_its_worker_once_is_done_at_a_second_try(tmp_path: Path) -> None:
    found = outcomes(["a", "kills once", "b"], tmp_path / "out", 2)
    assert [found[k].error for k in ("a", "b", "kills once")] == [None, None, None]
    tried = [
        (place, process)
        for key, place, process in attempts(tmp_path / "out")
        if key == "kills once"
    ]
    assert len(tried) == TRIES
    assert tried[0][0] != tried[1][0]  # every attempt writes at a place of its own
    assert tried[0][1] != tried[1][1]


def test_a_unit_that_always_kills_its_worker_is_told_and_harms_no_other(tmp_path: Path) -> None:
    found = outcomes(["kills", "a", "b", "c"], tmp_path / "out", 2)
    assert isinstance(found["kills"].error, WorkerError)
    assert f"died {TRIES} times" in str(found["kills"].error)
    assert all(found[key].where is not None for key in "abc")
    assert sum(key == "kills" for key, *_ in attempts(tmp_path / "out")) == TRIES


def test_what_dead_workers_left_is_removed_by_the_next_run(tmp_path: Path) -> None:
    outcomes(["kills"], tmp_path / "out", 2)
    assert len(list((tmp_path / "out").glob(f"{PART}*"))) == TRIES
    store = Store(tmp_path / "out", suffix="")
    run_units([Unit("a", "1")], Eventful(tmp_path / "log"), store, local())
    assert not list((tmp_path / "out").glob(f"{PART}*"))
    assert (store.output("a") / "whole").read_text() == "a"


def test_the_first_error_stops_a_run_with_its_traceback_and_keeps_what_is_done(
    tmp_path: Path,
) -> None:
    store, keys = Store(tmp_path / "out", suffix=""), ["a", "stubborn", "b"]
    units = [Unit(key, "1") for key in keys]
    with pytest.raises(StubbornError) as caught:
        run_units(units, Eventful(tmp_path / "log"), store, local())
    assert "in unit 'stubborn'" in caught.value.__notes__[0]
    assert [store.finished(unit) for unit in units] == [True, False, False]


def test_an_error_that_users_understand_is_raised_as_it_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", suffix="")
    with pytest.raises(UsageError, match=r"^not like this$") as caught:
        run_units([Unit("raises", "1")], Eventful(tmp_path / "log"), store, local())
    assert not hasattr(caught.value, "__notes__")


def test_whoever_stops_an_attempt_stops_the_run(tmp_path: Path) -> None:
    def interrupted(key: str, output: Path) -> None:
        output.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted, "a", tmp_path)
    assert not list(tmp_path.iterdir())


SLEEPER = """
import os, sys, time
from dataclasses import dataclass
from pathlib import Path

@dataclass
class Sleep:
    pids: Path
    def __call__(self, key, output):
        (self.pids / key).write_text(str(os.getpid()))
        time.sleep(600)

if __name__ == "__main__":
    from rvosbench.execution.executors.local import local
    folder = Path(sys.argv[1])
    for _ in local(2)(Sleep(folder / "pids"), ["a", "b", "c"], folder / "out"):
        pass
"""


def test_no_worker_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    pids = tmp_path / "pids"
    pids.mkdir()
    (tmp_path / "out").mkdir()
    command = [sys.executable, str(tmp_path / "sleeper.py"), str(tmp_path)]
    with subprocess.Popen(command) as parent:
        _until(lambda: len([p for p in pids.iterdir() if p.read_text()]) == 2)
        workers = [int(p.read_text()) for p in pids.iterdir()]
        assert all(map(_runs, workers))
        parent.send_signal(signal.SIGKILL)
    _until(lambda: not any(map(_runs, workers)))


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _until(done: object) -> None:
    assert callable(done)
    for _ in range(1200):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within a minute")
