"""`rvosbench sola analyze`: what the object tokens of SAM2 know (section 4.5 of the paper)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, percent, progress, say, show
from rvosbench.files.atomic import write_json

if TYPE_CHECKING:
    from sola.analysis.probe import ProbeReport
    from sola.analysis.similarity import Curve

app = typer.Typer(
    help="What object tokens know: the analyses of the paper's section 4.5.", no_args_is_help=True
)

Out = Annotated[Path, typer.Option(help="Folder to write; made if need be.")]


@app.command("similarity")
def similarity_command(
    tracks: Annotated[Path, typer.Option(metavar="DIR", help="Track cache to read.")],
    dataset: Annotated[
        str | None,
        typer.Option(help="Compare only the videos of this dataset's split, and check the frames."),
    ] = None,
    split: options.Split = None,
    data: options.Root = None,
    out: Out = Path("runs/similarity"),
    bins: Annotated[int, typer.Option(help="Bins of mIoU between 0 and 1.")] = 20,
    sources: Annotated[
        str, typer.Option(metavar="NAME,...", help="Prompts of the tracks: grid, box, truth.")
    ] = "grid,box,truth",
    pairs: Annotated[
        int, typer.Option(help="At most so many pairs a video, drawn at random.")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the draw of pairs.")] = 0,
    as_json: options.AsJson = False,
) -> None:
    """Plot token similarity over mask mIoU for pairs of tracks of one video (Figure 4).

    Writes similarity.png, similarity.svg and similarity.csv. Build the cache with --truth:
    candidate tracks are filtered against each other, and so rarely overlap.

    Example: rvosbench sola analyze similarity --tracks cache --out figure4
    """
    from sola.analysis.similarity import Sampling, cache_files, compare_cache, curve_of
    from sola.analysis.similarity_plot import write_similarity

    sampling = Sampling(tuple(name.strip() for name in sources.split(",")), pairs, seed)
    curve_of(compare_cache((), sampling), bins)  # a wrong number is refused before the work
    files, title = cache_files(tracks, dataset, split, data)
    with progress("comparing tracks", len(files)) as advance:
        found = compare_cache(files, sampling, lambda name: advance(name, False))
    curve = curve_of(found, bins)
    written = write_similarity(out, curve, title)
    if as_json:
        facts = {"tracks": str(tracks), "videos": len(files), "seed": seed, **asdict(curve)}
        emit({**facts, "written": [str(path) for path in written]})
        return
    _show_curve(curve, title)
    say(f"wrote {', '.join(str(path) for path in written)}")


def _show_curve(curve: Curve, title: str) -> None:
    rows = [
        [f"{b.low:.2f} - {b.high:.2f}", str(b.pairs), _number(b.mean), _number(b.variance, 4)]
        for b in curve.bins
    ]
    show(title, ["mIoU", "pairs", "mean similarity", "variance"], rows, numbers=3)
    say(f"pairs: {curve.pairs}, {curve.left_out} left out that are never visible")
    pearson, spearman = _number(curve.pearson), _number(curve.spearman)
    say(f"correlation over pairs: Pearson r {pearson}, Spearman rho {spearman}")


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


@app.command("probe")
def probe_command(
    dataset: Annotated[
        str, typer.Option(help="demo (MotionShapes), or voc (PASCAL VOC, needs --data).")
    ] = "demo",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="VOCdevkit/VOC2012; the demo needs none.")
    ] = None,
    tracker: Annotated[
        str | None,
        typer.Option(help="SAM2: demo, a hub id, a folder or a .pt file; default: the dataset's."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write, and to resume a killed run from.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only the first N of each split; default: demo 100, voc all."),
    ] = None,
    decay: Annotated[float, typer.Option(min=0, help="Weight decay of the classifier.")] = 1e-3,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    workers: options.Workers = 0,
    as_json: options.AsJson = False,
) -> None:
    """Train a linear classifier on object tokens and report what it finds in them.

    VOC: every object mask prompts SAM2 on its image; 20 classes, train against val. Demo: objects
    of MotionShapes are tracked from ground truth; colour, shape, texture, and R2 of place and size.
    Writes probe.json, and the tokens, so that a second run only fits the classifier.

    Example: rvosbench sola analyze probe --dataset voc --data VOCdevkit/VOC2012
    """
    from sola.analysis.probe import open_source, probe
    from sola.analysis.probe_data import Tracker, collect_objects, planned

    source = open_source(dataset, data)
    preset = source.facts
    chosen = Tracker.of(tracker or preset.tracker, device, dtype)
    folder, limit = out or Path("runs") / f"probe-{dataset}", limit or preset.limit
    with progress(f"tokens of {preset.name}", planned(source, limit), preset.things) as on_done:
        train, test = collect_objects(
            source, chosen, folder / "tokens", limit=limit, workers=workers, on_done=on_done
        )
    report = probe(source, train, test, decay)
    facts = {"dataset": dataset, "tracker": chosen.weights, "limit": limit, "decay": decay}
    facts |= asdict(report)
    write_json(folder / "probe.json", facts, indent=2)
    if as_json:
        emit({**facts, "written": str(folder / "probe.json")})
        return
    _show_probe(report, f"{preset.name}: linear probes of object tokens, {chosen.weights}")
    say(f"wrote {folder / 'probe.json'}")


def _show_probe(report: ProbeReport, title: str) -> None:
    rows = []
    for question, found in report.answers.items():
        shares = map(percent, (found.accuracy, found.class_mean, found.majority))
        rows.append([question, f"{len(found.classes)} classes", *shares])
    rows += [[name, "R2", percent(r2), "", ""] for name, r2 in report.explained.items()]
    columns = ["", "", "accuracy or R2", "mean over classes", "commonest class"]
    show(f"{title} (x 100)", columns, rows, numbers=3)
    for question, answer in report.answers.items():
        classes = [[c.name, str(c.train), str(c.test), percent(c.accuracy)] for c in answer.classes]
        show("", [question, "train", "test", "found x 100"], classes, numbers=3)
    say(f"{report.train} tokens to train on, {report.test} to test on")
