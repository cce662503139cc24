"""`rvosbench score` on real files: protocols, official variants, parts of a split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rvosbench.cli.app import app

DATA = Path(__file__).parents[3] / "shared" / "data"
DAVIS = DATA / "ref-davis-mini"

pytestmark = pytest.mark.skipif(not DAVIS.is_dir(), reason=f"small real data is not at {DATA}")

LABELS = ["score", str(DAVIS / "predictions/osvos"), "--dataset", "ref-davis17"]
UNSUP = [*LABELS, "--data", str(DAVIS), "--protocol", "davis-unsup"]


def shown(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_label_images_give_the_official_figures() -> None:
    result = shown(*UNSUP)
    golden = json.loads((DATA / "golden/metrics/davis_official_aggregate.json").read_text())
    expected = golden["results"]["unsupervised/osvos"]
    assert result["jf"] == pytest.approx(expected["J&F-Mean"], abs=1e-12, rel=0)
    extra = result["metrics"]
    assert isinstance(extra, dict)
    assert extra["j_decay"] == pytest.approx(expected["J-Decay"], abs=1e-12, rel=0)


def test_a_part_and_a_variant_are_in_the_signature() -> None:
    whole, part = shown(*UNSUP), shown(*UNSUP, "--videos", "dog,libby")
    official = shown(*UNSUP, "--compat", "official")
    assert len({str(r["signature"]) for r in (whole, part, official)}) == 3
    assert "davis-unsup.1-as-official" in str(official["signature"])
    assert official["jf"] == whole["jf"]


def test_the_table_has_the_figures_and_names_the_videos() -> None:
    done = CliRunner().invoke(app, UNSUP)
    assert done.exit_code == 0, done.output
    assert "j_recall" in done.stdout
    assert "blackswan, dog, drift-straight, libby, parkour" in done.stderr
