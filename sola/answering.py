"""From alignment scores to an answer: the union of the selected tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import union
from rvosbench.records import Prediction, Track, Video

if TYPE_CHECKING:
    from sola.network.selector import TrackSelector


def answer(
    selector: TrackSelector,
    video: Video,
    tracks: Sequence[Track],
    words: NDArray[np.float32],
    threshold: float,
    argmax_if_none: bool = False,
) -> Prediction:
    """The answer to one expression, with every track's alignment score as a diagnostic.

    Args:
        selector: in evaluation mode.
        video: its length and size are looked at.
        tracks: the candidate set; may be empty.
        words: (W, E) text tokens of the expression.
        threshold: tracks with a greater score are selected.
        argmax_if_none: select the best track when none passes the threshold.
    """
    scores = alignment_scores(selector, tracks, words)
    chosen = select(scores, threshold, argmax_if_none)
    return Prediction(
        union([tracks[i].masks for i in chosen], len(video), video.size),
        score=max(scores, default=0.0),
        diagnostics={
            "tracks": [tracks[i].id for i in chosen],
            "alignment": {t.id: s for t, s in zip(tracks, scores, strict=True)},
        },
    )


def alignment_scores(
    selector: TrackSelector, tracks: Sequence[Track], words: NDArray[np.float32]
) -> list[float]:
    """Probability in [0, 1] that each track is meant; the candidates are scored together.

    Args:
        selector: in evaluation mode.
        tracks: the candidate set of one expression; may be empty.
        words: (W, E) text tokens of the expression.
    """
    import torch

    if not tracks:
        return []
    device = next(selector.parameters()).device
    with torch.inference_mode():
        tokens = torch.from_numpy(np.stack([t.tokens for t in tracks]))[None].to(device)
        logits = selector(tokens, torch.from_numpy(words)[None].to(device)).logits
        scores: list[float] = logits[0].sigmoid().tolist()
    return scores


def select(scores: Sequence[float], threshold: float, argmax_if_none: bool) -> list[int]:
    """Indices of the selected tracks, ascending; none is a valid answer."""
    chosen = [i for i, score in enumerate(scores) if score > threshold]
    if not chosen and argmax_if_none and scores:
        return [int(np.argmax(scores))]
    return chosen
