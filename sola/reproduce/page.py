"""The report as a page of the documentation; nothing on it is written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rvosbench.tables.markdown import to_markdown
from rvosbench.tables.table import Table, text_columns, text_row
from sola.reproduce.experiments import NETWORKS, TABLES
from sola.reproduce.report import Report
from sola.reproduce.tables import category_table, claim_text, score_table

VERDICTS = {
    "yes": "Reproduces",
    "no": "Comes out the other way round",
    "within noise": "Within noise",
}

READING = """\
Rows and the paper's figures are those of Kim et al., arXiv 2412.01136, on MeViS valid with
SAM2-L, RoBERTa-large and GroundingDINO-T; the two sets of figures are of different data and of
networks of different size, so only orderings are compared. J&F, J and F are in percent, `mean ±
standard deviation` over seeds where something is trained. "difference" is the row minus the row
that the paper finds better, with a 95 % confidence interval over videos.

An ordering reproduces ("yes") if its difference has the paper's sign and p < 0.05, comes out the
other way round ("no") if it has the other sign and p < 0.05, and is "within noise" otherwise. The
test is a paired permutation test: scores are averaged over seeds, then the two rows are swapped
video by video. It asks whether the difference would stay on other videos; how many seeds agree
says how much of it is chance of the training. Tests are not corrected for their number."""

REAL = """\
The same command is the real experiment for people who have the data and a GPU:

    rvosbench sola reproduce --all --dataset mevis --data DIR --plan
    rvosbench sola reproduce --all --dataset mevis --data DIR --out runs/mevis

`--plan` prints the tracks, trainings and evaluations, and makes nothing. The preset is
`released`: the authors' code, trained on `train` and evaluated on `valid_u`, because the truth of
`valid`, on which the paper reports, is only on the authors' server. Epochs are chosen on every
tenth training video, which is then not learnt from. Nobody has published a trained selector, and
no figure on this page is of MeViS. Everything is resumable: interrupt it, run it again."""


def page(report: Report, figures: str) -> str:
    """The page in Markdown.

    Args:
        report: what it is made from.
        figures: name of the file beside the page that holds the report.
    """
    parts = [
        "# The paper's experiments",
        _opening(report, figures),
        "## What reproduces",
        _summary(report),
        "## How to read the tables",
        READING,
        *[part for name in report.tables for part in _table(name, report)],
        "## How it was made",
        _made(report),
        *_costs(report),
        *(["## On the real data", REAL] if report.settings["dataset"] == "demo" else []),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _opening(report: Report, figures: str) -> str:
    dataset = report.settings["dataset"]
    what = (
        "MotionShapes, the embedded benchmark, with small networks: **not** of the paper's data"
        if dataset == "demo"
        else f"{dataset}, with preset `{report.settings['preset']}`"
    )
    return (
        f"All figures here are of {what}. "
        "One command has written this page; with `--table` it makes one table:\n"
        f"\n    {command_of(report)}\n"
        f"\nThe figures it was written from are in `{figures}`, unrounded."
    )


def command_of(report: Report) -> str:
    """The command that makes these tables, whatever the folder and the machine."""
    settings = report.settings
    words = [] if settings["dataset"] == "demo" else [f"--dataset {settings['dataset']} --data DIR"]
    whole = report.tables == tuple(TABLES)
    words += ["--all"] if whole else [f"--table {name}" for name in report.tables]
    words += [f"--split {split}" for split in settings["splits"]]
    numbers = ("train_videos", "limit", "seeds", "sentences", "epochs")
    words += [f"--{n.replace('_', '-')} {settings[n]}" for n in numbers if settings[n]]
    words += [f"--set {k}={v}" for k, v in settings["method"].items()]
    words += [f"--set train.{change}" for change in settings["training"]]
    return " ".join(["rvosbench sola reproduce", *words])


def _summary(report: Report) -> str:
    found: dict[str, list[str]] = {verdict: [] for verdict in VERDICTS}
    for name in report.tables:
        for claim in TABLES[name].claims:
            tested = report.test(claim.better, claim.worse)
            if tested:
                text = f"{claim_text(claim, TABLES[name])} (table {name})"
                found[tested.verdict].append(text)
    lines = []
    for verdict, title in VERDICTS.items():
        lines.append(f"{title} ({len(found[verdict])}):\n")
        lines += [f"- {text}" for text in found[verdict]] or ["- nothing"]
        lines.append("")
    missing = [f"- {name}: {why}" for name, why in report.missing.items()]
    return "\n".join([*lines, *(["Not measured:\n", *missing] if missing else [])])


def _table(name: str, report: Report) -> list[str]:
    command = f"    rvosbench sola reproduce --table {name}"
    scores, categories = score_table(name, report), category_table(name, report)
    notes = "\n".join(f"- {note}" for note in scores.footnotes)
    parts = [f"## Table {name}", command, to_markdown(replace(scores, footnotes=())), notes]
    return [*parts, to_markdown(categories)] if categories.rows else parts


def _made(report: Report) -> str:
    settings = report.settings
    counts = [
        f"- `{split}`: {videos} videos, {sentences} sentences"
        f"{' (orderings are tested here)' if split == report.main_split else ''}"
        for split, (videos, sentences) in report.counts.items()
    ]
    choice = (
        f"`{settings['splits'][-1]}` chooses the epoch that is kept, so trained rows are judged on "
        f"`{report.main_split}`, which nothing has seen."
        if len(settings["splits"]) > 1
        else "Held-out training videos choose the epoch that is kept."
    )
    learnt = settings["train_videos"] or "all"
    amount = f"{settings['sentences']:,} sentences" if settings["sentences"] else "all epochs"
    amount = amount.replace(",", " ")
    changed = [f"`{k}={v}`" for k, v in settings["method"].items()]
    changed += [f"`{change}`" for change in settings["training"]]
    return "\n".join(
        [
            f"- preset `{settings['preset']}`, {settings['seeds']} seeds a network, "
            f"{learnt} videos of `{settings['train_split']}`, {amount} a training",
            *counts,
            f"- {choice}",
            *([f"- changed: {', '.join(changed)}"] if changed else []),
        ]
    )


def _costs(report: Report) -> list[str]:
    if not report.costs:
        return []
    rows = tuple(
        text_row(
            (
                NETWORKS[name].title,
                f"{cost.parameters:,}".replace(",", " "),
                _minutes(cost.seconds),
                ", ".join(str(epoch) for epoch in cost.epochs) + f" of {cost.training['epochs']}",
            )
        )
        for name, cost in report.costs.items()
    )
    columns = text_columns(("network",), ("parameters", "minutes a training", "epochs kept"))
    text = "Minutes are those of the machine that made the page, one thread a training."
    return [text, to_markdown(Table("costs", "", columns, rows))]


def _minutes(seconds: Sequence[float]) -> str:
    return ", ".join(f"{s / 60:.1f}" for s in seconds)
