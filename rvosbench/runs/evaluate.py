"""Method x dataset -> Result: the only loop.

What decides a number (method, dataset, protocol, videos) is apart from how the run is done
(`RunOptions`: where, by how many processes, taken up again or not), which never changes a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rvosbench.contracts import (
    Dataset,
    Method,
    ScoringProtocol,
    TruthMethod,
)
from rvosbench.datasets.capabilities import video_ids
from rvosbench.errors import NoGroundTruthError, UsageError
from rvosbench.execution.executors.local import local
from rvosbench.execution.runner import run_units
from rvosbench.execution.units import Job, Outcome, Unit
from rvosbench.files.atomic import discard
from rvosbench.metrics.values import split_values
from rvosbench.missing import Missing
from rvosbench.recipe import Recipe, digest
from rvosbench.records import Expression, MethodCard, Sample
from rvosbench.runs.evaluation_set import EvaluationSet, open_evaluation_set
from rvosbench.runs.methods import MethodChoice
from rvosbench.runs.participant import Participant, from_files, from_method
from rvosbench.runs.result import Result, ScoredExpression, write_result
from rvosbench.runs.run_folder import RunFolder, VideoScores
from rvosbench.runs.video_job import VideoJob


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
    task = open_evaluation_set(dataset, protocol, videos)
    if task.protocol.answers != "expressions":
        raise UsageError(
            f"protocol {task.protocol.name!r} scores label images, a method predicts expressions: "
            f"choose another of {', '.join(dataset.protocols)}, or score a folder of label images"
        )
    participant, run = from_method(method, dataset.name), run or RunOptions()
    if task.hidden and participant.needs_truth:
        raise NoGroundTruthError(
            f"{participant.name} needs the ground truth, which {dataset.name}/{dataset.split} does "
            "not have"
        )
    return _run(participant, task, run)


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
    run, task = run or RunOptions(), open_evaluation_set(dataset, protocol, videos)
    if task.hidden:
        raise NoGroundTruthError(
            f"{dataset.name}/{dataset.split} has no public ground truth: predictions can be packed "
            "and sent to the authors' server, not scored here"
        )
    participant, there = from_files(
        Path(predictions), missing, task.protocol.answers, task.samples, video_ids(dataset)
    )
    if videos is None and len(there) < len(task.samples):
        task = replace(task, videos=tuple(s.video.id for s in there), samples=tuple(there))
    return _run(participant, task, run)


def _run(participant: Participant, task: EvaluationSet, run: RunOptions) -> Result:
    """Claim the run's folder for the time of the work, do what is not finished, write the result.

    Nothing is built here if it can be told what the method would say of itself once built.
    """
    _check_resumable(participant, run)
    built, identity = None, participant.identify(task.ids) if participant.identify else None
    if identity is None:
        built = participant.build()
        identity = participant.identity_of(built, task.ids)
    recipe = Recipe({**task.facts(), **participant.facts})
    if participant.files is None:
        recipe = recipe.with_facts(provenance=dict(identity.provenance))
    job = VideoJob(participant, task, identity, built)
    with ExitStack() as stack:
        place = RunFolder(run.out or Path(stack.enter_context(TemporaryDirectory())))
        stack.enter_context(place.claimed(recipe, run.resume))
        units = [Unit(s.video.id, _unit_digest(recipe, s, participant)) for s in task.samples]

        def executor(job: Job, keys: Sequence[str], folder: Path) -> Iterator[Outcome]:
            discard(place.result_file)  # from here on there is no result until all is done
            return local(run.workers)(job, keys, folder)

        run_units(units, job, place.store, executor, run.on_done)
        kept = [place.video(video).scores(video) for video in task.ids]
        result = _result(recipe, participant, task, identity.card, kept)
        if run.out is not None:
            write_result(place.result_file, result)
    return result


def _check_resumable(participant: Participant, run: RunOptions) -> None:
    if run.resume and run.out is None:
        raise UsageError("resume wants the folder of the run: give --out")
    if run.resume and participant.unsure:
        raise UsageError(
            f"a run of {participant.name} cannot be resumed: nothing tells {participant.unsure}, "
            "or start again"
        )


def _result(
    recipe: Recipe,
    participant: Participant,
    task: EvaluationSet,
    card: MethodCard,
    kept: Sequence[VideoScores],
) -> Result:
    scored, summary = [], None
    for sample, found in zip(task.samples, kept, strict=True):
        named = {e.id: e for e in sample.expressions}
        for s in found.scores:  # a protocol may score objects that no expression names
            expression = named.get(s.expression, Expression(s.expression, ""))
            scored.append(ScoredExpression(expression, s))
    if scored:
        scores = [s.score for s in scored]
        summary = task.protocol.summarize(scores)
        summary = replace(summary, metrics={**split_values(scores), **summary.metrics})
    if participant.files is None:
        known = {"frames": digest([sample.video.identity for sample in task.samples])}
    else:
        known = {"predictions": digest([found.pixels for found in kept])}
    return Result(
        {**recipe.facts, **known},
        card,
        summary,
        tuple(scored),
        participant.needs_truth,
        Missing.total(found.missing for found in kept)._asdict(),
    )


def _unit_digest(recipe: Recipe, sample: Sample, participant: Participant) -> str:
    """What decides a video's files: the run, the video's expressions, and what is read of it.

    A method reads frames, a score of files reads the files and works without frames.
    """
    video, expressions = sample.video, [[e.id, e.text] for e in sample.expressions]
    read = video.identity if participant.files is None else participant.files(sample)
    return digest([dict(recipe.facts), video.id, list(video.frame_names), expressions, read])
