from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import PART, write_json
from rvosbench.files.names import file_name
from rvosbench.files.owner import this_process
from rvosbench.recipe import digest


@dataclass(frozen=True)
class WriteKey:
    """Writes the unit's key, and fails or is killed on one of them."""

    log: Path
    fail: str = ""

    def __call__(self, key: str, output: Path) -> None:
        with self.log.open("a") as log:
            log.write(key + "\n")
        output.write_text("half")
        if key == self.fail:
            raise KeyboardInterrupt
        output.write_text(f"made {key}")


def units(version: str = "1") -> list[Unit]:
    return [Unit(key, f"{key}-{version}") for key in ("a", "b/c", "d")]


def outputs(store: Store) -> dict[str, str]:
    return {u.key: store.output(u.key).read_text() for u in units()}


@pytest.mark.parametrize("workers", [0, 2])
def test_units_are_done_once(tmp_path: Path, workers: int) -> None:
    store, log = Store(tmp_path / "out"), tmp_path / "log"
    seen: list[tuple[str, bool]] = []
    note: Callable[[Unit, bool], None] = lambda unit, reused: seen.append((unit.key, reused))  # noqa: E731
    for _ in range(2):
        run_units(units(), WriteKey(log), store, local(workers), note)
    assert outputs(store) == {"a": "made a", "b/c": "made b/c", "d": "made d"}
    assert sorted(log.read_text().split()) == ["a", "b/c", "d"]
    assert sorted(seen[:3]) == [("a", False), ("b/c", False), ("d", False)]
    assert sorted(seen[3:]) == [("a", True), ("b/c", True), ("d", True)]


def test_a_killed_run_leaves_no_half_written_output_and_goes_on(tmp_path: Path) -> None:
    store, log = Store(tmp_path / "out"), tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        run_units(units(), WriteKey(log, fail="b/c"), store, local())
    assert store.output("a").exists()
    assert not store.output("b/c").exists()
    run_units(units(), WriteKey(log), store, local())
    assert log.read_text().split() == ["a", "b/c", "b/c", "d"]
    assert set(outputs(store).values()) == {"made a", "made b/c", "made d"}
    assert not list(store.folder.glob(f"{PART}*"))


def test_two_processes_do_not_disturb_each_other(tmp_path: Path) -> None:
    store, log = Store(tmp_path / "out"), tmp_path / "log"

    def meanwhile(unit: Unit, reused: bool) -> None:  # another process on the same store
        run_units([Unit("x", "1")], WriteKey(log), store, local())
        assert store.output("x").read_text() == "made x"

    run_units(units(), WriteKey(log), store, local(), meanwhile)
    assert set(outputs(store).values()) == {"made a", "made b/c", "made d"}


def test_only_what_dead_processes_left_is_cleared_and_only_when_there_is_work(
    tmp_path: Path,
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    store, log = Store(tmp_path), tmp_path / "log"
    me = this_process()
    owners = [replace(me, process=gone.pid), me, replace(me, started="1"), replace(me, host="x-y")]
    dead, living, reused, foreign = (tmp_path / f"{PART}ab12-{o.label}@a" for o in owners)
    for folder in (dead, living, reused, foreign):
        folder.mkdir()
    run_units([], WriteKey(log), store, local())
    assert dead.exists()
    run_units(units(), WriteKey(log), store, local())
    assert not dead.exists()
    assert not reused.exists()  # the number belongs to another process now
    assert sorted(tmp_path.glob(f"{PART}*")) == sorted([living, foreign])


def test_a_changed_input_a_lost_output_or_a_lost_stamp_is_done_again(tmp_path: Path) -> None:
    store, log = Store(tmp_path / "out"), tmp_path / "log"
    run_units(units(), WriteKey(log), store, local())
    changed = [Unit("a", "new"), *units()[1:]]
    run_units(changed, WriteKey(log), store, local())
    store.output("d").unlink()
    next((store.folder / ".stamps").glob("b*")).unlink()
    run_units(changed, WriteKey(log), store, local())
    assert sorted(log.read_text().split()[3:]) == ["a", "b/c", "d"]


def test_two_units_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two units are called 'a'"):
        run_units([Unit("a", "1")] * 2, WriteKey(tmp_path / "log"), Store(tmp_path), local())


def test_keys_become_plain_file_names() -> None:
    assert file_name("TAO/a b") == "TAO%2Fa%20b"
    assert file_name("..") == "%2E."
    assert file_name(".hidden") != file_name("hidden")


def test_digest_ignores_key_order_only() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_json_is_written_the_same_every_time(tmp_path: Path) -> None:
    for name in ("x", "y"):
        write_json(tmp_path / name, {"ü": 0.1 + 0.2})
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["x", "y"]
