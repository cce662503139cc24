"""What is evaluated on: videos of a split, their ground truth, and a scoring protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rvosbench.contracts import Dataset, ScoringProtocol
from rvosbench.datasets.capabilities import check_videos, corruption_of, frame_evidence, video_ids
from rvosbench.errors import NoGroundTruthError, UsageError
from rvosbench.masks import MaskSequence
from rvosbench.metrics import official
from rvosbench.records import FrameEvidence, Json, Sample, Target


@dataclass(frozen=True)
class EvaluationSet:
    """What it is evaluated on.

    Attributes:
        videos: ids of a part of the split; None if it is whole.
        samples: of the run, in dataset order.
        hidden: there is no ground truth.
    """

    dataset: Dataset
    protocol: ScoringProtocol
    videos: Sequence[str] | None
    samples: tuple[Sample, ...]
    hidden: bool

    @property
    def ids(self) -> list[str]:
        """The videos of the run."""
        return [sample.video.id for sample in self.samples]

    def facts(self) -> dict[str, Json]:
        """What the task adds to a signature."""
        return {
            "dataset": self.dataset.name,
            "split": self.dataset.split,
            "fingerprint": self.dataset.fingerprint,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "videos": sorted(self.videos) if self.videos is not None else None,
            "corruption": corruption_of(self.dataset),
        }


def open_evaluation_set(
    dataset: Dataset, protocol: str | ScoringProtocol | None, videos: Sequence[str] | None
) -> EvaluationSet:
    """Videos of a split and how they are scored; only these are opened, of maybe thousands.

    Args:
        dataset: an opened split.
        protocol: by name or as it is; None is the dataset's default.
        videos: ids; None takes all.

    Raises:
        UsageError: the protocol does not fit the dataset, or it has no such video.
    """
    chosen = protocol or dataset.protocols[0]
    scorer = official.protocol(chosen) if isinstance(chosen, str) else chosen
    if scorer.name not in dataset.protocols:
        raise UsageError(
            f"protocol {scorer.name!r} does not fit {dataset.name}: it has "
            f"{', '.join(dataset.protocols)}"
        )
    if videos is not None:
        check_videos(dataset, videos)
    wanted = None if videos is None else set(videos)
    ids = [video for video in video_ids(dataset) if wanted is None or video in wanted]
    samples = tuple(dataset.sample(video) for video in ids)
    return EvaluationSet(dataset, scorer, videos, samples, _hidden(dataset, samples))


def _hidden(dataset: Dataset, samples: Sequence[Sample]) -> bool:
    asked = next((s for s in samples if s.expressions), None)
    if asked is None:
        return False
    try:
        dataset.target(asked.video.id, asked.expressions[0].id)
    except NoGroundTruthError:
        return True
    return False


@dataclass(frozen=True)
class GroundTruth:
    """A video of a dataset; satisfies `rvosbench.contracts.VideoTruth` and `MethodTruth`.

    Attributes:
        dataset: an opened split.
        video: id of one of its videos.
    """

    dataset: Dataset
    video: str

    def __call__(self, expression_id: str) -> Target:
        """The target of an expression; raises NoGroundTruthError on a hidden split."""
        return self.dataset.target(self.video, expression_id)

    def objects(self) -> Mapping[str, MaskSequence]:
        """All annotated objects, also those that no expression names."""
        return self.dataset.objects(self.video)

    def frame_evidence(self, expression_id: str) -> FrameEvidence:
        """What one frame at a time tells; raises DatasetError if the dataset does not say it."""
        return frame_evidence(self.dataset, self.video, expression_id)
