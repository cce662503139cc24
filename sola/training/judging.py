"""J&F of a selector on validation videos, from the masks of the track cache."""

from __future__ import annotations

from collections.abc import Sequence

from rvosbench.contracts import ExpressionScore
from rvosbench.metrics import official
from rvosbench.tracks.cache import read_tracks
from rvosbench.tracks.cached import track_file
from sola.answering import answer
from sola.config import TrainConfig
from sola.data.samples import TextTable, VideoSample
from sola.data.track_data import TrackSet
from sola.network.selector import TrackSelector
from sola.training.truth import VideoTruthOf

PROTOCOL = "mevis"
"""Every expression weighs the same, whatever the dataset."""


def measure_masks(
    model: TrackSelector, samples: Sequence[VideoSample], texts: TextTable, config: TrainConfig
) -> dict[str, float]:
    """Region similarity and contour accuracy of the unions of selected tracks.

    Args:
        model: on its device; its mode is left as it was.
        samples: videos; those that are from no cache are left out.
        texts: text tokens of their sentences.
        config: threshold, and which tracks inference has.

    Returns:
        "j", "f" and "jf" in [0, 1], as protocol `mevis` computes them; empty without masks.
    """
    training = model.training
    model.eval()
    scores: list[ExpressionScore] = []
    for sample in samples:
        if sample.origin is not None:
            scores += _scores(model, sample, sample.origin, texts, config)
    model.train(training)
    if not scores:
        return {}
    summary = official.protocol(PROTOCOL).summarize(scores)
    return {"j": summary.j, "f": summary.f, "jf": summary.jf}


def _scores(
    model: TrackSelector,
    sample: VideoSample,
    origin: TrackSet,
    texts: TextTable,
    config: TrainConfig,
) -> Sequence[ExpressionScore]:
    rows = read_tracks(track_file(origin.cache, sample.video))
    tracks = [t for t in rows if t.source in config.valid_sources]
    seen = origin.dataset.sample(sample.video)
    threshold = config.select_threshold
    predictions = {
        e.id: answer(
            model, seen.video, [t for t in tracks if t.serves(e.id)], texts[e.text], threshold
        )
        for e in seen.expressions
    }
    truth = VideoTruthOf(origin.dataset, sample.video)
    return official.protocol(PROTOCOL).score_video(seen, truth, predictions)
