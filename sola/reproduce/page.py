"""The report as a page of the documentation; nothing on it is written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from rvosbench.files.atomic import write_bytes
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
DEMO = "MotionShapes, the embedded benchmark, with small networks: **not** of the paper's data"


def write_page(path: Path, report: Report) -> Path:
    """Writes the page, and beside it the report as .json, whose path is returned."""
    numbers = report.write(path.with_suffix(".json"))
    write_bytes(path, page(report, numbers.name).encode("utf-8"))
    return numbers


def page(report: Report, numbers: str) -> str:
    """The page in Markdown.

    Args:
        report: what it is made from.
        numbers: name of the file beside the page that holds the report.
    """
    settings = report.settings
    other = f"{settings['dataset']}, with preset `{settings['preset']}`"
    changes = [f"`{k}={v}`" for k, v in settings["method"].items()]
    text = _template().render(
        report=report,
        settings=settings,
        numbers=numbers,
        what=DEMO if settings["dataset"] == "demo" else other,
        command=command_of(report),
        verdicts=[(title, list(_claims(report, v))) for v, title in VERDICTS.items()],
        tables=[_shown(name, report) for name in report.tables],
        changes=[*changes, *(f"`{change}`" for change in settings["training"])],
        costs=to_markdown(_cost_table(report)),
        thousands=_thousands,
    )
    return text.rstrip("\n") + "\n"


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


def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # it is Markdown, and what comes from files is escaped by the writer
    )
    return environment.get_template("page.md.jinja")


def _claims(report: Report, verdict: str) -> Iterator[str]:
    for name in report.tables:
        for claim in TABLES[name].claims:
            tested = report.test(claim.better, claim.worse)
            if tested and tested.verdict == verdict:
                yield f"{claim_text(claim, TABLES[name])} (table {name})"


def _shown(name: str, report: Report) -> tuple[str, str, Sequence[str], str]:
    scores, categories = score_table(name, report), category_table(name, report)
    text = to_markdown(replace(scores, footnotes=()))
    return name, text, scores.footnotes, to_markdown(categories) if categories.rows else ""


def _cost_table(report: Report) -> Table:
    columns = text_columns(("network",), ("parameters", "minutes a training", "epochs kept"))
    rows = tuple(
        text_row(
            (
                NETWORKS[name][0],
                _thousands(cost.parameters),
                ", ".join(f"{seconds / 60:.1f}" for seconds in cost.seconds),
                f"{', '.join(map(str, cost.epochs))} of {cost.training['epochs']}",
            )
        )
        for name, cost in report.costs.items()
    )
    return Table("costs", "", columns, rows)


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", " ")
