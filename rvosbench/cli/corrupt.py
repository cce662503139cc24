"""`rvosbench corrupt`: a corrupted copy of a dataset, and checking one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import Task, TextColumn
from rich.text import Text

from rvosbench.cli import options
from rvosbench.cli.screen import bar, emit, say
from rvosbench.errors import UsageError

if TYPE_CHECKING:
    from rvosbench.contracts import Dataset
    from rvosbench.corruptions.plan import Plan
    from rvosbench.execution.units import Unit
    from rvosbench.records import Sample

Kind = Annotated[
    str | None,
    typer.Option("--type", help="Corruption, one of the 19 of ImageNet-C, such as motion_blur."),
]


@options.grouped
def corrupt_command(
    source: options.SplitOptions,
    kind: Kind = None,
    severity: Annotated[int, typer.Option(help="1 to 5.")] = 5,
    out: Annotated[
        Path | None,
        typer.Option(help="Root of the copy; default: a folder under corrupted/."),
    ] = None,
    mode: options.CorruptionMode = "fast",
    temporal: options.Temporal = "per_frame",
    seed: options.CorruptionSeed = 0,
    image_format: Annotated[
        Literal["png", "jpeg"],
        typer.Option("--format", help="png keeps every bit, jpeg is ImageNet-C's storage."),
    ] = "png",
    quality: Annotated[int, typer.Option(help="Of JPEG.")] = 85,
    names: Annotated[
        Literal["frame", "keep"],
        typer.Option(help="frame: <frame>.png; keep: the source's file names, whatever they hold."),
    ] = "frame",
    annotations: Annotated[
        Literal["link", "copy"],
        typer.Option(help="link or copy expressions and masks of the source."),
    ] = "link",
    workers: options.Workers = 0,
    frost_dir: options.FrostDir = None,
    verify: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Check a copy against its manifest, do nothing else."),
    ] = None,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw one frame under all corruptions, nothing else."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a corrupted copy of a dataset (ImageNet-C), byte for byte the same for everybody.

    The copy opens with the same loader. Run the same command again to finish a killed run or to
    repair damaged files.

    Example: rvosbench corrupt --type motion_blur --severity 5
    """
    from rvosbench.corruptions.plan import Plan
    from rvosbench.corruptions.storage import Storage
    from rvosbench.datasets.copy_build import CopyOptions, write_copy

    if verify is not None:
        _verify(verify, as_json)
        return
    if contact_sheet is not None:
        _contact_sheet(contact_sheet, kind, seed, frost_dir)
        return
    if kind is None:
        raise UsageError(
            "which corruption? For example: rvosbench corrupt --type motion_blur --severity 5"
        )
    plan = Plan(kind, severity, mode, temporal, seed, frost_dir)
    storage = Storage(image_format, quality, names == "keep")
    opened = source.choice().dataset
    place = out or _default_folder(opened, plan, storage.mark)
    say(f"{plan.signature} of {opened.name}/{opened.split}: {len(opened)} videos")
    with _progress() as (on_start, on_done):
        run = CopyOptions(storage, annotations == "link", workers, on_start, on_done)
        manifest = write_copy(opened, plan, place, source.data, run)
    _finish(opened, place, manifest, as_json)


def _default_folder(dataset: Dataset, plan: Plan, mark: str) -> Path:
    """A readable name; what differs from the defaults is added."""
    parts = [dataset.name, dataset.split, plan.name, str(plan.severity)]
    parts += [plan.mode] * (plan.mode != "fast") + [plan.temporal] * (plan.temporal != "per_frame")
    parts += [f"seed{plan.seed}"] * bool(plan.seed) + [mark.strip(",")] * bool(mark)
    return Path("corrupted") / "-".join(parts)


def _finish(dataset: Dataset, out: Path, manifest: Path, as_json: bool) -> None:
    from rvosbench.datasets.corrupted_copy import CorruptedCopy

    content = CorruptedCopy(out).manifest()
    name = dataset.name if content["source"]["layout"] == "source" else "folder"
    split = f" --split {dataset.split}" if name == dataset.name else ""
    preset = " --preset demo" if dataset.name == "demo" else ""
    if as_json:
        facts = {k: v for k, v in content.items() if k not in ("files", "frames")}
        emit({**facts, "files": len(content["files"]), "out": str(out), "manifest": str(manifest)})
    say(f"{len(content['files'])} files below {out}, listed in {manifest}")
    say(
        "Score a method on it with\n"
        f"  rvosbench eval --method sola{preset} --dataset {name}{split} --data {out}"
    )


def _verify(root: Path, as_json: bool) -> None:
    from rvosbench.datasets.corrupted_copy import CorruptedCopy

    copy = CorruptedCopy(root)
    count, found = len(copy.manifest()["files"]), list(copy.faults())
    if as_json:
        wrong = [{"path": f.path, "what": f.what} for f in found]
        emit({"files": count, "ok": not found, "wrong": wrong})
    for fault in found:
        say(f"{root / fault.path}: {fault.what}")
    say(f"{count} files, {len(found)} wrong")
    if found:
        say("Run the command that made this copy again: it makes these anew.")
        raise typer.Exit(1)


def _contact_sheet(path: Path, kind: str | None, seed: int, frost_dir: Path | None) -> None:
    from rvosbench.corruptions.contact import contact_sheet, save_sheet
    from rvosbench.corruptions.table import CORRUPTIONS, corruption
    from rvosbench.datasets import load_dataset

    names = CORRUPTIONS if kind is None else (corruption(kind).name,)
    video = next(iter(load_dataset("demo"))).video
    sheet = contact_sheet(video.read(len(video) // 2), names, seed, frost_dir)
    save_sheet(sheet, path)
    say(f"contact sheet: {path}")


class _FramesPerSecond(TextColumn):
    """Speed since the first video was finished in this run."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> object:  # type: ignore[override]
        """For example `212 frames/s`."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.0f} frames/s" if speed else "- frames/s")


@contextmanager
def _progress() -> Iterator[
    tuple[Callable[[Sequence[Sample]], None], Callable[[Unit, bool], None]]
]:
    """A progress bar over frames on stderr: what to call at the start, and for each video."""
    frames: dict[str, int] = {}
    with bar("corrupting", None, "frames,", _FramesPerSecond(), TextColumn(",")) as (shown, task):

        def start(samples: Sequence[Sample]) -> None:
            frames.update({sample.video.id: len(sample.video) for sample in samples})
            shown.update(task, total=sum(frames.values()))

        yield start, lambda unit, reused: shown.advance(task, frames[unit.key])
