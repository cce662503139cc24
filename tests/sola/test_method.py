from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.errors import WeightsError
from rvosbench.masks import MaskSequence
from rvosbench.records import Track
from rvosbench.runs.evaluate import evaluate
from rvosbench.runs.methods import load_method
from sola.config import SelectorConfig
from sola.method import alignment_scores, select
from sola.model import TrackSelector
from sola.network.weights import save_selector

from ..toys import ToyDataset

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
    with pytest.raises(WeightsError, match=r"authors published none.*--preset demo"):
        evaluate(load_method("sola", "released"), ToyDataset())


def test_missing_tracker_weights_are_named(tmp_path: Path) -> None:
    save_selector(tmp_path / "selector", TrackSelector(SMALL))
    settings = {"selector": str(tmp_path / "selector"), "tracker": str(tmp_path / "nothing")}
    with pytest.raises(WeightsError, match="nothing"):
        evaluate(load_method("sola", "released", settings), ToyDataset())
