"""Reading a report's file back: the product only writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rvosbench.records import Json
from sola.reproduce.experiments import Claim
from sola.reproduce.report import FORMAT, Cost, Measured, Report, Tested


def read_report(path: Path) -> Report:
    """What `sola.reproduce.report.Report.write` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content.pop("format") == FORMAT
    measured = {
        split: {name: Measured(**_tuples(row)) for name, row in rows.items()}
        for split, rows in content["measured"].items()
    }
    tested = tuple(
        Tested(**{**_tuples(row), "claim": Claim(**row["claim"])}) for row in content["tested"]
    )
    costs = {name: Cost(**_tuples(row)) for name, row in content["costs"].items()}
    counts = {split: tuple(pair) for split, pair in content["counts"].items()}
    rest = {"measured": measured, "tested": tested, "costs": costs, "counts": counts}
    return replace(Report(**{**_tuples(content), **rest}), settings=content["settings"])


def _tuples(row: Mapping[str, Json]) -> dict[str, Json]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
