"""`rvosbench eval` and `rvosbench score`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, progress, say, show

if TYPE_CHECKING:
    from rvosbench.methods import MethodChoice
    from rvosbench.protocols import Dataset
    from rvosbench.records import Json
    from rvosbench.results import Result


def evaluate_command(
    method: options.MethodName,
    dataset: options.DatasetName = "demo",
    split: options.Split = None,
    data: options.Root = None,
    protocol: options.ProtocolName = None,
    preset: options.Preset = None,
    settings: options.Settings = None,
    config: options.ConfigFile = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    videos: options.Videos = None,
    limit: options.Limit = None,
    out: options.Out = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    """Run a method on a dataset and score it.

    Without truth (MeViS valid) the predictions are written, ready to be packed and submitted.

    Example: rvosbench eval --method sola
    """
    from rvosbench.datasets import load_dataset
    from rvosbench.evaluate import RunOptions, evaluate
    from rvosbench.methods import load_method

    opened = load_dataset(dataset, data, split)
    changes = _changes(config, settings, dtype)
    choice = load_method(method, preset, changes, device, dataset)
    chosen = _chosen(opened, videos, limit)
    place = out or _default_folder(choice, opened, protocol, chosen)
    _announce(choice, opened)
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
    out: options.Out = None,
    workers: options.Workers = 0,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    """Score predictions made by anybody: <video>/<expression>/<frame>.png in a folder or zip.

    Example: rvosbench score results.zip --dataset mevis --split valid_u --data mevis
    """
    from rvosbench.datasets import load_dataset
    from rvosbench.evaluate import RunOptions, score
    from rvosbench.predictions import missing_policy

    opened = load_dataset(dataset, data, split)
    with progress(f"scoring {predictions.name}", len(opened)) as on_done:
        run = RunOptions(out, resume, workers, on_done)
        result = score(predictions, opened, protocol, missing_policy(missing), run)
    _finish(result, out, as_json)


def _changes(config: Path | None, settings: list[str] | None, dtype: str) -> dict[str, Json]:
    from rvosbench.configuration import parse_assignments, read_toml

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
    choice: MethodChoice, dataset: Dataset, protocol: str | None, videos: list[str] | None
) -> Path:
    """A readable name, and a hash so that no other configuration shares the folder."""
    from rvosbench.work import digest

    facts = [choice.facts(), protocol, videos, choice.device, dataset.fingerprint]
    return Path("runs") / f"{choice.name}-{dataset.name}-{dataset.split}-{digest(facts)[:8]}"


def _announce(choice: MethodChoice, dataset: Dataset) -> None:
    preset = f" (preset {choice.preset})" if choice.preset else ""
    say(f"{choice.card.title}{preset} on {dataset.name}/{dataset.split}: {len(dataset)} videos")


def _finish(result: Result, out: Path | None, as_json: bool) -> None:
    from rvosbench.results import report

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
    rows = []
    if result.summary is not None:
        rows = [_row("all", len(result.expressions), vars(result.summary))]
        rows += [_row(tag, n, means) for tag, (n, means) in _by_tag(result).items()]
        bound = " (upper bound: sees the truth)" if result.upper_bound else ""
        show(
            f"{result.facts['method']} on {result.facts['dataset']}/{result.facts['split']}{bound}",
            ["expressions", "count", "J&F", "J", "F"],
            rows,
            numbers=4,
        )
    say(f"signature: {result.signature}")


def _row(label: str, count: int, scores: Mapping[str, float]) -> list[str]:
    return [label, str(count), *(percent(scores[k]) for k in ("jf", "j", "f"))]


def _by_tag(result: Result) -> dict[str, tuple[int, dict[str, float]]]:
    groups: dict[str, list[tuple[float, float]]] = {}
    for scored in result.expressions:
        for tag in scored.expression.tags:
            groups.setdefault(tag, []).append((scored.score.j, scored.score.f))
    means = {}
    for tag, pairs in sorted(groups.items()):
        j, f = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        means[tag] = (len(pairs), {"j": j, "f": f, "jf": (j + f) / 2})
    return means
