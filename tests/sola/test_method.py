from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.config import configure, differences, keys, values
from rvosbench.errors import WeightsError
from rvosbench.masks import MaskSequence
from rvosbench.records import Track
from rvosbench.runs.evaluate import RunOptions, evaluate
from rvosbench.runs.methods import load_method
from rvosbench.tracks.candidates import CandidateConfig
from sola.config import SelectorConfig
from sola.method import Sola, SolaConfig, alignment_scores, select
from sola.model import TrackSelector
from sola.network.weights import save_selector

from ..toys import ToyDataset
from .caches import DIM, ENCODER, WIDTH, make_cache

GRID = ["grid-both", "grid-left", "grid-none", "grid-right"]
SMALL = SelectorConfig(object_token_dim=32, lang_token_dim=32, n_negative=4)


def make_track(name: str, seed: int) -> Track:
    tokens = np.random.default_rng(seed).normal(size=(9, 32)).astype(np.float32)
    return Track(name, MaskSequence.empty(9, (4, 4)), 1.0, tokens, "grid", 0)


def test_tracks_above_the_threshold_are_selected() -> None:
    assert select([0.2, 0.6, 0.5, 0.9], 0.5, False) == [1, 3]
    assert select([0.2, 0.4], 0.5, False) == []
    assert select([0.2, 0.4], 0.5, True) == [1]
    assert select([], 0.5, True) == []


def test_scores_are_probabilities_of_the_whole_candidate_set() -> None:
    torch.manual_seed(0)
    selector = TrackSelector(SMALL).eval()
    words = np.random.default_rng(9).normal(size=(5, 32)).astype(np.float32)
    tracks = [make_track(str(i), i) for i in range(4)]
    scores = alignment_scores(selector, tracks, words)
    assert len(scores) == 4
    assert all(0 <= s <= 1 for s in scores)
    turned = alignment_scores(selector, tracks[::-1], words)
    assert turned[::-1] == pytest.approx(scores, abs=1e-5)
    alone = alignment_scores(selector, tracks[:1], words)
    assert abs(alone[0] - scores[0]) > 1e-6  # removing candidates changes a score by design
    assert alignment_scores(selector, [], words) == []


def test_without_a_selector_the_error_says_what_to_do() -> None:
    with pytest.raises(WeightsError, match=r"authors released none.*--preset demo"):
        evaluate(load_method("sola", "released"), ToyDataset())


def test_missing_tracker_weights_are_named(tmp_path: Path) -> None:
    save_selector(tmp_path / "selector", TrackSelector(SMALL))
    settings = {"selector": str(tmp_path / "selector"), "tracker": str(tmp_path / "nothing")}
    with pytest.raises(WeightsError, match="nothing"):
        evaluate(load_method("sola", "released", settings), ToyDataset())


def cached_settings(tmp_path: Path) -> dict[str, object]:
    """Of a run whose tracks and text tokens are all cached, with a selector of random weights."""
    torch.manual_seed(0)
    shape = SelectorConfig(DIM, WIDTH, n_heads=2, n_groups=2, n_negative=2)
    save_selector(tmp_path / "selector", TrackSelector(shape))
    return {
        "selector": str(tmp_path / "selector"),
        "tracks": str(make_cache(tmp_path / "cache", boxes=True)),
        "tracker": "toy/tracker",
        "grounder": "toy/grounder",
        "text_encoder": ENCODER,
        "threshold": 0,
    }


@pytest.mark.parametrize(
    ("background", "seen"),
    [
        ("true", {"0": ["box-left", *GRID], "1": GRID}),
        ("false", {"0": ["box-left"], "1": []}),
    ],
)
def test_background_inference_decides_among_which_tracks_is_chosen(
    tmp_path: Path, background: str, seen: dict[str, list[str]]
) -> None:
    settings = {**cached_settings(tmp_path), "background_inference": background}
    method = load_method("sola", "released", settings, "cpu").build()
    assert isinstance(method, Sola)
    predictions = method.predict(next(iter(ToyDataset())))
    for expression, tracks in seen.items():
        diagnostics = predictions[expression].diagnostics
        assert sorted(diagnostics["alignment"]) == tracks
        assert sorted(diagnostics["tracks"]) == tracks  # all of them pass a threshold of 0


def test_the_settings_of_candidate_tracks_are_those_of_every_method(tmp_path: Path) -> None:
    settings = cached_settings(tmp_path)
    config = configure(SolaConfig(), {**settings, "prompts.points_per_side": "7"})
    shared = {k: v for k, v in values(config).items() if k in keys(CandidateConfig)}
    assert shared == values(config.candidates)
    assert (config.candidates.tracker, config.prompts.points_per_side) == ("toy/tracker", 7)
    assert differences(SolaConfig()) == {}
    changed = differences(config)
    assert "tracks" not in changed  # a place decides no number
    assert changed["prompts.points_per_side"] == 7
    assert type(config.candidates) is CandidateConfig


def test_what_the_opened_method_says_is_known_before(tmp_path: Path) -> None:
    choice = load_method("sola", "released", cached_settings(tmp_path), "cpu")
    method, videos = choice.build(), ["a", "b"]
    assert isinstance(method, Sola)
    identity = choice.identify(videos)
    assert identity is not None
    assert identity.provenance == method.provenance_of(videos)
    assert identity.card == method.card
    assert identity.provenance["selector"] == method.known.checkpoint_hash
    trained = sum(p.numel() for p in method.selector.parameters() if p.requires_grad)
    assert identity.card.trainable_parameters == trained


def test_a_finished_run_is_resumed_without_a_selector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = load_method("sola", "released", cached_settings(tmp_path), "cpu")
    run, built = RunOptions(tmp_path / "run", resume=True), []
    make = TrackSelector.__init__

    def counted(self: TrackSelector, config: SelectorConfig) -> None:
        built.append(config)
        make(self, config)

    monkeypatch.setattr(TrackSelector, "__init__", counted)
    first = evaluate(choice, ToyDataset(), run=run)
    assert len(built) == 1
    again = evaluate(choice, ToyDataset(), run=run)
    assert len(built) == 1
    assert again.signature == first.signature
