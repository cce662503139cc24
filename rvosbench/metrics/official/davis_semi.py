"""Protocol `davis-semi`: DAVIS 2017 semi-supervised, object k against label k.

The first frame (given in that task) and the last one do not count. Void is background. A label
without object is an error, an object without label has empty masks.

The official tool reads `Annotations/480p`; here the masks are those that the dataset was opened
with, for Ref-DAVIS17 the folder `Annotations_unsupervised`, which numbers other objects in some
videos. Scores compare with published ones only where both agree.

Source: see `davis`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import DatasetError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import tolerance
from rvosbench.metrics.counts import count
from rvosbench.metrics.official.davis import LabelImages, object_score
from rvosbench.records import Sample, Target


def object_rows(
    sample: Sample, target: Target, found: dict[str, MaskSequence], wrap: bool
) -> Iterator[ExpressionScore]:
    """Objects by number, without the first and the last frame; see the module's description.

    `wrap` reproduces the official decay beyond 256 frames, see `decay`.

    Raises:
        DatasetError: fewer than three annotated frames.
        PredictionError: a label that is no object.
    """
    inner = range(1, len(target.annotated) - 1)
    if not inner:
        raise DatasetError(
            f"video {sample.video.id!r} has {len(target.annotated)} annotated frames: "
            "davis-semi leaves out the first and the last, so it needs three"
        )
    surplus = [label for label in found if label not in target.objects]
    if surplus:
        raise PredictionError(
            f"video {sample.video.id!r}: label {surplus[-1]} is predicted, there are "
            f"{len(target.objects)} objects: for proposals in any order use davis-unsup"
        )
    scored = replace(target, annotated=tuple(target.annotated[i] for i in inner))
    nothing = MaskSequence.empty(len(target.annotated), target.size)
    for name, masks in target.objects.items():
        proposal = found.get(name, nothing).at(inner)
        counts = count(proposal, masks.at(inner), radius=tolerance(target.size))
        yield object_score(sample, name, counts, scored, wrap)


PROTOCOL = LabelImages("davis-semi", object_rows)
AS_OFFICIAL = LabelImages("davis-semi", object_rows, version="1-as-official", compat=True)
