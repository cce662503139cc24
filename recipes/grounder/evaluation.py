"""Measures of a grounder on frames that were not trained on, by kind of phrase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from recipes.appearance import VISIBLE
from recipes.grounder.batches import Still, collate, draw_stills
from recipes.grounder.captions import (
    Caption,
    Rng,
    Wordings,
    absent_noun,
    noun_caption,
    sentence_caption,
)
from recipes.grounder.losses import iou
from rvosbench.demo.grammar import Noun

if TYPE_CHECKING:
    from transformers import GroundingDinoForObjectDetection

HELD_OUT = 8500  # first part of the seeds of evaluation frames
KINDS = ("colour_shape", "texture_colour_shape", "colour", "shape", "texture", "sentence", "absent")
GOOD = 0.5  # IoU from which a box is right
THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(1, 20))


@dataclass(frozen=True, eq=False)
class CaptionBoxes:
    """Boxes for one caption: scores (Q,), IoU (Q, N) with the N meant shapes, and its kind."""

    kind: str
    scores: NDArray[np.float32]
    overlaps: NDArray[np.float32]


def held_out(count: int, size: int) -> list[Still]:
    """One frame of each of `count` clips."""
    stills = (draw_stills((HELD_OUT, i), size, 1)[0] for i in range(count))
    return [s for s in stills if (s.areas >= VISIBLE).any()]


@torch.no_grad()
def predictions(
    model: GroundingDinoForObjectDetection,
    stills: Sequence[Still],
    wordings: Wordings,
    vocabulary: Mapping[str, int],
) -> list[CaptionBoxes]:
    """What the network finds for one caption of every kind a frame."""
    found: list[CaptionBoxes] = []
    for number, still in enumerate(stills):
        captions = list(_captions(still, wordings, np.random.default_rng((HELD_OUT, number))))
        batch = collate([still], [[c for _, c in captions]], dict(vocabulary))
        out = model(
            pixel_values=batch.pixels.expand(len(captions), -1, -1, -1),
            input_ids=batch.ids,
            attention_mask=batch.attention,
        )
        scores = out.logits.sigmoid().amax(-1).numpy()
        overlaps = iou(out.pred_boxes[:, :, None], batch.boxes[:, None])[0].numpy()
        for row, (kind, _) in enumerate(captions):
            found.append(
                CaptionBoxes(kind, scores[row], overlaps[row][:, batch.meant[row].numpy()])
            )
    return found


def _captions(still: Still, wordings: Wordings, rng: Rng) -> list[tuple[str, Caption]]:
    seen = [s for s, a in zip(still.shapes, still.areas, strict=True) if a >= VISIBLE]
    shape = seen[int(rng.integers(len(seen)))]
    nouns = {
        "colour_shape": Noun(shape.colour, shape.shape),
        "texture_colour_shape": Noun(shape.colour, shape.shape, shape.texture),
        "colour": Noun(shape.colour),
        "shape": Noun(None, shape.shape),
        "texture": Noun(None, None, shape.texture),
    }
    found = [(kind, noun_caption(noun, False, rng)) for kind, noun in nouns.items()]
    others = [Noun(s.colour, s.shape) for s in seen]
    noun = list(nouns.values())[int(rng.integers(len(nouns)))]
    found.append(("sentence", sentence_caption(noun, False, others, wordings, rng)))
    absent = absent_noun(still.shapes, rng)
    if absent is not None:
        found.append(("absent", noun_caption(absent, False, rng)))
    return found


def measures(found: Sequence[CaptionBoxes]) -> dict[str, float]:
    """acc@0.5 of the best box by kind of phrase, best-query IoU, and the best threshold."""
    values: dict[str, float] = {}
    for kind in KINDS[:-1]:
        asked = [a for a in found if a.kind == kind and a.overlaps.size]
        if asked:
            top = np.array([a.overlaps[a.scores.argmax()].max() for a in asked])
            values[f"acc_{kind}"] = round(float(np.mean(top >= GOOD)), 4)
    best = [a.overlaps.max() for a in found if a.overlaps.size]
    values["best_query_iou"] = round(float(np.mean(best)), 4)
    rows = [(t, *precision_recall(found, t)) for t in THRESHOLDS]
    chosen = max(rows, key=lambda r: 2 * r[1] * r[2] / max(r[1] + r[2], 1e-9))
    values |= dict(zip(("threshold", "precision", "recall"), map(float, chosen), strict=True))
    absent = [a.scores.max() for a in found if a.kind == "absent"]
    if absent:
        values["absent_silent"] = round(float(np.mean(np.array(absent) <= chosen[0])), 4)
    return values


def precision_recall(found: Sequence[CaptionBoxes], threshold: float) -> tuple[float, float]:
    """Of boxes above a threshold over all captions; a shape found twice is right once."""
    right = boxes = shapes = 0
    for prediction in found:
        kept = np.flatnonzero(prediction.scores > threshold)
        kept = kept[np.argsort(-prediction.scores[kept], kind="stable")]
        free = np.ones(prediction.overlaps.shape[1], bool)
        for q in kept:
            fitting = np.where(free, prediction.overlaps[q], 0) if free.size else np.zeros(1)
            if fitting.max() >= GOOD:
                free[fitting.argmax()] = False
                right += 1
        boxes, shapes = boxes + len(kept), shapes + free.size
    return round(right / max(boxes, 1), 4), round(right / max(shapes, 1), 4)
