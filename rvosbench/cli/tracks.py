"""`rvosbench tracks`: make candidate tracks once, look at them, check them, share them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, progress, say, show, verdict
from rvosbench.errors import UsageError

if TYPE_CHECKING:
    from rvosbench.contracts import Dataset
    from rvosbench.tracks.recall import Recall

app = typer.Typer(
    help="Track caches: the expensive stage, done once and shared.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="Folder of a track cache.")]
Part = Annotated[
    str, typer.Option(metavar="I/N", help="Only the I-th of N parts: one a machine, then copy.")
]


@dataclass(frozen=True)
class ContentOptions:
    """What a cache holds besides candidate tracks."""

    truth: Annotated[
        bool, typer.Option("--truth", help="Add truth-prompted tracks, for training.")
    ] = False
    text_encoder: Annotated[
        str, typer.Option(help="Also encode the expressions: demo, a hub id or a folder.")
    ] = ""
    token_dtype: Annotated[
        Literal["float32", "float16"], typer.Option(help="float32, or float16: half the size.")
    ] = "float32"


@dataclass(frozen=True)
class TheirDataset(options.CorruptionOptions):
    """The dataset that tracks are of."""

    dataset: Annotated[
        str | None, typer.Option(help="Dataset of these tracks; default: look at files only.")
    ] = None
    split: options.Split = None
    data: options.Root = None

    def opened(self) -> Dataset | None:
        """None if only files are to be looked at. Raises UsageError."""
        if self.dataset is None:
            return None
        return options.SplitOptions(self.dataset, self.split, self.data).choice(self.plan()).dataset


@app.command("build")
@options.grouped
def build_command(
    out: Annotated[Path, typer.Option(help="Folder of the cache; a killed run is continued.")],
    source: options.SplitOptions,
    corruption: options.CorruptionOptions,
    models: options.ModelOptions,
    content: ContentOptions,
    videos: options.Videos = None,
    limit: options.Limit = None,
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
    from rvosbench.tracks.cache_build import BuildOptions, build_tracks
    from rvosbench.tracks.candidates import choose_candidates
    from rvosbench.tracks.text_tokens import build_text_tokens

    choice = source.choice(corruption.plan(), videos, limit)
    chosen, opened, seen = _part(choice.video_ids, part), choice.dataset, Counter[bool]()
    wanted = choose_candidates(models.preset, models.changes(), source.dataset)
    extra = BuildOptions(content.truth, content.token_dtype, models.device, overwrite, chosen)
    with progress(f"tracks of {opened.name}/{opened.split}", len(chosen)) as advance:

        def on_done(unit: object, reused: bool) -> None:
            seen[reused] += 1
            advance(unit, reused)

        build_tracks(opened, wanted, out, extra, local(workers), on_done)
    texts = None
    if content.text_encoder:
        # Of all parts: any part's file of texts is then the whole one, whichever is copied last.
        expressions = [e.text for v in choice.video_ids for e in opened.sample(v).expressions]
        how = (content.text_encoder, models.device, models.dtype)
        texts = build_text_tokens(out, expressions, *how)
    if as_json:
        made, reused = seen[False], seen[True]
        emit({"tracks": str(out), "made": made, "reused": reused, "texts": texts and str(texts)})
    else:
        say(f"{out}: {seen[False]} videos made, {seen[True]} were there")


@app.command("info")
@options.grouped
def info_command(folder: Folder, theirs: TheirDataset, as_json: options.AsJson = False) -> None:
    """Say what a cache holds and how it was made; with a dataset, its candidate recall.

    Recall tells failures of proposal from failures of selection: the IoU with the target of the
    best single track, and of the best union of tracks, by the source of their prompts.

    Example: rvosbench tracks info cache --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.tracks.cache import TrackCache
    from rvosbench.tracks.recall import recall_of

    cache, opened = TrackCache(folder), theirs.opened()
    summary, found = cache.summary(), recall_of(cache, opened) if opened else []
    if as_json:
        emit({**summary, "recall": [dataclasses.asdict(r) for r in found]})
        return
    facts = {**summary["counts"], **summary["recipe"]}
    show(str(folder), ["", "value"], [[k, str(v)] for k, v in facts.items()], numbers=1)
    if found:
        _show_recall(found)


@app.command("verify")
@options.grouped
def verify_command(
    folder: Folder,
    theirs: TheirDataset,
    videos: options.Videos = None,
    as_json: options.AsJson = False,
) -> None:
    """Read every row of a cache and check it; with a dataset, its frames and expressions too.

    Exits 1 if something is wrong.

    Example: rvosbench tracks verify cache --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.tracks.cache import TrackCache

    problems = TrackCache(folder).problems(theirs.opened(), options.parse_videos(videos))
    facts = {"tracks": str(folder), "ok": not problems, "problems": problems}
    outcome = f"{len(problems)} problems" if problems else "all is well"
    verdict(as_json, facts, problems, f"{folder}: {outcome}")


@app.command("push")
def push_command(
    folder: Folder,
    repository: Annotated[str, typer.Argument(help="owner/name on the Hugging Face hub.")],
    public: Annotated[bool, typer.Option("--public", help="Make a new repository public.")] = False,
) -> None:
    """Upload a cache to a dataset repository on the hub.

    Example: rvosbench tracks push cache me/mevis-tracks
    """
    from rvosbench.tracks.hub import push_tracks

    say(push_tracks(folder, repository, private=not public))


@app.command("pull")
def pull_command(
    repository: Annotated[str, typer.Argument(help="owner/name on the Hugging Face hub.")],
    out: Annotated[Path, typer.Option(help="Folder of the cache.")],
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit; default: the newest.")
    ] = None,
) -> None:
    """Download a cache from the hub, or what is missing of it.

    Example: rvosbench tracks pull me/mevis-tracks --out cache
    """
    from rvosbench.tracks.hub import pull_tracks

    say(f"{out}: {pull_tracks(repository, out, revision)} videos")


def _part(videos: list[str], part: str) -> list[str]:
    index, slash, count = part.partition("/")
    if not (slash and index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--part {part!r}: wanted I/N, such as 2/8")
    return videos[int(index) - 1 :: int(count)]


def _show_recall(found: list[Recall]) -> None:
    rows = [
        [r.source, str(r.expressions), f"{r.tracks:.1f}"]
        + [percent(share) for share in (r.best_track, r.best_union, r.found)]
        for r in found
    ]
    columns = ["prompts", "expressions", "tracks", "best track", "best union", "found"]
    show("candidate recall: IoU with the target, x 100", columns, rows, numbers=5)
