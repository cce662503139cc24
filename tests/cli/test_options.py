"""Options that belong together: described once, spelled out on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from typer.testing import CliRunner

from rvosbench.cli import options
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.choice import DatasetChoice
from rvosbench.errors import UsageError

APP = typer.Typer()
SEEN: list[object] = []


@dataclass(frozen=True)
class Paint:
    """Two options."""

    colour: Annotated[Literal["red", "blue"], typer.Option(help="Of the wall.")] = "red"
    coats: Annotated[int, typer.Option("--coats-of-paint")] = 1


@APP.command()
@options.grouped
def paint(wall: Annotated[str, typer.Argument()], how: Paint, dry: bool = False) -> None:
    """Paint a wall."""
    SEEN.append((wall, how, dry))


def call(*arguments: str) -> object:
    SEEN.clear()
    result = CliRunner().invoke(APP, list(arguments))
    return SEEN[0] if SEEN else result


def test_a_group_is_spelled_out_and_handed_over_as_one() -> None:
    assert call("north") == ("north", Paint(), False)
    given = call("north", "--colour", "blue", "--coats-of-paint", "3", "--dry")
    assert given == ("north", Paint("blue", 3), True)


def test_a_group_is_described_as_other_options_are() -> None:
    shown = CliRunner().invoke(APP, ["--help"]).stdout
    assert all(text in shown for text in ("Paint a wall", "Of the wall", "--coats-of-paint"))
    assert shown.index("--colour") < shown.index("--coats-of-paint") < shown.index("--dry")


def test_a_wrong_choice_in_a_group_is_wrong_usage() -> None:
    result = CliRunner().invoke(APP, ["north", "--colour", "green"])
    assert result.exit_code == 2
    assert all(name in result.stderr for name in ("'green'", "'red'", "'blue'"))


def test_corruptions_are_plans() -> None:
    assert options.CorruptionOptions().plans() == ()
    assert options.CorruptionOptions().plan() is None
    one = options.CorruptionOptions("fog:3", "exact", "drift", 7)
    assert one.plan() == Plan("fog", 3, "exact", "drift", 7)
    several = options.CorruptionOptions("fog:3,frost:1")
    assert len(several.plans()) == 2
    with pytest.raises(UsageError, match="'fog:3,frost:1': this command takes one corruption"):
        several.plan()


def test_a_split_and_its_videos_are_a_choice() -> None:
    source = options.SplitOptions("mevis", "train", Path("data"))
    plan = Plan("fog", 3)
    assert source.choice(plan, "a, b", 3) == DatasetChoice(
        "mevis", "train", Path("data"), plan, ("a", "b"), 3
    )
    assert options.SplitOptions().choice() == DatasetChoice("demo")
    with pytest.raises(UsageError, match="an empty video id"):
        source.choice(videos="")


def test_settings_come_after_the_file_and_other_options(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('dtype = "float16"\nthreshold = 0.1\n')
    assert options.ModelOptions(config=file).changes() == {"dtype": "float16", "threshold": 0.1}
    assert options.ModelOptions(None, ["threshold=0.2"], file, dtype="bfloat16").changes(
        Path("cache")
    ) == {
        "dtype": "bfloat16",
        "threshold": "0.2",
        "tracks": "cache",
    }
    assert options.ModelOptions(None, ["dtype=float32"], dtype="bfloat16").changes() == {
        "dtype": "float32"
    }
    assert options.ModelOptions().changes() == {}
