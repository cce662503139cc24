"""`rvosbench eval` and `rvosbench score`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, progress, say, show

if TYPE_CHECKING:
    from rvosbench.contracts import Dataset, ScoringProtocol
    from rvosbench.corruptions.plan import Plan
    from rvosbench.records import Json
    from rvosbench.runs.methods import MethodChoice
    from rvosbench.runs.result import Result


def evaluate_command(
    method: options.MethodName,
    dataset: options.DatasetName = "demo",
    split: options.Split = None,
    data: options.Root = None,
    protocol: options.ProtocolName = None,
    preset: options.Preset = None,
    settings: options.Settings = None,
    config: options.ConfigFile = None,
    tracks: options.Tracks = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    videos: options.Videos = None,
    limit: options.Limit = None,
    corruption: options.CorruptionSpec = None,
    corruption_mode: options.CorruptionMode = "fast",
    temporal: options.Temporal = "per_frame",
    corruption_seed: options.CorruptionSeed = 0,
    frost_dir: options.FrostDir = None,
    out: options.Out = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    """Run a method on a dataset and score it.

    Without truth (MeViS valid) the predictions are written, ready to be packed and submitted.
    With several corruptions the result is a robustness report.

    Example: rvosbench eval --method sola
    """
    from rvosbench.cli.robustness import open_corrupted, plans, report_robustness
    from rvosbench.runs.evaluate import RunOptions, evaluate
    from rvosbench.runs.methods import load_method

    wanted = plans(corruption, corruption_mode, temporal, corruption_seed, frost_dir)
    opened = open_corrupted(dataset, data, split, wanted)
    changes = _changes(config, settings, dtype)
    if tracks is not None:
        changes["tracks"] = str(tracks)
    choice = load_method(method, preset, changes, device, dataset)
    chosen = _chosen(opened, videos, limit)
    place = out or _default_folder(choice, opened, protocol, chosen, wanted)
    _announce(choice, opened, len(chosen or opened))
    if len(wanted) > 1:
        task = (opened, wanted, protocol, chosen)
        report_robustness(choice, task, RunOptions(place, resume, workers), as_json)
        return
    with progress(f"{method} on {dataset}", len(chosen or opened)) as on_done:
        run = RunOptions(place, resume, workers, on_done)
        result = evaluate(choice, opened, protocol, chosen, run)
    _finish(result, place, as_json)


def score_command(
    predictions: Annotated[Path, typer.Argument(help="Folder or zip of predictions.")],
    dataset: options.DatasetName,
    split: options.Split = None,
    data: options.Root = None,
    protocol: options.ProtocolName = None,
    missing: Annotated[
        str, typer.Option(help="error, or zero: what is missing counts as empty masks.")
    ] = "error",
    compat: Annotated[
        str, typer.Option(help="ours, or official: with the known defects of the official tool.")
    ] = "ours",
    videos: options.Videos = None,
    out: options.Out = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    """Score predictions made by anybody.

    Masks as <video>/<expression>/<frame>.png in a folder or zip, run lengths in a JSON file, or a
    run folder; for the DAVIS protocols label images as <video>/<frame>.png.

    Example: rvosbench score results.zip --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.datasets import load_dataset
    from rvosbench.records import MissingPolicy
    from rvosbench.runs.evaluate import RunOptions, score

    opened = load_dataset(dataset, data, split)
    policy, chosen = MissingPolicy(missing), _variant(opened, protocol, compat)
    ids = videos.split(",") if videos else None
    with progress(f"scoring {predictions.name}", len(ids or opened)) as on_done:
        run = RunOptions(out, resume, workers, on_done)
        result = score(predictions, opened, chosen, policy, run, ids)
    _finish(result, out, as_json)


def _variant(dataset: Dataset, protocol: str | None, compat: str) -> ScoringProtocol:
    from rvosbench.errors import UsageError
    from rvosbench.metrics import official

    if compat not in ("ours", "official"):
        raise UsageError(f"unknown --compat {compat!r}: wanted ours or official")
    return official.protocol(protocol or dataset.protocols[0], compat == "official")


def _changes(config: Path | None, settings: list[str] | None, dtype: str) -> dict[str, Json]:
    from rvosbench.config import parse_assignments, read_toml

    changes: dict[str, Json] = read_toml(config) if config else {}
    if dtype != "auto":
        changes["dtype"] = dtype
    return {**changes, **parse_assignments(settings or [])}


def _chosen(dataset: Dataset, videos: str | None, limit: int | None) -> list[str] | None:
    if videos is None and limit is None:
        return None
    ids = videos.split(",") if videos else [sample.video.id for sample in dataset]
    return ids[:limit]


def _default_folder(
    choice: MethodChoice,
    dataset: Dataset,
    protocol: str | None,
    videos: list[str] | None,
    plans: Sequence[Plan],
) -> Path:
    """A readable name, and a hash so that no other configuration shares the folder."""
    from rvosbench.recipe import digest

    facts = [choice.facts(), protocol, videos, choice.device, dataset.fingerprint]
    given = getattr(dataset, "corruption", None)
    facts += [plan.signature for plan in plans] or ([str(given)] if given else [])
    return Path("runs") / f"{choice.name}-{dataset.name}-{dataset.split}-{digest(facts)[:8]}"


def _announce(choice: MethodChoice, dataset: Dataset, count: int) -> None:
    preset = f" (preset {choice.preset})" if choice.preset else ""
    say(f"{choice.card.title}{preset} on {dataset.name}/{dataset.split}: {count} videos")


def _finish(result: Result, out: Path | None, as_json: bool) -> None:
    from rvosbench.runs.result import report

    path = out / "result.json" if out else None
    if as_json:
        emit(report(result, path))
    else:
        _print_scores(result)
    if result.summary is None and out is not None:
        say(
            f"{result.facts['dataset']}/{result.facts['split']} keeps its truth, so there is no "
            f"score.\nPredictions: {out / 'videos'}\nPack them for the authors' server with\n"
            f"  rvosbench submit pack {out}"
        )
    if path is not None:
        say(f"result: {path}")


def _print_scores(result: Result) -> None:
    from rvosbench.runs.result import parts

    if result.summary is not None:
        rows = [_row("all", len(result.expressions), vars(result.summary))]
        rows += [_row(f"{p.by}: {p.value}", p.count, vars(p)) for p in parts(result)]
        bound = " (upper bound: sees the truth)" if result.upper_bound else ""
        show(
            f"{result.facts['method']} on {result.facts['dataset']}/{result.facts['split']}{bound}",
            ["expressions", "count", "J&F", "J", "F"],
            rows,
            numbers=4,
        )
        further = [[name, percent(value)] for name, value in result.summary.metrics.items()]
        show("", ["figure (see docs/metrics.md)", "x 100"], further, numbers=1)
        if result.facts.get("videos") is not None:
            say(f"only these videos: {', '.join(result.facts['videos'])}")
    say(f"signature: {result.signature}")


def _row(label: str, count: int, scores: Mapping[str, float]) -> list[str]:
    return [label, str(count), *(percent(scores[k]) for k in ("jf", "j", "f"))]
