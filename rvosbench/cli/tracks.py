"""`rvosbench tracks`: make candidate tracks once, look at them, check them, share them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TypeAlias

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, progress, say, show

if TYPE_CHECKING:
    from rvosbench.contracts import Dataset
    from rvosbench.records import Json
    from rvosbench.tracks.maker import CandidateConfig
    from rvosbench.tracks.recall import Recall

app = typer.Typer(
    help="Track caches: the expensive stage, done once and shared.", no_args_is_help=True
)

Corruption: TypeAlias = "tuple[str | None, str, str, int, Path | None]"

Folder = Annotated[Path, typer.Argument(help="Folder of a track cache.")]
OptionalDataset = Annotated[
    Optional[str],  # noqa: UP045 typer reads the annotation at run time
    typer.Option("--dataset", help="Dataset that the tracks are of; default: look at files only."),
]
Part = Annotated[
    str, typer.Option(metavar="I/N", help="Only the I-th of N parts: one a machine, then copy.")
]


@app.command("build")
def build_command(
    out: Annotated[Path, typer.Option(help="Folder of the cache; a killed run is taken up.")],
    dataset: options.DatasetName = "demo",
    split: options.Split = None,
    data: options.Root = None,
    preset: options.Preset = None,
    settings: options.Settings = None,
    config: options.ConfigFile = None,
    truth: Annotated[
        bool, typer.Option("--truth", help="Add truth-prompted tracks, for training.")
    ] = False,
    text_encoder: Annotated[
        str, typer.Option(help="Also encode the sentences: demo, a hub id or a folder.")
    ] = "",
    token_dtype: Annotated[str, typer.Option(help="float32, or float16: half the size.")] = (
        "float32"
    ),
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    videos: options.Videos = None,
    limit: options.Limit = None,
    corruption: options.CorruptionSpec = None,
    corruption_mode: options.CorruptionMode = "fast",
    temporal: options.Temporal = "per_frame",
    corruption_seed: options.CorruptionSeed = 0,
    frost_dir: options.FrostDir = None,
    part: Part = "1/1",
    workers: options.Workers = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that were made otherwise.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Make the candidate tracks of a split, one file a video.

    Then run any method that needs tracks with `rvosbench eval --tracks DIR` and the same settings.

    Example: rvosbench tracks build --dataset mevis --split valid_u --data mevis --out cache
    """
    from rvosbench.execution.executors.local import local
    from rvosbench.tracks.building import BuildOptions, build_tracks

    changed = (corruption, corruption_mode, temporal, corruption_seed, frost_dir)
    opened = _open(dataset, split, data, changed)
    asked = _asked(opened, videos, limit)
    chosen = _part(asked, part)
    wanted = _config(preset, dataset, config, settings, dtype)
    extra = BuildOptions(truth, _token_dtype(token_dtype), device, overwrite, chosen)
    counts = {"made": 0, "reused": 0}
    with progress(f"tracks of {opened.name}/{opened.split}", len(chosen)) as advance:

        def on_done(unit: object, reused: bool) -> None:
            counts["reused" if reused else "made"] += 1
            advance(unit, reused)  # type: ignore[arg-type]

        build_tracks(opened, wanted, out, extra, local(workers), on_done)
    # Of all parts: any part's file of sentences is then the whole one, whichever is copied last.
    texts = _encode(opened, asked, out, text_encoder, device, dtype) if text_encoder else None
    if as_json:
        emit({"tracks": str(out), **counts, "texts": texts})
    else:
        say(f"{out}: {counts['made']} videos made, {counts['reused']} were there")


@app.command("info")
def info_command(
    folder: Folder,
    dataset: OptionalDataset = None,
    split: options.Split = None,
    data: options.Root = None,
    corruption: options.CorruptionSpec = None,
    corruption_mode: options.CorruptionMode = "fast",
    temporal: options.Temporal = "per_frame",
    corruption_seed: options.CorruptionSeed = 0,
    frost_dir: options.FrostDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Say what a cache holds and how it was made; with a dataset, its candidate recall.

    Recall tells failures of proposal from failures of selection: the IoU with the target of the
    best single track, and of the best union of tracks, by the source of their prompts.

    Example: rvosbench tracks info cache --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.tracks.summary import recall_of, summarize

    summary = summarize(folder)
    changed = (corruption, corruption_mode, temporal, corruption_seed, frost_dir)
    found = recall_of(folder, _open(dataset, split, data, changed)) if dataset else []
    if as_json:
        emit({**dataclasses.asdict(summary), "recall": [dataclasses.asdict(r) for r in found]})
        return
    facts = {**summary.counts, **summary.recipe}
    show(str(folder), ["", "value"], [[k, str(v)] for k, v in facts.items()], numbers=1)
    if found:
        _show_recall(found)


@app.command("verify")
def verify_command(
    folder: Folder,
    dataset: OptionalDataset = None,
    split: options.Split = None,
    data: options.Root = None,
    videos: options.Videos = None,
    corruption: options.CorruptionSpec = None,
    corruption_mode: options.CorruptionMode = "fast",
    temporal: options.Temporal = "per_frame",
    corruption_seed: options.CorruptionSeed = 0,
    frost_dir: options.FrostDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Read every row of a cache and check it; with a dataset, its frames and sentences too.

    Exits 1 if something is wrong.

    Example: rvosbench tracks verify cache --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.tracks.verifying import verify_tracks

    changed = (corruption, corruption_mode, temporal, corruption_seed, frost_dir)
    opened = _open(dataset, split, data, changed) if dataset else None
    problems = verify_tracks(folder, opened, videos.split(",") if videos else None)
    if as_json:
        emit({"tracks": str(folder), "ok": not problems, "problems": problems})
    for problem in () if as_json else problems:
        say(f"WRONG {problem}")
    if problems:
        raise typer.Exit(1)
    if not as_json:
        say(f"{folder}: all is well")


@app.command("push")
def push_command(
    folder: Folder,
    repository: Annotated[str, typer.Argument(help="owner/name on the Hugging Face hub.")],
    public: Annotated[bool, typer.Option("--public", help="Make a new repository public.")] = False,
) -> None:
    """Upload a cache to a dataset repository on the hub.

    Example: rvosbench tracks push cache me/mevis-tracks
    """
    from rvosbench.tracks.sharing import push_tracks

    say(push_tracks(folder, repository, private=not public))


@app.command("pull")
def pull_command(
    repository: Annotated[str, typer.Argument(help="owner/name on the Hugging Face hub.")],
    out: Annotated[Path, typer.Option(help="Folder of the cache.")],
    revision: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Branch, tag or commit; default: the newest."),
    ] = None,
) -> None:
    """Download a cache from the hub, or what is missing of it.

    Example: rvosbench tracks pull me/mevis-tracks --out cache
    """
    from rvosbench.tracks.sharing import pull_tracks

    say(f"{out}: {pull_tracks(repository, out, revision)} videos")


def _config(
    preset: str | None,
    dataset: str,
    file: Path | None,
    settings: list[str] | None,
    dtype: str,
) -> CandidateConfig:
    from rvosbench.config import configure, parse_assignments, read_toml
    from rvosbench.errors import UnknownNameError
    from rvosbench.tracks.maker import PRESETS, CandidateConfig

    preset = preset or ("demo" if dataset == "demo" else "released")
    if preset not in PRESETS:
        raise UnknownNameError("preset", preset, PRESETS)
    changes: dict[str, Json] = {**PRESETS[preset], **(read_toml(file) if file else {})}
    if dtype != "auto":
        changes["dtype"] = dtype
    return configure(CandidateConfig(), {**changes, **parse_assignments(settings or [])})


def _part(videos: list[str], part: str) -> list[str]:
    from rvosbench.errors import UsageError

    index, slash, count = part.partition("/")
    if not (slash and index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--part {part!r}: wanted I/N, such as 2/8")
    return videos[int(index) - 1 :: int(count)]


def _asked(dataset: Dataset, videos: str | None, limit: int | None) -> list[str]:
    from rvosbench.datasets.capabilities import video_ids
    from rvosbench.errors import UsageError

    known = video_ids(dataset)
    ids = videos.split(",") if videos else known
    unknown = [video for video in ids if video not in set(known)]
    if unknown:
        raise UsageError(
            f"{dataset.name}/{dataset.split} has no video {unknown[0]!r} ({len(known)} videos)"
        )
    return ids[:limit]


def _token_dtype(name: str) -> str:
    from rvosbench.errors import UnknownNameError

    if name not in ("float32", "float16"):
        raise UnknownNameError("token dtype", name, ("float32", "float16"))
    return name


def _encode(
    dataset: Dataset, videos: list[str], out: Path, encoder: str, device: str, dtype: str
) -> str:
    from rvosbench.tracks.words import build_words

    texts = [e.text for video in videos for e in dataset.sample(video).expressions]
    return str(build_words(out, texts, encoder, device, dtype))


def _open(name: str, split: str | None, data: Path | None, changed: Corruption) -> Dataset:
    from rvosbench.cli.robustness import open_corrupted, plans
    from rvosbench.errors import UsageError

    wanted = plans(*changed)
    if len(wanted) > 1:
        raise UsageError(f"--corruption {changed[0]!r}: a cache is of one corruption, or none")
    return open_corrupted(name, data, split, wanted)


def _show_recall(found: list[Recall]) -> None:
    rows = [
        [
            r.source,
            str(r.expressions),
            f"{r.tracks:.1f}",
            percent(r.best_track),
            percent(r.best_union),
            percent(r.found),
        ]
        for r in found
    ]
    columns = ["prompts", "expressions", "tracks", "best track", "best union", "found"]
    show("candidate recall: IoU with the target, x 100", columns, rows, numbers=5)
