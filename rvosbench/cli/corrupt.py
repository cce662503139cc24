"""`rvosbench corrupt`: a corrupted copy of a dataset, and checking one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import ProgressColumn, Task, TextColumn
from rich.text import Text

from rvosbench.cli import options
from rvosbench.cli.screen import bar, emit, say, verdict
from rvosbench.corruptions.plan import Plan
from rvosbench.errors import UsageError

if TYPE_CHECKING:
    from rvosbench.contracts import Dataset
    from rvosbench.datasets.corrupted_copy import CorruptedCopy
    from rvosbench.execution.units import Unit


@dataclass(frozen=True)
class PlanOptions:
    """What is done to the frames; fields as in `Plan`."""

    kind: Annotated[
        str | None,
        typer.Option("--type", help="Corruption, one of ImageNet-C's 19, such as motion_blur."),
    ] = None
    severity: Annotated[int, typer.Option(help="1 to 5.")] = 5
    mode: options.CorruptionMode = "fast"
    temporal: options.Temporal = "per_frame"
    seed: options.CorruptionSeed = 0
    frost_dir: options.FrostDir = None

    def plan(self) -> Plan:
        """Raises UsageError."""
        if self.kind is None:
            raise UsageError(
                "which corruption? For example: rvosbench corrupt --type motion_blur --severity 5"
            )
        how = (self.mode, self.temporal, self.seed, self.frost_dir)
        return Plan(self.kind, self.severity, *how)


@dataclass(frozen=True)
class StorageOptions:
    """How a copy is stored; fields as in `Storage`."""

    image_format: Annotated[
        Literal["png", "jpeg"],
        typer.Option("--format", help="png keeps every bit, jpeg is ImageNet-C's storage."),
    ] = "png"
    quality: Annotated[int, typer.Option(help="Quality of JPEG.")] = 85
    names: Annotated[
        Literal["frame", "keep"],
        typer.Option(help="frame: <frame>.png; keep: the source's file names, whatever they hold."),
    ] = "frame"
    annotations: Annotated[
        Literal["link", "copy"],
        typer.Option(help="link or copy expressions and masks of the source."),
    ] = "link"


@options.grouped
def corrupt_command(
    source: options.SplitOptions,
    wanted: PlanOptions,
    stored: StorageOptions,
    out: Annotated[
        Path | None, typer.Option(help="Root of the copy; default: a folder under corrupted/.")
    ] = None,
    workers: options.Workers = 0,
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
    from rvosbench.corruptions.contact import write_contact_sheet
    from rvosbench.corruptions.storage import Storage
    from rvosbench.datasets.copy_build import CopyOptions, write_copy
    from rvosbench.datasets.corrupted_copy import CorruptedCopy

    if verify is not None:
        _verify(CorruptedCopy(verify), as_json)
        return
    if contact_sheet is not None:
        video = next(iter(options.SplitOptions().choice().dataset)).video
        middle = video.read(len(video) // 2)
        write_contact_sheet(contact_sheet, middle, wanted.kind, wanted.seed, wanted.frost_dir)
        say(f"contact sheet: {contact_sheet}")
        return
    plan, opened = wanted.plan(), source.choice().dataset
    storage = Storage(stored.image_format, stored.quality, stored.names == "keep")
    copy = CorruptedCopy(out or _default_folder(opened, plan, storage.mark))
    say(f"{plan.signature} of {opened.name}/{opened.split}: {len(opened)} videos")
    with _progress(opened) as on_done:
        run = CopyOptions(storage, stored.annotations == "link", workers, on_done)
        write_copy(opened, plan, copy.folder, source.data, run)
    _finish(opened, copy, as_json)


def _default_folder(dataset: Dataset, plan: Plan, mark: str) -> Path:
    """A readable name; what differs from the defaults is added."""
    parts = [dataset.name, dataset.split, plan.name, str(plan.severity)]
    parts += [plan.mode] * (plan.mode != "fast") + [plan.temporal] * (plan.temporal != "per_frame")
    parts += [f"seed{plan.seed}"] * bool(plan.seed) + [mark.strip(",")] * bool(mark)
    return Path("corrupted") / "-".join(parts)


def _finish(dataset: Dataset, copy: CorruptedCopy, as_json: bool) -> None:
    content, out = copy.manifest(), copy.folder
    name = dataset.name if content["source"]["layout"] == "source" else "folder"
    split = f" --split {dataset.split}" if name == dataset.name else ""
    preset = " --preset demo" if dataset.name == "demo" else ""
    manifest, count = str(copy.manifest_file), len(content["files"])
    if as_json:
        facts = {k: v for k, v in content.items() if k not in ("files", "frames")}
        emit({**facts, "files": count, "out": str(out), "manifest": manifest})
    say(f"{count} files below {out}, listed in {manifest}")
    say(
        "Score a method on it with\n"
        f"  rvosbench eval --method sola{preset} --dataset {name}{split} --data {out}"
    )


def _verify(copy: CorruptedCopy, as_json: bool) -> None:
    count, found = len(copy.manifest()["files"]), list(copy.faults())
    facts = {"files": count, "ok": not found, "wrong": [vars(fault) for fault in found]}
    problems = [f"{copy.folder / fault.path}: {fault.what}" for fault in found]
    advice = "\nRun the command that made this copy again: it makes these anew." if found else ""
    verdict(as_json, facts, problems, f"{count} files, {len(found)} wrong{advice}")


class _FramesPerSecond(ProgressColumn):
    """Speed since the first video was finished in this run."""

    def render(self, task: Task) -> Text:
        """For example `212 frames/s`."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.0f} frames/s" if speed else "- frames/s")


@contextmanager
def _progress(dataset: Dataset) -> Iterator[Callable[[Unit, bool], None]]:
    """A progress bar over frames on stderr: what to call for each video."""
    frames = {sample.video.id: len(sample.video) for sample in dataset}
    columns = (_FramesPerSecond(), TextColumn(","))
    with bar("corrupting", sum(frames.values()), "frames,", *columns) as (shown, task):
        yield lambda unit, reused: shown.advance(task, frames[unit.key])
