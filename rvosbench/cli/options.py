"""Options that several commands share, each described once.

Options that belong together are a dataclass; `grouped` spells it out on the command line.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import typer

from rvosbench.config import Json, parse_assignments, read_toml
from rvosbench.corruptions.plan import Plan, parse
from rvosbench.datasets.choice import DatasetChoice
from rvosbench.errors import UsageError

MethodName = Annotated[str, typer.Option(help="Method name, see `rvosbench methods list`.")]
DatasetName = Annotated[str, typer.Option(help="Dataset name, see `rvosbench data list`.")]
Split = Annotated[
    str | None,
    typer.Option(help="Split as its authors name it; default: the dataset's validation split."),
]
Root = Annotated[
    Path | None, typer.Option("--data", help="Root folder of the dataset; the demo needs none.")
]
ProtocolName = Annotated[
    str | None,
    typer.Option("--protocol", help="Scoring protocol; default: the dataset's official one."),
]
Preset = Annotated[
    str | None,
    typer.Option(
        help="demo (embedded small weights), released (the authors' code) or paper; default: demo "
        "on the demo dataset, released everywhere else."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a field of the configuration."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file of fields to change; --set comes after it."),
]
Tracks = Annotated[
    Path | None,
    typer.Option(
        "--tracks",
        metavar="DIR",
        help="Read candidate tracks from a cache of `rvosbench tracks build`.",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Dtype = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
Videos = Annotated[
    str | None, typer.Option(metavar="ID,...", help="Only these videos; recorded in the signature.")
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Only the first N videos; recorded in the signature.")
]
Out = Annotated[
    Path | None, typer.Option(help="Run folder; default: a folder under runs/ named after the run.")
]
Workers = Annotated[int, typer.Option(min=0, help="Processes; 0 works in this one.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue a killed run in the same folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]

CorruptionSpec = Annotated[
    str | None,
    typer.Option(
        "--corruption",
        metavar="NAME:SEVERITY",
        help="Corrupt the frames on the fly, such as motion_blur:5. Several (fog:1-5,frost:3, "
        "noise:5, all) give a robustness report.",
    ),
]
CorruptionMode = Annotated[
    Literal["fast", "exact"],
    typer.Option(help="fast, or exact: the original's bytes for the original's draws."),
]
Temporal = Annotated[
    Literal["per_frame", "per_video", "drift"],
    typer.Option(
        help="per_frame draws a corruption anew for each frame, as ImageNet-C does; per_video "
        "shares angle, fog, frost, water and deformation; drift lets them change smoothly."
    ),
]
CorruptionSeed = Annotated[int, typer.Option(help="Seed of everything random in a corruption.")]
FrostDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the original frost pictures, or 'imagecorruptions' for those of that "
        "package if it is installed; default: our own.",
    ),
]


@dataclass(frozen=True)
class CorruptionOptions:
    """What is done to frames when they are read."""

    corruption: CorruptionSpec = None
    corruption_mode: CorruptionMode = "fast"
    temporal: Temporal = "per_frame"
    corruption_seed: CorruptionSeed = 0
    frost_dir: FrostDir = None

    def plans(self) -> tuple[Plan, ...]:
        """All corruptions that were asked for; none without `--corruption`. Raises UsageError."""
        if self.corruption is None:
            return ()
        how = (self.corruption_mode, self.temporal, self.corruption_seed, self.frost_dir)
        return tuple(Plan(name, severity, *how) for name, severity in parse(self.corruption))

    def plan(self) -> Plan | None:
        """The one corruption that was asked for, or None. Raises UsageError for several."""
        plans = self.plans()
        if len(plans) > 1:
            raise UsageError(
                f"--corruption {self.corruption!r}: this command takes one corruption, or none"
            )
        return plans[0] if plans else None


@dataclass(frozen=True)
class SplitOptions:
    """A split of a dataset."""

    dataset: DatasetName = "demo"
    split: Split = None
    data: Root = None

    def choice(
        self, plan: Plan | None = None, videos: str | None = None, limit: int | None = None
    ) -> DatasetChoice:
        """The split, or some of its videos; nothing is opened yet. Raises UsageError."""
        return DatasetChoice(self.dataset, self.split, self.data, plan, parse_videos(videos), limit)


@dataclass(frozen=True)
class ModelOptions:
    """Which configuration of models, and where they run."""

    preset: Preset = None
    settings: Settings = None
    config: ConfigFile = None
    device: Device = "auto"
    dtype: Dtype = "auto"

    def changes(self, tracks: Path | None = None) -> dict[str, Json]:
        """What is changed in a configuration: the file first, `--set` last."""
        found: dict[str, Json] = read_toml(self.config) if self.config else {}
        if self.dtype != "auto":
            found["dtype"] = self.dtype
        if tracks is not None:
            found["tracks"] = str(tracks)
        return {**found, **parse_assignments(self.settings or [])}


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every parameter that is one of these dataclasses spelled out as options."""
    given = inspect.signature(command, eval_str=True).parameters.values()
    kinds = {p.name: p.annotation for p in given if isinstance(p.annotation, type)}
    groups = {name: _options(kind) for name, kind in kinds.items() if is_dataclass(kind)}
    spelt = [s for p in given for s in groups.get(p.name, [_keyword(p)])]

    @functools.wraps(command)
    def called(**values: object) -> None:
        for name, group in groups.items():
            values[name] = kinds[name](**{p.name: values.pop(p.name) for p in group})
        command(**values)

    called.__signature__ = inspect.Signature(spelt)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in spelt}
    return called


def _options(kind: type) -> list[inspect.Parameter]:
    """The fields of a dataclass, which all have defaults."""
    hints = get_type_hints(kind, include_extras=True)
    parameters = inspect.signature(kind).parameters.values()
    return [_keyword(p).replace(annotation=hints[p.name]) for p in parameters]


def _keyword(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def parse_videos(text: str | None) -> tuple[str, ...] | None:
    """Video ids from a command line: "a, b" -> ("a", "b"); repetitions count once.

    None, the option that was not given, is no restriction. An empty text is refused: it is what an
    unset variable of a shell script leaves, and would otherwise mean the whole split.

    Raises:
        UsageError: an empty id.
    """
    if text is None:
        return None
    ids = tuple(part.strip() for part in text.split(","))
    if not all(ids):
        raise UsageError(
            f"--videos {text!r}: an empty video id; wanted ids with commas between them, such as "
            "--videos a,b, or no --videos at all for every video"
        )
    return tuple(dict.fromkeys(ids))
