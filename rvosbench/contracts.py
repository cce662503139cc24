"""The contracts between the parts: depend on these, inherit from nothing.

A dataset gives samples and, apart from them, targets. A method gives predictions. A scoring
protocol turns predictions and targets into numbers. Each is found by name at an entry point, where
a small spec stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from rvosbench.masks import MaskSequence
from rvosbench.records import (
    DatasetCard,
    FrameEvidence,
    Json,
    MethodCard,
    Prediction,
    Sample,
    Target,
)

Answer: TypeAlias = "Prediction | MaskSequence"
"""A method may give bare masks: they count as a prediction of score 1."""

TruthLookup: TypeAlias = Callable[[str], Target]
"""Expression id -> target, for one video."""


class VideoTruth(Protocol):
    """All ground truth of one video, as a scoring protocol gets it. It is a `TruthLookup`, too."""

    def __call__(self, expression_id: str) -> Target: ...
    def objects(self) -> Mapping[str, MaskSequence]:
        """All annotated objects of the video, also those that no expression names."""


class MethodTruth(VideoTruth, Protocol):
    """All ground truth of one video, as a method is handed it that asks for it."""

    def frame_evidence(self, expression_id: str) -> FrameEvidence:
        """What one frame at a time tells; raises DatasetError if the dataset does not say it."""


@runtime_checkable
class Dataset(Protocol):
    """One split of a dataset, opened. Iteration order is fixed; frames and masks are read lazily.

    Attributes:
        name: dataset name, as on the command line.
        split: split name, as the dataset's authors call it.
        protocols: names of the official scoring protocols that fit; the first is the default.
        fingerprint: hash of everything that decides ground truth and expressions.

    Optional, and asked only by `rvosbench.datasets.capabilities`: `video_ids()`, the ids of all
    videos without opening one; `corruption`, what was done to the frames, or None; and what else
    stands there.
    """

    @property
    def name(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def protocols(self) -> tuple[str, ...]: ...
    @property
    def fingerprint(self) -> str: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Sample]: ...
    def sample(self, video_id: str) -> Sample:
        """One video by id; raises DatasetError for an unknown one."""

    def target(self, video_id: str, expression_id: str) -> Target:
        """The target of an expression; raises NoGroundTruthError on a hidden split."""

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        """All annotated objects of a video, for training and analysis; may raise as `target`."""


@dataclass(frozen=True)
class DatasetSpec:
    """A dataset before it is opened: what stands at the entry point `rvosbench.datasets`.

    Attributes:
        splits: split names as the authors write them; the first is the default of `eval`.
        open: (root folder or None, split) -> Dataset; raises DatasetError if files are not there.
        needs_root: False for datasets that are generated or embedded.
        aliases: other accepted spellings of a split -> the authors' spelling.
        hidden: splits whose ground truth the authors keep.
    """

    splits: tuple[str, ...]
    open: Callable[[Path | None, str], Dataset]
    card: DatasetCard
    needs_root: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()


@runtime_checkable
class Method(Protocol):
    """Anything that can predict. Work on a video is shared by its expressions: one call a video."""

    def predict(self, sample: Sample) -> Mapping[str, Answer]:
        """Expression id -> prediction, for every expression of the sample."""


@runtime_checkable
class TruthMethod(Protocol):
    """A method that sees the ground truth (`MethodSpec.needs_truth`): an upper bound, unranked."""

    def predict_with_truth(self, sample: Sample, truth: MethodTruth) -> Mapping[str, Answer]:
        """Expression id -> prediction, for every expression of the sample."""


@runtime_checkable
class Traceable(Protocol):
    """A method that can say what else decides its numbers (optional).

    `provenance()` gives JSON-safe facts for the signature: checkpoint hashes, image size, dtype.
    A method may also have a `card` of its own, where the configuration changes what tables print.
    """

    def provenance(self) -> Mapping[str, Json]: ...


@runtime_checkable
class TraceableByVideo(Protocol):
    """A method whose provenance depends on the videos of a run (optional), as a cache's does.

    `provenance_of(videos)` is asked instead of `provenance()`, with the ids of the run.
    """

    def provenance_of(self, videos: Sequence[str]) -> Mapping[str, Json]: ...


@dataclass(frozen=True)
class MethodIdentity:
    """What a method says of itself.

    Attributes:
        provenance: what decides its numbers beside its code and configuration: checkpoint hashes,
            image size, dtype, device kind, the hash of tracks.
        card: what the tables print of it.
    """

    provenance: Mapping[str, Json]
    card: MethodCard


@dataclass(frozen=True)
class MethodSpec:
    """A method before it is built: what stands at the entry point `rvosbench.methods`.

    Attributes:
        config_type: a frozen dataclass; its defaults are the published configuration.
        build: (config, device) -> Method or TruthMethod; loads weights, may raise WeightsError.
            The device is one that torch understands, never "auto".
        card: what the tables print.
        presets: preset name -> fields that differ from the defaults. A method with a "demo" preset
            uses it on the demo dataset unless another is asked for.
        needs_truth: the method is handed the ground truth, and its result is marked an upper bound.
        identify: (config, device, ids of the run's videos) -> what the built method would say of
            itself, without opening a network: a finished run is taken up at once, and with worker
            processes the parent opens nothing. It returns None where it cannot tell, such as for
            weights that are still to be downloaded. Optional: without it the method is built to
            be asked.
    """

    config_type: type[Any]
    build: Callable[[Any, str], Method | TruthMethod]
    card: MethodCard
    presets: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    needs_truth: bool = False
    identify: Callable[[Any, str, Sequence[str]], MethodIdentity | None] | None = None


@dataclass(frozen=True)
class ExpressionScore:
    """One expression, scored. All values in [0, 1].

    Attributes:
        j: region similarity, the mean of `frame_j` as the protocol takes it.
        f: contour accuracy, likewise.
        frame_j: J of every scored frame.
        frame_f: F of every scored frame.
        frames: indices of the scored frames in the video.
        metrics: further facts and metric values of the expression, see `rvosbench.metrics.values`.
    """

    video: str
    expression: str
    j: float
    f: float
    frame_j: tuple[float, ...] = ()
    frame_f: tuple[float, ...] = ()
    frames: tuple[int, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """Scores of a whole split in [0, 1]; `metrics` holds all further metric values."""

    j: float
    f: float
    jf: float
    metrics: Mapping[str, float] = field(default_factory=dict)


class ScoringProtocol(Protocol):
    """How an official tool turns masks into numbers.

    Attributes:
        name: as on the command line.
        version: changes whenever a number could change.
        official: False if the authors' scorer was never published and ours is a reconstruction.
        answers: what is scored: predictions for "expressions", or the objects of label images
            ("labels"), whose numbers are the keys of `predictions`.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def official(self) -> bool: ...
    @property
    def answers(self) -> Literal["expressions", "labels"]: ...
    def score_video(
        self, sample: Sample, truth: VideoTruth, predictions: Mapping[str, Prediction]
    ) -> Sequence[ExpressionScore]:
        """Score every expression (or object) of one video.

        `predictions` may decode a prediction whenever it is asked for: ask once.
        """

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """One number for the split, from all scores in dataset order."""
