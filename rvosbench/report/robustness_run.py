"""A method on clean frames and under every chosen corruption, each a run that can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.corrupted import corrupted
from rvosbench.errors import NoGroundTruthError
from rvosbench.report.robustness import Robustness, Row, score_of
from rvosbench.runs.evaluate import RunOptions, evaluate
from rvosbench.runs.methods import MethodChoice
from rvosbench.runs.result import Result

CLEAN = "clean"

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Trial:
    """What a method's robustness is measured on.

    Attributes:
        dataset: the clean split.
        plans: at least one; all of one mode, temporal policy and seed.
        protocol: as in `evaluate`.
        videos: as in `evaluate`.
    """

    dataset: Dataset
    plans: Sequence[Plan]
    protocol: str | None = None
    videos: Sequence[str] | None = None


def measure(
    method: MethodChoice,
    trial: Trial,
    out: Path,
    run: RunOptions,
    on_step: Step = lambda label, number, count: None,
) -> Robustness:
    """Evaluate a method on a dataset, clean and under each plan.

    The method is built anew for every run, so that nothing it remembers of a video's clean frames
    can reach the corrupted ones.

    Args:
        method: by choice.
        trial: dataset and corruptions.
        out: each run has a folder of its own in it: `clean`, `fog-3`, ...
        run: resume, workers and progress; its `out` is not looked at.
        on_step: called before each run with its label, its number from 1 and how many there are.

    Raises:
        NoGroundTruthError: the split has no ground truth to score with.
    """
    dataset, count = trial.dataset, len(trial.plans) + 1

    def score(opened: Dataset, label: str, number: int) -> Result:
        on_step(label, number, count)
        options = replace(run, out=out / label.replace(":", "-"))
        return evaluate(method, opened, trial.protocol, trial.videos, options)

    clean = score(dataset, CLEAN, 1)
    if clean.summary is None:
        raise NoGroundTruthError(
            f"{dataset.name}/{dataset.split} has no public ground truth, so there is no "
            "robustness table; take one corruption at a time to write predictions, such as "
            "--corruption fog:3"
        )
    rows = []
    for number, plan in enumerate(trial.plans, start=2):
        label = f"{plan.name}:{plan.severity}"
        result = score(corrupted(dataset, plan), label, number)
        rows.append(Row(plan.name, plan.severity, score_of(result.summary, label)))
    title = f"{method.card.title} on {dataset.name}/{dataset.split} under corruption"
    setting = trial.plans[0].signature.partition("@")[2].partition(",frost")[0]
    return Robustness(title, score_of(clean.summary, CLEAN), tuple(rows), setting)
