"""Options that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

MethodName = Annotated[str, typer.Option(help="Method name, see `rvosbench methods list`.")]
DatasetName = Annotated[str, typer.Option(help="Dataset name, see `rvosbench data list`.")]
Split = Annotated[
    Optional[str],  # noqa: UP045 typer reads the annotation at run time
    typer.Option(help="Split as its authors name it; default: the dataset's validation split."),
]
Root = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--data", help="Root folder of the dataset; the demo needs none."),
]
ProtocolName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--protocol", help="Scoring protocol; default: the dataset's official one."),
]
Preset = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        help="demo (embedded small weights), released (the authors' code) or paper; default: demo "
        "on the demo dataset, released everywhere else."
    ),
]
Settings = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="KEY=VALUE", help="Change a field of the configuration."),
]
ConfigFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--config", help="TOML file of fields to change; --set comes after it."),
]
Tracks = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--tracks",
        metavar="DIR",
        help="Read candidate tracks from a cache of `rvosbench tracks build`.",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Dtype = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
Videos = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(metavar="ID,...", help="Only these videos; recorded in the signature."),
]
Limit = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(min=1, help="Only the first N videos; recorded in the signature."),
]
Out = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Run folder; default: a folder under runs/ named after the run."),
]
Workers = Annotated[int, typer.Option(min=0, help="Processes; 0 works in this one.")]
Resume = Annotated[bool, typer.Option("--resume", help="Take up a killed run in the same folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]

CorruptionSpec = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--corruption",
        metavar="NAME:SEVERITY",
        help="Corrupt the frames on the fly, such as motion_blur:5. Several (fog:1-5,frost:3, "
        "noise:5, all) give a robustness report.",
    ),
]
CorruptionMode = Annotated[
    str, typer.Option(help="fast, or exact: the original's bytes for the original's draws.")
]
Temporal = Annotated[
    str,
    typer.Option(
        help="per_frame draws a corruption anew for each frame, as ImageNet-C does; per_video "
        "shares angle, fog, frost, water and deformation; drift lets them change smoothly."
    ),
]
CorruptionSeed = Annotated[int, typer.Option(help="Of everything random in a corruption.")]
FrostDir = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        metavar="DIR",
        help="Folder of the original frost pictures, or 'imagecorruptions' for those of that "
        "package if it is installed; default: our own.",
    ),
]
