"""What decides a number is in the recipe of its run: nothing else is reused, nor taken for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from rvosbench.errors import DatasetError, PluginError, UsageError
from rvosbench.execution.units import Unit
from rvosbench.masks import MaskSequence
from rvosbench.records import MethodCard, Sample, Video
from rvosbench.runs.code_hash import source_hash
from rvosbench.runs.evaluate import RunOptions, evaluate, score
from rvosbench.runs.methods import MethodChoice
from rvosbench.runs.participant import from_method
from rvosbench.runs.predictions import write_predictions
from rvosbench.runs.result import Result

from ..toys import LENGTH, SIZE, LeftAlways, ToyDataset, moving_square
from .toy_plugin import CODE, TELLS, ToyPlugin, plugin

__all__ = ["plugin"]


def again(
    out: Path, method: object = None, dataset: ToyDataset | None = None, workers: int = 0
) -> tuple[Result, list[str]]:
    """Take up a run in `out`: its result and the videos that were done again."""
    done: list[str] = []

    def note(unit: Unit, reused: bool) -> None:
        if not reused:
            done.append(unit.key)

    run = RunOptions(out, True, workers, note)
    method = LeftAlways() if method is None else method
    return evaluate(method, dataset or ToyDataset(), run=run), sorted(done)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Shaded(ToyDataset):
    """Frames of one shade of gray; None has no frames at all."""

    shade: int | None = 0

    def sample(self, video_id: str) -> Sample:
        sample, shade = super().sample(video_id), self.shade

        def read(index: int) -> NDArray[np.uint8]:
            if shade is None:
                raise DatasetError("no frames here")
            return np.full((*SIZE, 3), shade if video_id == "a" else 0, np.uint8)

        names = tuple(f"{i:05d}" for i in range(LENGTH))
        return Sample(Video(video_id, names, read, lambda: SIZE), sample.expressions)


def test_replaced_frames_of_the_same_names_are_predicted_again(tmp_path: Path) -> None:
    first, done = again(tmp_path, dataset=Shaded())
    assert done == ["a", "b/c", "d"]
    second, done = again(tmp_path, dataset=Shaded(shade=9))
    assert done == ["a"]
    assert first.signature != second.signature
    assert again(tmp_path, dataset=Shaded(shade=9)) == (second, [])


def test_a_score_of_files_never_looks_at_frames(tmp_path: Path) -> None:
    files(tmp_path / "files")
    seen, blind = (score(tmp_path / "files", Shaded(shade=s)) for s in (3, None))
    assert seen == blind
    assert not {"code", "frames", "provenance"} & seen.facts.keys()


def test_edited_expressions_are_predicted_again(tmp_path: Path) -> None:
    again(tmp_path)
    texts = {"0": "left", "1": "right", "2": "both of them", "3": "none"}
    result, done = again(tmp_path, dataset=ToyDataset(texts=texts))
    assert done == ["a", "b/c", "d"]
    assert result.expressions[2].expression.text == "both of them"


def files(root: Path) -> Path:
    for sample in ToyDataset():
        for e in sample.expressions:
            write_predictions(root, sample.video, e.id, moving_square(1, 2))
    return root


def score_again(root: Path, out: Path, dataset: ToyDataset) -> tuple[Result, list[str]]:
    done: list[str] = []

    def note(unit: Unit, reused: bool) -> None:
        if not reused:
            done.append(unit.key)

    return score(root, dataset, run=RunOptions(out, True, on_done=note)), done


def test_an_edited_prediction_is_scored_again_and_no_other(tmp_path: Path) -> None:
    root, out, dataset = files(tmp_path / "files"), tmp_path / "out", ToyDataset()
    first, done = score_again(root, out, dataset)
    assert done == ["a", "b/c", "d"]
    assert score_again(root, out, dataset) == (first, [])
    write_predictions(root, dataset.sample("d").video, "0", MaskSequence.empty(LENGTH, SIZE))
    second, done = score_again(root, out, dataset)
    assert done == ["d"]
    assert (first.expressions[8].score.j, second.expressions[8].score.j) == (1.0, 0.0)
    assert first.signature != second.signature


def test_edited_expressions_are_scored_again(tmp_path: Path) -> None:
    root, out = files(tmp_path / "files"), tmp_path / "out"
    score_again(root, out, ToyDataset())
    texts = {"0": "the left one", "1": "right", "2": "both", "3": "none"}
    result, done = score_again(root, out, ToyDataset(texts=texts))
    assert done == ["a", "b/c", "d"]
    assert result.expressions[0].expression.text == "the left one"


def test_edited_code_is_another_run(plugin: ToyPlugin, tmp_path: Path) -> None:
    first, _ = again(tmp_path / "out", plugin.write(CODE))
    choice = plugin.write(CODE + "\n# better\n")
    with pytest.raises(UsageError, match=r"holds another run: code is .*, wanted "):
        again(tmp_path / "out", choice)
    assert evaluate(choice, ToyDataset()).signature != first.signature
    assert again(tmp_path / "out", plugin.write(CODE)) == (first, [])
    (plugin.folder / plugin.name / "notes.txt").write_text("not code")
    assert again(tmp_path / "out", plugin.write(CODE)) == (first, [])


def test_every_file_of_the_package_is_its_code(plugin: ToyPlugin) -> None:
    plugin.write(CODE)
    inner = plugin.folder / plugin.name / "inner"
    inner.mkdir()
    hashes = {source_hash(plugin.name)}
    for name, text in (("a.py", "x"), ("a.py", "y"), ("b.py", "y")):
        (inner / name).write_text(text)
        source_hash.cache_clear()
        hashes.add(source_hash(f"{plugin.name}.method"))
    assert len(hashes) == 4


def test_a_changed_default_is_another_configuration(plugin: ToyPlugin) -> None:
    before = plugin.write(CODE)
    facts, details = before.facts(), before.details()
    assert details["configuration"] == {"width": 5}
    wider = plugin.write(CODE.replace("width: int = 5", "width: int = 6"))
    assert wider.facts() == facts
    assert wider.details()["configuration"] == {"width": 6}


def test_new_weights_are_another_run(plugin: ToyPlugin, tmp_path: Path) -> None:
    for code in (CODE, TELLS):
        again(tmp_path / "out", plugin.write(code))
        with pytest.raises(UsageError, match=r"run: provenance\.weights is 1, wanted 2"):
            again(tmp_path / "out", plugin.write(code, weights="2"))
        (tmp_path / "out").rename(tmp_path / f"out-{len(code)}")


def test_the_card_is_that_of_the_built_method(plugin: ToyPlugin) -> None:
    for code in (CODE, TELLS):
        result = evaluate(plugin.write(code, weights="7"), ToyDataset())
        assert result.card == MethodCard("A box", training_data="weights 7")


def test_a_finished_run_is_taken_up_without_building_the_method(
    plugin: ToyPlugin, tmp_path: Path
) -> None:
    result, _ = again(tmp_path / "out", plugin.write(TELLS))
    assert plugin.built_by == [os.getpid()]
    assert again(tmp_path / "out", plugin.write(TELLS)) == (result, [])
    assert plugin.built_by == [os.getpid()]


def test_with_workers_the_parent_builds_nothing(plugin: ToyPlugin, tmp_path: Path) -> None:
    result, done = again(tmp_path / "out", plugin.write(TELLS), workers=2)
    assert done == ["a", "b/c", "d"]
    assert 1 <= len(plugin.built_by) <= 2
    assert os.getpid() not in plugin.built_by
    assert again(tmp_path / "one", plugin.write(TELLS))[0] == result


def test_a_method_that_cannot_tell_is_built_once_to_be_asked(plugin: ToyPlugin) -> None:
    unsure = TELLS + "\nSPEC = dataclasses.replace(SPEC, identify=lambda *_: None)\n"
    for number, code in enumerate((CODE, unsure), start=1):
        evaluate(plugin.write(code), ToyDataset())
        assert len(plugin.built_by) == number


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('TOLD = "none"', "the card is another one"),
        (
            "SPEC = dataclasses.replace(SPEC, identify=lambda *_: "
            'MethodIdentity({"weights": "0"}, MethodCard("A box", training_data=TOLD)))',
            "weights is 1, wanted 0",
        ),
    ],
)
def test_a_method_that_is_not_what_it_said_is_refused(
    plugin: ToyPlugin, wrong: str, message: str
) -> None:
    with pytest.raises(PluginError, match=f"not what its `identify` said.*{message}"):
        evaluate(plugin.write(f"{TELLS}\n{wrong}\n"), ToyDataset())


@dataclass(frozen=True)
class Tuned(LeftAlways):
    """A method with attributes of its own."""

    step: int = 2
    table: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    network: object = None
    name: str = "tuned"


def test_attributes_of_an_object_decide(tmp_path: Path) -> None:
    import torch

    def network(seed: int) -> object:
        torch.manual_seed(seed)
        return torch.nn.Linear(2, 2)

    def tuned(**changes: Any) -> Tuned:  # noqa: ANN401
        return Tuned(**{"network": network(0), **changes})

    result, _ = again(tmp_path, tuned())
    assert again(tmp_path, tuned()) == (result, [])
    for change, name in (
        ({"step": 3}, r"object\.step is 2, wanted 3"),
        ({"table": np.ones(3)}, r"object\.table\.array is"),
        ({"table": np.zeros(3, np.float32)}, r"object\.table\.array is"),
        ({"network": network(1)}, r"object\.network\.weights is"),
    ):
        with pytest.raises(UsageError, match=f"holds another run: {name}"):
            again(tmp_path, tuned(**change))


def test_a_network_is_told_apart_by_its_weights() -> None:
    import torch

    class Net(torch.nn.Module):
        def __init__(self, value: float, dtype: torch.dtype = torch.float32) -> None:
            super().__init__()
            self.scale, self.factor = torch.nn.Parameter(torch.tensor(value, dtype=dtype)), 2

        def predict(self, sample: Sample) -> Mapping[str, MaskSequence]:
            return {e.id: moving_square(1, 2) for e in sample.expressions}

    nets = [Net(1.0), Net(2.0), Net(1.0, torch.bfloat16)]
    facts = [from_method(net, "toy").facts["object"] for net in nets]
    assert facts[0] == from_method(Net(1.0), "toy").facts["object"]
    assert len({f["weights"] for f in facts}) == 3
    assert [f["factor"] for f in facts] == [2, 2, 2]
    assert from_method(nets[0], "toy").unsure == ""


@pytest.mark.parametrize("unknown", [object(), {1: 2}, np.array([object()]), lambda: 1])
def test_an_object_that_cannot_be_told_from_another_is_not_resumed(
    tmp_path: Path, unknown: object
) -> None:
    method = Tuned(network=unknown)
    evaluate(method, ToyDataset(), run=RunOptions(tmp_path))
    with pytest.raises(UsageError, match=r"tuned cannot be resumed.*attribute network changed"):
        again(tmp_path, method)


def test_an_object_without_source_is_not_resumed(tmp_path: Path) -> None:
    scope: dict[str, Any] = {"__name__": "nowhere", "moving_square": moving_square}
    exec(  # as in an interactive session
        "class Typed:\n    def predict(self, sample):\n"
        "        return {e.id: moving_square(1, 2) for e in sample.expressions}\n",
        scope,
    )
    evaluate(scope["Typed"](), ToyDataset(), run=RunOptions(tmp_path))
    with pytest.raises(UsageError, match="defined without a source file"):
        again(tmp_path, scope["Typed"]())


def test_resume_wants_a_folder() -> None:
    with pytest.raises(UsageError, match="give --out"):
        evaluate(LeftAlways(), ToyDataset(), run=RunOptions(resume=True))


class Counting(ToyDataset):
    """Notes which videos are opened."""

    opened: ClassVar[list[str]] = []

    def video_ids(self) -> list[str]:
        return list(self.videos)

    def __iter__(self) -> Iterator[Sample]:
        raise AssertionError("the whole split was opened")

    def sample(self, video_id: str) -> Sample:
        self.opened.append(video_id)
        return super().sample(video_id)


@pytest.mark.parametrize("work", ["evaluate", "score"])
def test_no_video_is_opened_that_was_not_asked_for(tmp_path: Path, work: str) -> None:
    dataset = Counting()
    dataset.opened.clear()
    do: Callable[[], Result]
    if work == "evaluate":
        do = lambda: evaluate(LeftAlways(), dataset, videos=["d"])  # noqa: E731
    else:
        files(tmp_path)
        do = lambda: score(tmp_path, dataset, videos=["d"])  # noqa: E731
    assert len(do().expressions) == 4
    assert set(dataset.opened) == {"d"}


def test_the_choice_does_not_configure_twice(plugin: ToyPlugin) -> None:
    choice = plugin.write(CODE)
    assert choice.config is choice.config
    assert replace(choice, settings={"width": "9"}).config.width == 9  # type: ignore[attr-defined]
    assert MethodChoice(plugin.name) == choice
