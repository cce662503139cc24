"""Other thresholds of a finished run, without running it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from rvosbench import plugins
from rvosbench.contracts import MethodSpec
from rvosbench.errors import ResultError, UsageError
from rvosbench.masks import union
from rvosbench.records import MethodCard, Prediction, Sample, Track
from rvosbench.runs.evaluate import RunOptions, evaluate
from rvosbench.runs.methods import MethodChoice
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import read_header, read_tracks, write_tracks
from rvosbench.tracks.candidates import CandidateConfig
from sola.analysis.thresholds import finished_run, made_again, sweep
from sola.method import select

from ...toys import ToyDataset
from ..caches import make_cache

SCORES = {
    "0": {"grid-left": 0.9, "grid-right": 0.45, "grid-none": 0.15},
    "1": {"grid-left": 0.2, "grid-right": 0.6},
    "2": {"grid-left": 0.65, "grid-right": 0.25},
    "3": {"grid-none": 0.05},
}
"""At .5 everything is right but "both", which misses a square; at .3 "left" has one too many."""


@dataclasses.dataclass(frozen=True)
class ChoiceConfig:
    cache: str = ""
    threshold: float = 0.5
    argmax_if_none: bool = False


@dataclasses.dataclass(frozen=True)
class Chooses:
    """Selects among cached tracks by scores that it knows."""

    config: ChoiceConfig

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        rows = TrackCache(Path(self.config.cache)).tracks(sample.video.id)
        tracks = {t.id: t.masks for t in rows}
        answers = {}
        for expression, scores in SCORES.items():
            names = list(scores)
            chosen = select(
                list(scores.values()), self.config.threshold, self.config.argmax_if_none
            )
            masks = union([tracks[names[i]] for i in chosen], len(sample.video), sample.video.size)
            answers[expression] = Prediction(masks, diagnostics={"alignment": scores})
        return answers


SPEC = MethodSpec(ChoiceConfig, lambda config, device: Chooses(config), MethodCard("chooses"))


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "method_spec", lambda name: SPEC)


def run(cache: Path, out: Path, dataset: ToyDataset | None = None, **changes: object) -> Path:
    choice = MethodChoice("chooses", None, {"cache": str(cache), **changes})
    evaluate(choice, dataset or ToyDataset(), run=RunOptions(out))
    return out


def test_every_threshold_gives_what_its_own_run_gives(tmp_path: Path) -> None:
    cache = make_cache(tmp_path / "cache")
    rows = sweep(run(cache, tmp_path / "run"), cache, ToyDataset(), (0.1, 0.3, 0.7))
    assert [r.threshold for r in rows] == [0.1, 0.3, 0.5, 0.7]
    assert [r.own for r in rows] == [False, False, True, False]
    for row in rows:
        other = run(cache, tmp_path / str(row.threshold), threshold=row.threshold)
        summary = finished_run(other).summary
        assert summary is not None
        assert (row.j, row.f, row.jf) == (summary.j, summary.f, summary.jf)
    assert len({r.jf for r in rows}) == 4
    assert [r.tracks for r in rows] == [7 / 4, 4 / 4, 3 / 4, 1 / 4]
    assert rows[-1].empty == 0.75


def test_tracks_may_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = make_cache(tmp_path / "cache")
    made = run(cache, tmp_path / "run")
    again = sweep(made, lambda s: TrackCache(cache).tracks(s.video.id), ToyDataset())
    assert again == sweep(made, cache, ToyDataset())
    result = finished_run(made)
    with pytest.raises(UsageError, match="the run is of chooses on clean frames"):
        made_again(result)
    seen: list[CandidateConfig] = []

    class Maker:
        def __init__(self, config: CandidateConfig, device: str) -> None:
            seen.append(config)

        def tracks(self, sample: Sample) -> tuple[Track, ...]:
            return ()

    monkeypatch.setattr("sola.analysis.thresholds.TrackMaker", Maker)
    config = {"tracker": "demo", "grounder": "", "prompts.points_per_side": 7}
    facts = {**result.facts, "method": "sola", "config": config}
    made_again(dataclasses.replace(result, facts=facts))
    assert (seen[0].tracker, seen[0].prompts.points_per_side) == ("demo", 7)


def test_the_best_track_is_taken_if_the_run_did_so(tmp_path: Path) -> None:
    cache = make_cache(tmp_path / "cache")
    made = run(cache, tmp_path / "run", argmax_if_none=True)
    rows = sweep(made, cache, ToyDataset(), (0.99,))
    assert rows[-1].empty == 0
    assert rows[-1].tracks == 1


def test_what_is_no_fitting_run_is_refused(tmp_path: Path) -> None:
    cache = make_cache(tmp_path / "cache")
    made = run(cache, tmp_path / "run")
    with pytest.raises(ResultError, match="no finished run here"):
        sweep(tmp_path, cache, ToyDataset())
    with pytest.raises(UsageError, match="the run is of toy/valid"):
        sweep(made, cache, ToyDataset(split="test"))
    other = make_cache(tmp_path / "other")
    path = TrackCache(other).path("a")
    tracks = list(read_tracks(path))
    write_tracks(path, read_header(path), tracks[1:])
    with pytest.raises(UsageError, match="has no track 'grid-left'"):
        sweep(made, other, ToyDataset())
    swapped = [dataclasses.replace(tracks[1], id="grid-left"), *tracks[1:]]
    write_tracks(path, read_header(path), swapped)
    with pytest.raises(UsageError, match="the run's own threshold gives J"):
        sweep(made, other, ToyDataset())
    hidden = run(cache, tmp_path / "hidden", ToyDataset(hidden=True))
    with pytest.raises(ResultError, match="no public ground truth"):
        sweep(hidden, cache, ToyDataset())


def test_a_run_without_scores_is_refused(tmp_path: Path) -> None:
    cache = make_cache(tmp_path / "cache")
    made = run(cache, tmp_path / "run")
    file = made / "videos" / "a" / "predictions.json"
    file.write_text(file.read_text().replace("alignment", "other"))
    with pytest.raises(ResultError, match="holds no alignment scores"):
        sweep(made, cache, ToyDataset())
