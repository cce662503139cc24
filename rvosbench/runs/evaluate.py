"""Method x dataset -> Result: the only loop.

What decides a number (method, dataset, protocol, videos) is apart from how the run is done
(`RunOptions`: where, by how many processes, taken up again or not), which never changes a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rvosbench.contracts import (
    Answer,
    Dataset,
    ExpressionScore,
    Method,
    MethodIdentity,
    ScoringProtocol,
    Summary,
    TruthLookup,
    TruthMethod,
)
from rvosbench.datasets.capabilities import check_videos, corruption_of, video_ids
from rvosbench.errors import DatasetError, NoGroundTruthError, PluginError, UsageError
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.units import Job, Outcome, Unit
from rvosbench.metrics import official
from rvosbench.metrics.values import split_values
from rvosbench.recipe import Recipe, digest
from rvosbench.records import Expression, Json, Missing, Sample
from rvosbench.runs.files import open_files
from rvosbench.runs.methods import Candidate, MethodChoice, choose
from rvosbench.runs.predictions import VideoPredictions
from rvosbench.runs.result import Result, ScoredExpression
from rvosbench.runs.run_folder import RunFolder, VideoFiles, VideoScores
from rvosbench.runs.truth import GroundTruth


@dataclass(frozen=True)
class RunOptions:
    """How a run is done; nothing here changes a number.

    Attributes:
        out: run folder; None keeps nothing but the returned result.
        resume: take up a killed run in `out`: finished videos are not done again.
        workers: processes; 0 works in this one.
        on_done: called with each finished video and whether it was there already.
    """

    out: Path | None = None
    resume: bool = False
    workers: int = 0
    on_done: Callable[[Unit, bool], None] = lambda unit, reused: None


def evaluate(
    method: str | MethodChoice | Method | TruthMethod,
    dataset: Dataset,
    protocol: str | ScoringProtocol | None = None,
    videos: Sequence[str] | None = None,
    run: RunOptions | None = None,
) -> Result:
    """Run a method on a dataset and score it.

    Args:
        method: a name, a choice (see `load_method`), or any object with `predict`.
        dataset: an opened split.
        protocol: None takes the dataset's default; `rvosbench.metrics.official.protocol` gives
            variants.
        videos: ids to restrict the run to; None takes all. A restriction is in the signature.
        run: how it is done.

    Returns:
        The result; on a split without ground truth its summary is None, and `out` holds
        predictions.

    Raises:
        UsageError: the protocol does not fit the dataset, unknown videos, `out` holds a different
            run, or another process works there.
        PredictionError: the method's predictions do not fit the sample.
    """
    chosen = _protocol(dataset, protocol)
    if chosen.answers != "expressions":
        raise UsageError(
            f"protocol {chosen.name!r} scores label images, a method predicts expressions: choose "
            f"another of {', '.join(dataset.protocols)}, or score a folder of label images"
        )
    candidate, run = choose(method, dataset.name), run or RunOptions()
    task = _task(dataset, chosen, videos)
    if task.hidden and candidate.needs_truth:
        raise NoGroundTruthError(
            f"{candidate.facts()['method']} needs the ground truth, which "
            f"{dataset.name}/{dataset.split} does not have"
        )
    with _begun(candidate, task, run) as work:
        run_units(work.units, work.job, work.folder.store, work.executor, run.on_done)
        return work.result()


def score(
    predictions: Path | str,
    dataset: Dataset,
    protocol: str | ScoringProtocol | None = None,
    missing: str = "error",
    run: RunOptions | None = None,
    videos: Sequence[str] | None = None,
) -> Result:
    """Score predictions made by anybody.

    Args:
        predictions: a folder or zip of `<video>/<expression>/<frame>.png`, a JSON file of run
            lengths, a run folder of `evaluate`; for protocols that score label images a folder or
            zip of `<video>/<frame>.png`.
        dataset: an opened split with ground truth.
        protocol: None takes the dataset's default; `rvosbench.metrics.official.protocol` gives
            variants.
        missing: "error" stops at a missing frame or expression, "zero" counts it as empty masks;
            the choice is in the signature.
        run: how it is done.
        videos: ids to restrict the score to; None takes all, and of label images those that are
            there. A restriction is in the signature.

    Raises:
        PredictionError: files that are missing, unreadable or of the wrong size.
        ResultError: a run folder whose files are damaged.
        NoGroundTruthError: the split's ground truth is hidden.
    """
    run, task = run or RunOptions(), _task(dataset, _protocol(dataset, protocol), videos)
    if task.hidden:
        raise NoGroundTruthError(
            f"{dataset.name}/{dataset.split} has no public ground truth: predictions can be packed "
            "and sent to the authors' server, not scored here"
        )
    candidate, there = open_files(
        Path(predictions), missing, task.protocol.answers, task.samples, video_ids(dataset)
    )
    if videos is None and len(there) < len(task.samples):
        task = replace(task, videos=tuple(s.video.id for s in there), samples=tuple(there))
    with _begun(candidate, task, run) as work:
        run_units(work.units, work.job, work.folder.store, work.executor, run.on_done)
        return work.result()


@dataclass(frozen=True)
class _Task:
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


def _task(dataset: Dataset, protocol: ScoringProtocol, videos: Sequence[str] | None) -> _Task:
    """Only the videos of the run are opened: a split may have thousands."""
    if videos is not None:
        check_videos(dataset, videos)
    wanted = None if videos is None else set(videos)
    ids = [video for video in video_ids(dataset) if wanted is None or video in wanted]
    samples = tuple(dataset.sample(video) for video in ids)
    return _Task(dataset, protocol, videos, samples, _hidden(dataset, samples))


def _hidden(dataset: Dataset, samples: Sequence[Sample]) -> bool:
    asked = next((s for s in samples if s.expressions), None)
    if asked is None:
        return False
    try:
        dataset.target(asked.video.id, asked.expressions[0].id)
    except NoGroundTruthError:
        return True
    return False


def _protocol(dataset: Dataset, choice: str | ScoringProtocol | None) -> ScoringProtocol:
    choice = choice or dataset.protocols[0]
    chosen = official.protocol(choice) if isinstance(choice, str) else choice
    if chosen.name not in dataset.protocols:
        raise UsageError(
            f"protocol {chosen.name!r} does not fit {dataset.name}: it has "
            f"{', '.join(dataset.protocols)}"
        )
    return chosen


@dataclass(frozen=True)
class _Work:
    """A run whose folder is ours: what is to be done, and what comes of it."""

    folder: RunFolder
    recipe: Recipe
    task: _Task
    job: _Job
    identity: MethodIdentity
    units: Sequence[Unit]
    workers: int

    def executor(self, job: Job, keys: Sequence[str], folder: Path) -> Iterator[Outcome]:
        """Does what is not finished: from here on there is no result until all is done."""
        self.folder.discard_result()
        return local(self.workers)(job, keys, folder)

    def result(self) -> Result:
        """The result of the finished videos, written and returned."""
        kept = [self.folder.video(video).scores(video) for video in self.task.ids]
        scored = [
            ScoredExpression(_expression(sample, score.expression), score)
            for sample, found in zip(self.task.samples, kept, strict=True)
            for score in found.scores
        ]
        facts = dict(self.recipe.facts)
        if self.job.candidate.keeps:
            facts["frames"] = digest([sample.video.identity for sample in self.task.samples])
        else:
            facts["predictions"] = digest([found.pixels for found in kept])
        result = Result(
            facts,
            self.identity.card,
            _summary(self.task.protocol, [s.score for s in scored]) if scored else None,
            tuple(scored),
            self.job.candidate.needs_truth,
            Missing.total(found.missing for found in kept)._asdict(),
        )
        self.folder.write_result(result)
        return result


@contextmanager
def _begun(candidate: Candidate, task: _Task, run: RunOptions) -> Iterator[_Work]:
    """Say what decides the run, and claim its folder for the time of the work.

    Nothing is built here if the candidate can tell what it would say of itself once built.
    """
    if run.resume:
        if run.out is None:
            raise UsageError("resume wants the folder of the run: give --out")
        candidate.check_resumable()
    built = None
    identity = candidate.identify(task.ids)
    if identity is None:
        built = candidate.build()
        identity = candidate.identity_of(built, task.ids)
    recipe = Recipe({**task.facts(), **candidate.facts(), **candidate.details()})
    if candidate.keeps:
        recipe = recipe.with_facts(provenance=dict(identity.provenance))
    job = _Job(candidate, task, identity, built)
    with ExitStack() as stack:
        folder = RunFolder(run.out or Path(stack.enter_context(TemporaryDirectory())))
        stack.enter_context(folder.claimed(recipe, run.resume))
        units = [Unit(s.video.id, _unit_digest(recipe, s, candidate)) for s in task.samples]
        yield _Work(folder, recipe, task, job, identity, units, run.workers)


def _unit_digest(recipe: Recipe, sample: Sample, candidate: Candidate) -> str:
    """What decides a video's files: the run, the video's expressions, and what is read of it.

    A method reads frames, a score of files reads the files and works without frames.
    """
    video, expressions = sample.video, [[e.id, e.text] for e in sample.expressions]
    read = candidate.read_of(sample)
    return digest([dict(recipe.facts), video.id, list(video.frame_names), expressions, read])


class _Job:
    """Predicts and scores one video; a worker process builds the method once, on first use."""

    def __init__(
        self,
        candidate: Candidate,
        task: _Task,
        identity: MethodIdentity,
        built: Method | TruthMethod | None,
    ) -> None:
        self.candidate, self._identity, self._method = candidate, identity, built
        self._dataset, self._protocol, self._hidden = task.dataset, task.protocol, task.hidden
        self._ids = task.ids

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_method": None}

    def __call__(self, key: str, output: Path) -> None:
        """Write predictions and, where there is ground truth, scores into the folder `output`."""
        output.mkdir(parents=True)
        files, sample = VideoFiles(output), self._dataset.sample(key)
        truth = GroundTruth(self._dataset, key)
        if not self._hidden:
            sample = _sized(sample, truth)
        answers = self._predicted(sample, truth)
        predictions = self.candidate.checked(answers, sample)
        if self.candidate.keeps:
            files.write_predictions(sample.video, predictions)
        scores = [] if self._hidden else self._protocol.score_video(sample, truth, predictions)
        kept = VideoScores(tuple(scores))
        if isinstance(predictions, VideoPredictions):
            dropped = self._protocol.version.endswith(official.VARIANT)
            pixels = predictions.digest(unreadable=dropped)
            kept = replace(kept, pixels=pixels, missing=predictions.filled)
        files.write_scores(kept)

    def _predicted(self, sample: Sample, truth: GroundTruth) -> Mapping[str, Answer]:
        method = self._built()
        if isinstance(method, TruthMethod):
            return method.predict_with_truth(sample, truth)
        return method.predict(sample)

    def _built(self) -> Method | TruthMethod:
        if self._method is None:
            method = self.candidate.build()
            _check_same(self._identity, self.candidate.identity_of(method, self._ids))
            self._method = method
        return self._method


def _check_same(told: MethodIdentity, built: MethodIdentity) -> None:
    """What a method told of itself before it was built is in the signature: it must be true."""
    differences = Recipe(told.provenance).differences(Recipe(built.provenance))
    if told.card != built.card:
        differences.append("the card is another one")
    if differences:
        raise PluginError(
            "the built method is not what its `identify` said, so that the run's signature would "
            f"be wrong: {'; '.join(differences)}"
        )


def _expression(sample: Sample, expression_id: str) -> Expression:
    """By id; a protocol may score objects that no expression names."""
    found = (e for e in sample.expressions if e.id == expression_id)
    return next(found, Expression(expression_id, ""))


def _sized(sample: Sample, truth: TruthLookup) -> Sample:
    """The sample; its size is that of the ground truth if the frames are not on disk."""
    try:
        _ = sample.video.size
    except DatasetError:
        size = truth(sample.expressions[0].id).size
        return replace(sample, video=replace(sample.video, measure=lambda: size))
    return sample


def _summary(protocol: ScoringProtocol, scores: Sequence[ExpressionScore]) -> Summary:
    """The protocol's summary, with the values that every result has."""
    summary = protocol.summarize(scores)
    return replace(summary, metrics={**split_values(scores), **summary.metrics})
