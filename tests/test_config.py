from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from rvosbench.config import configure, differences, keys, parse_assignments, read_toml
from rvosbench.errors import ConfigurationError


@dataclass(frozen=True)
class Inner:
    points: int = 32
    mode: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Outer:
    threshold: float = 0.5
    flag: bool = False
    name: str | None = None
    scales: tuple[int, ...] = (1, 2)
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        if self.threshold > 1:
            raise ValueError("threshold must be in [0, 1]")


def test_text_becomes_the_type_of_the_field() -> None:
    changes = {
        "threshold": "0.25",
        "flag": "yes",
        "name": "x",
        "scales": "[3, 4]",
        "inner.points": "8",
        "inner.mode": "b",
    }
    assert configure(Outer(), changes) == Outer(0.25, True, "x", (3, 4), Inner(8, "b"))
    assert configure(Outer(name="x"), {"name": "none"}).name is None


def test_differences_name_only_what_changed() -> None:
    assert differences(Outer()) == {}
    assert differences(configure(Outer(), {"inner.points": 8, "scales": "[3]"})) == {
        "inner.points": 8,
        "scales": [3],
    }
    assert keys(Outer) == ("threshold", "flag", "name", "scales", "inner.points", "inner.mode")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("treshold", "1", "did you mean 'threshold'"),
        ("inner.point", "1", "unknown configuration key 'inner.point'"),
        ("points", "1", "unknown configuration key"),
        ("threshold.x", "1", "unknown configuration key 'threshold.x'"),
        ("threshold", "high", "wanted float"),
        ("threshold", "2", r"threshold must be in \[0, 1\]"),
        ("flag", "maybe", "wanted bool"),
        ("inner.mode", "c", "wanted a or b"),
        ("scales", "three", "wanted"),
    ],
)
def test_a_wrong_setting_is_an_error(key: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configure(Outer(), {key: value})


@dataclass(frozen=True)
class Sized:
    width: int = 8
    heads: int = 8

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"{self.width} does not split into {self.heads}")


@pytest.mark.parametrize("names", [("width", "heads"), ("heads", "width")])
def test_settings_that_only_fit_together_come_in_any_order(names: tuple[str, str]) -> None:
    wanted = {"width": "12", "heads": "3"}
    assert configure(Sized(), {name: wanted[name] for name in names}) == Sized(12, 3)
    with pytest.raises(ConfigurationError, match="width=12: 12 does not split into 8"):
        configure(Sized(), {"width": "12"})


def test_assignments_and_toml(tmp_path: Path) -> None:
    assert parse_assignments(["a.b=1=2", " c = d"]) == {"a.b": "1=2", "c": "d"}
    with pytest.raises(ConfigurationError, match="wanted key=value"):
        parse_assignments(["a"])
    path = tmp_path / "c.toml"
    path.write_text("threshold = 0.4\n[inner]\npoints = 4\n", encoding="utf-8")
    assert configure(Outer(), read_toml(path)) == Outer(threshold=0.4, inner=Inner(points=4))
    path.write_text("threshold =", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"c\.toml"):
        read_toml(path)
