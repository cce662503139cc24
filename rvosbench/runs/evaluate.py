"""Method x dataset -> Result: the only loop.

What decides a number (method, dataset, protocol, videos) is apart from how the run is done
(`RunOptions`: where, by how many processes, taken up again or not), which never changes a byte.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rvosbench.contracts import (
    Answer,
    Dataset,
    ExpressionScore,
    Method,
    ScoringProtocol,
    Summary,
    Traceable,
    TraceableByVideo,
    TruthLookup,
    TruthMethod,
)
from rvosbench.datasets.capabilities import frame_evidence
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.store import Store
from rvosbench.execution.units import Unit
from rvosbench.files.atomic import discard, write_json
from rvosbench.masks import MaskSequence
from rvosbench.metrics import official
from rvosbench.metrics.figures import split_figures
from rvosbench.predictions import MissingPolicy, PredictionSource, complete
from rvosbench.recipe import digest
from rvosbench.records import Expression, FrameEvidence, Json, Prediction, Sample, Target
from rvosbench.runs.contenders import Contender, from_files, from_method
from rvosbench.runs.methods import MethodChoice
from rvosbench.runs.result import Result, ScoredExpression, write_result
from rvosbench.runs.rows import ReadOnce, content_hash, from_row, prediction_rows, to_row


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
        The result; on a split without truth its summary is None, and `out` holds predictions.

    Raises:
        UsageError: the protocol does not fit the dataset, unknown videos, or `out` holds a
            different run.
        PredictionError: the method's answers do not fit the sample.
    """
    chosen = _protocol(dataset, protocol)
    if chosen.answers != "expressions":
        raise UsageError(
            f"protocol {chosen.name!r} scores label images, a method answers expressions: choose "
            f"another of {', '.join(dataset.protocols)}, or score a folder of label images"
        )
    return _run(from_method(method, dataset.name), _Task(dataset, chosen, videos), run)


def score(
    predictions: Path | str,
    dataset: Dataset,
    protocol: str | ScoringProtocol | None = None,
    missing: MissingPolicy = "error",
    run: RunOptions | None = None,
    videos: Sequence[str] | None = None,
) -> Result:
    """Score predictions made by anybody.

    Args:
        predictions: a folder or zip of `<video>/<expression>/<frame>.png`, a JSON file of run
            lengths, a run folder of `evaluate`; for protocols that score label images a folder or
            zip of `<video>/<frame>.png`.
        dataset: an opened split with truth.
        protocol: None takes the dataset's default; `rvosbench.metrics.official.protocol` gives
            variants.
        missing: "error" stops at a missing frame or expression, "zero" counts it as empty masks;
            the choice is in the signature.
        run: how it is done.
        videos: ids to restrict the score to; None takes all, and of label images those that are
            there. A restriction is in the signature.

    Raises:
        PredictionError: files that are missing, unreadable or of the wrong size.
        NoGroundTruthError: the split's truth is hidden.
    """
    if _hidden(dataset):
        raise NoGroundTruthError(
            f"{dataset.name}/{dataset.split} keeps its truth: predictions can be packed and sent "
            "to the authors' server, not scored here"
        )
    task = _Task(dataset, _protocol(dataset, protocol), videos)
    contender = from_files(
        Path(predictions), dataset, task.samples(), missing, task.protocol.answers
    )
    if videos is None and contender.videos is not None:
        task = replace(task, videos=contender.videos)
    return _run(contender, task, run)


@dataclass(frozen=True)
class _Task:
    """What it is evaluated on."""

    dataset: Dataset
    protocol: ScoringProtocol
    videos: Sequence[str] | None

    def samples(self) -> list[Sample]:
        """The samples of the run, in dataset order."""
        samples = list(self.dataset)
        if self.videos is None:
            return samples
        unknown = set(self.videos) - {s.video.id for s in samples}
        if unknown:
            raise UsageError(
                f"{self.dataset.name}/{self.dataset.split} has no video "
                f"{sorted(unknown)[0]!r} ({len(samples)} videos; "
                f"the first is {samples[0].video.id!r})"
            )
        return [s for s in samples if s.video.id in set(self.videos)]

    def facts(self) -> dict[str, Json]:
        """What the task adds to a signature."""
        return {
            "dataset": self.dataset.name,
            "split": self.dataset.split,
            "fingerprint": self.dataset.fingerprint,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "videos": sorted(self.videos) if self.videos is not None else None,
            "corruption": getattr(self.dataset, "corruption", None),
        }


class _Job:
    """Predicts and scores one video; a worker process builds the method once, on first use."""

    def __init__(self, contender: Contender, task: _Task, hidden: bool) -> None:
        self._contender, self._task, self._hidden = contender, task, hidden
        self._method: Method | TruthMethod | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_method": None}

    @property
    def method(self) -> Method | TruthMethod:
        """The built method."""
        if self._method is None:
            self._method = self._contender.build()
        return self._method

    def __call__(self, key: str, output: Path) -> None:
        """Write predictions.json and, where there is truth, scores.json into `output`."""
        sample = self._task.dataset.sample(key)
        output.mkdir(parents=True)
        if self._contender.files is not None:
            content = self._scored_files(sample, self._contender.files)
        else:
            content = self._answered(sample, output)
        write_json(output / "scores.json", content)

    def _scored_files(self, sample: Sample, files: PredictionSource) -> dict[str, Json]:
        """Scores and a hash of the pixels: two files of the same masks are one contender."""
        sample = _sized(sample, self._truth(sample))
        answers = ReadOnce(files.answers(sample), partial(files.answer, sample))
        scores = self._score(sample, answers)
        dropped = self._task.protocol.version.endswith(official.VARIANT)
        return {"pixels": content_hash(answers.hashes(unreadable=dropped)), "scores": scores}

    def _answered(self, sample: Sample, output: Path) -> dict[str, Json]:
        answers = self._predict(sample)
        predictions = complete(answers, sample, str(self._contender.facts["method"]))
        write_json(output / "predictions.json", prediction_rows(sample.video, predictions))
        return {"scores": [] if self._hidden else self._score(sample, predictions)}

    def _predict(self, sample: Sample) -> Mapping[str, Answer]:
        method = self.method
        if isinstance(method, TruthMethod):
            return method.predict_with_truth(sample, self._truth(sample))
        return method.predict(sample)

    def _score(self, sample: Sample, predictions: Mapping[str, Prediction]) -> list[Json]:
        scores = self._task.protocol.score_video(sample, self._truth(sample), predictions)
        return [to_row(score) for score in scores]

    def _truth(self, sample: Sample) -> _Truth:
        return _Truth(self._task.dataset, sample.video.id)


@dataclass(frozen=True)
class _Truth:
    """The truth of one video."""

    dataset: Dataset
    video: str

    def __call__(self, expression_id: str) -> Target:
        return self.dataset.target(self.video, expression_id)

    def objects(self) -> Mapping[str, MaskSequence]:
        return self.dataset.objects(self.video)

    def frame_evidence(self, expression_id: str) -> FrameEvidence:
        return frame_evidence(self.dataset, self.video, expression_id)


def _run(contender: Contender, task: _Task, run: RunOptions | None) -> Result:
    run = run or RunOptions()
    if run.out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _run(contender, task, replace(run, out=Path(folder)))
    hidden = _hidden(task.dataset)
    if hidden and contender.needs_truth:
        raise NoGroundTruthError(
            f"{contender.facts['method']} needs the truth, which "
            f"{task.dataset.name}/{task.dataset.split} does not have"
        )
    job = _Job(contender, task, hidden)
    samples = task.samples()
    provenance = _provenance(job, contender, [s.video.id for s in samples])
    facts = {**task.facts(), **contender.facts, **provenance}
    store = Store(run.out / "videos", suffix="")
    _claim(run.out, facts, run.resume)
    units = [Unit(s.video.id, _unit_digest(facts, s, contender)) for s in samples]
    run_units(units, job, store, local(run.workers), run.on_done)
    card = contender.card if contender.files else getattr(job.method, "card", contender.card)
    result = _collect(replace(contender, card=card), task, facts, samples, store)
    write_result(run.out / "result.json", result)
    return result


def _sized(sample: Sample, truth: TruthLookup) -> Sample:
    """The sample; its size is that of the truth if the frames are not on disk."""
    try:
        _ = sample.video.size
    except DatasetError:
        size = truth(sample.expressions[0].id).size
        return replace(sample, video=replace(sample.video, measure=lambda: size))
    return sample


def _protocol(dataset: Dataset, choice: str | ScoringProtocol | None) -> ScoringProtocol:
    choice = choice or dataset.protocols[0]
    chosen = official.protocol(choice) if isinstance(choice, str) else choice
    if chosen.name not in dataset.protocols:
        raise UsageError(
            f"protocol {chosen.name!r} does not fit {dataset.name}: it has "
            f"{', '.join(dataset.protocols)}"
        )
    return chosen


def _hidden(dataset: Dataset) -> bool:
    sample = next(iter(dataset), None)
    if sample is None or not sample.expressions:
        return False
    try:
        dataset.target(sample.video.id, sample.expressions[0].id)
    except NoGroundTruthError:
        return True
    return False


def _provenance(job: _Job, contender: Contender, videos: Sequence[str]) -> dict[str, Json]:
    if contender.files is not None:
        return {}
    method = job.method
    if isinstance(method, TraceableByVideo):
        return {"provenance": dict(method.provenance_of(videos))}
    return {"provenance": dict(method.provenance()) if isinstance(method, Traceable) else {}}


def _unit_digest(facts: Mapping[str, Json], sample: Sample, contender: Contender) -> str:
    files = contender.files.digest(sample) if contender.files else None
    return digest(
        [
            dict(facts),
            sample.video.id,
            list(sample.video.frame_names),
            [[e.id, e.text] for e in sample.expressions],
            files,
        ]
    )


def _claim(out: Path, facts: Mapping[str, Json], resume: bool) -> None:
    """Make `out` this run's folder; never mix two runs, never lose another one's work."""
    marker, mine = out / "run.json", {"run": digest(dict(facts))}
    if marker.exists() and json.loads(marker.read_text(encoding="utf-8")) != mine:
        raise UsageError(
            f"{out} holds another run (other data, configuration or protocol): "
            "choose another --out, or delete it"
        )
    if not marker.exists() and out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty and holds no run: choose another --out")
    if not resume:
        discard(out / "videos")
        discard(out / "result.json")
    write_json(marker, mine)


def _collect(
    contender: Contender,
    task: _Task,
    facts: Mapping[str, Json],
    samples: Sequence[Sample],
    store: Store,
) -> Result:
    scored, pixels = [], []
    for sample in samples:
        content = json.loads((store.output(sample.video.id) / "scores.json").read_text("utf-8"))
        expressions = {e.id: e for e in sample.expressions}
        scores = [from_row(sample.video.id, row) for row in content["scores"]]
        # A protocol may score objects that no expression names.
        scored += [
            ScoredExpression(expressions.get(s.expression, Expression(s.expression, "")), s)
            for s in scores
        ]
        pixels.append(content.get("pixels"))
    if contender.files is not None:
        facts = {**facts, "predictions": digest(pixels)}
    summary = _summary(task.protocol, [s.score for s in scored]) if scored else None
    return Result(facts, contender.card, summary, tuple(scored), contender.needs_truth)


def _summary(protocol: ScoringProtocol, scores: Sequence[ExpressionScore]) -> Summary:
    """The protocol's summary, with the figures that every result has."""
    summary = protocol.summarize(scores)
    return replace(summary, extra={**split_figures(scores), **summary.extra})
