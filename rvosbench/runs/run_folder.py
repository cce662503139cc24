"""A run on disk: the only place that knows the names of its files.

    run.json                          what decides the run
    videos/<video>/predictions.json   what the method predicted, as COCO RLE
    videos/<video>/scores.json        what that scored, where there is ground truth
    videos/.stamps/<video>.json       what the video's files were made from, and their hash
    result.json                       the result; there when all videos are finished

A video's folder appears complete or not at all. A file that was damaged later is told by name, and
is made again when the run is taken up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import MaskError, ResultError, UsageError, few
from rvosbench.execution.store import Store
from rvosbench.files.atomic import PART, discard, json_bytes, remove_left_overs, write_json
from rvosbench.files.claims import CLAIMS, claimed
from rvosbench.masks import MaskSequence, Rle
from rvosbench.missing import Missing
from rvosbench.recipe import Recipe, digest
from rvosbench.records import Json, Prediction, Video
from rvosbench.runs.result import Result, from_row, read_result, to_row

_RUN, _VIDEOS, _RESULT = "run.json", "videos", "result.json"
_PREDICTIONS, _SCORES = "predictions.json", "scores.json"

_SINCE = ("code", "configuration", "object")
"""Facts that a run's mark did not hold before it held the recipe itself."""

_AFTER = ("frames", "predictions")
"""Facts that are known when the videos are done: a result holds them, the mark does not."""


@dataclass(frozen=True)
class VideoScores:
    """What a run keeps of a scored video.

    Attributes:
        scores: of its expressions (or objects), in the protocol's order.
        pixels: hash of the scored masks, of predictions that were read from files.
        missing: what the missing-policy filled with empty masks.
    """

    scores: tuple[ExpressionScore, ...]
    pixels: str | None = None
    missing: Missing = field(default_factory=Missing)


@dataclass(frozen=True)
class VideoFiles:
    """What a run keeps of one video: a folder in the run, or one that is still being written.

    Files are simply written: the folder appears when it is complete, and its stamp tells damage.
    """

    path: Path

    @property
    def there(self) -> bool:
        """Whether it holds predictions; a run of `score` keeps none."""
        return (self.path / _PREDICTIONS).is_file()

    def digest(self) -> str:
        """sha256 of the predictions' file; of nothing if there is none."""
        file = self.path / _PREDICTIONS
        return hashlib.sha256(file.read_bytes() if file.is_file() else b"").hexdigest()

    def write_predictions(self, video: Video, predictions: Mapping[str, Prediction]) -> None:
        """Write the video's frame names and size, and score, diagnostics and RLE of each."""
        rows = {
            expression: {
                "score": p.score,
                "diagnostics": dict(p.diagnostics),
                "masks": [p.masks.rle(i)["counts"] for i in range(len(p.masks))],
            }
            for expression, p in predictions.items()
        }
        frames, size = list(video.frame_names), list(video.size)
        content = {"video": video.id, "frames": frames, "size": size, "expressions": rows}
        (self.path / _PREDICTIONS).write_bytes(json_bytes(content))

    def predictions(self) -> RunPredictions:
        """The predictions; raises ResultError if the file is missing, cut or incomplete."""
        file = self.path / _PREDICTIONS
        if not self.there:
            raise ResultError(
                f"{file}: no predictions here: the video was not made by `rvosbench eval` (a run "
                "of `rvosbench score` keeps none), or the run was cut off before it"
            )
        content = _read(file)
        try:
            size = int(content["size"][0]), int(content["size"][1])
            frames, found = tuple(str(name) for name in content["frames"]), {}
            for key, row in content["expressions"].items():
                rles: list[Rle | None] = [{"size": [*size], "counts": c} for c in row["masks"]]
                if len(rles) != len(frames):
                    raise ValueError(f"expression {key!r} has {len(rles)} masks")
                masks = MaskSequence.from_rle(rles, size)
                found[str(key)] = Prediction(masks, row["score"], diagnostics=row["diagnostics"])
            return RunPredictions(str(content["video"]), frames, found)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, MaskError) as error:
            raise _incomplete(file, error) from error

    def write_scores(self, found: VideoScores) -> None:
        """Write the scores, unrounded."""
        content: dict[str, Json] = {}
        if found.pixels is not None:
            content["pixels"] = found.pixels
        if any(found.missing):
            content["missing"] = list(found.missing)
        content["scores"] = [to_row(score) for score in found.scores]
        (self.path / _SCORES).write_bytes(json_bytes(content))

    def scores(self, video_id: str) -> VideoScores:
        """The scores; raises ResultError if the file is missing, cut or incomplete."""
        file = self.path / _SCORES
        content = _read(file)
        try:
            missing = Missing(*map(int, content.get("missing", ())))
            scores = tuple(from_row(video_id, row) for row in content["scores"])
            return VideoScores(scores, content.get("pixels"), missing)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _incomplete(file, error) from error


@dataclass(frozen=True)
class RunPredictions:
    """The predictions that a run keeps of one video.

    Attributes:
        video: its id.
        frames: names of its frames.
        by_expression: expression id -> prediction, one mask for every frame.
    """

    video: str
    frames: tuple[str, ...]
    by_expression: Mapping[str, Prediction]


@dataclass(frozen=True)
class RunFolder:
    """A folder that `evaluate` or `score` writes, finished or not."""

    path: Path

    @property
    def is_run(self) -> bool:
        """Whether a run was begun here."""
        return (self.path / _RUN).is_file()

    @property
    def result_file(self) -> Path:
        """Where the result lies when the run is finished."""
        return self.path / _RESULT

    @property
    def videos(self) -> Path:
        """The folder of the videos, for messages."""
        return self.path / _VIDEOS

    @property
    def store(self) -> Store:
        """The videos as outputs of units, each with a hash of its files."""
        return Store(self.videos, suffix="", hashed=True, readable=_readable)

    def video(self, video_id: str) -> VideoFiles:
        """The files of a video, there or not."""
        return VideoFiles(self.store.output(video_id))

    def video_ids(self) -> list[str]:
        """Ids of the videos with predictions, sorted by the names of their folders."""
        files = sorted(self.videos.glob(f"*/{_PREDICTIONS}"))
        return [unquote(f.parent.name) for f in files if not f.parent.name.startswith(PART)]

    def result(self) -> Result:
        """The result of a finished run; raises ResultError if there is none, or it is damaged."""
        if not self.result_file.is_file():
            begun = "; it was begun, and goes on with --resume" if self.is_run else ""
            raise ResultError(
                f"{self.path}: no finished run here ({_RESULT} is missing{begun}). Wanted the "
                "--out folder of `rvosbench eval`"
            )
        return read_result(self.result_file)

    @contextmanager
    def claimed(self, recipe: Recipe, resume: bool) -> Iterator[None]:
        """Work in the folder as the run of `recipe`, while no other process does.

        Args:
            recipe: what decides the run.
            resume: keep the videos that are finished; without it the run starts again.

        Raises:
            UsageError: the folder holds another run (says where it differs) or other things, or
                another process works in it.
            ResultError: the folder's mark cannot be read, and no result says which run it was.
        """
        self._check(recipe)
        with claimed(self.path):
            self._check(recipe)
            remove_left_overs(self.path)
            if not resume:
                discard(self.result_file)
                discard(self.videos)
            write_json(self.path / _RUN, {"run": recipe.digest, "recipe": dict(recipe.facts)})
            yield

    def _check(self, recipe: Recipe) -> None:
        """Never mix two runs, never lose another one's work."""
        if self.is_run:
            differences = self._differences(recipe)
            if differences:
                raise UsageError(
                    f"{self.path} holds another run: {few(differences, 4, '; ')}. Choose another "
                    "--out, or delete it"
                )
        elif self.path.is_dir() and any(not _ours(p.name) for p in self.path.iterdir()):
            raise UsageError(f"{self.path} is not empty and holds no run: choose another --out")

    def _differences(self, recipe: Recipe) -> list[str]:
        """Where the run that is here differs from `recipe`, in words."""
        try:
            mark = _read(self.path / _RUN)
            made, known = str(mark["run"]), mark.get("recipe")
        except (ResultError, KeyError, TypeError, AttributeError) as error:
            made, known = self._by_result(error)
        if known is not None:
            return recipe.differences(Recipe(known))
        older = {k: v for k, v in recipe.facts.items() if k not in _SINCE}
        same = made in (recipe.digest, digest(older))
        return [] if same else ["its data, configuration or protocol are others"]

    def _by_result(self, error: Exception) -> tuple[str, Mapping[str, Json]]:
        """What the result says of the run, where the mark is damaged."""
        try:
            facts = {k: v for k, v in self.result().facts.items() if k not in _AFTER}
        except ResultError:
            raise ResultError(
                f"{self.path / _RUN}: cannot be read ({error}), so nothing tells which run the "
                "folder holds. Choose another --out, or delete the folder"
            ) from error
        return digest(facts), facts


def _ours(name: str) -> bool:
    """Whether a run that was killed at once may have left it."""
    return name == CLAIMS or name.startswith(PART)


def _readable(output: Path) -> bool:
    """Whether a video's files can be read: of runs whose stamps hold no hash."""
    files = VideoFiles(output)
    try:
        files.scores("")
        if files.there:
            files.predictions()
    except ResultError:
        return False
    return True


def _read(file: Path) -> Json:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(
            f"{file}: cannot be read ({error}). If the run was cut off or its files were damaged, "
            "the same command with --resume makes them again"
        ) from error


def _incomplete(file: Path, error: Exception) -> ResultError:
    what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return ResultError(
        f"{file}: is not complete ({what}): it was not written by `rvosbench eval`, or was changed "
        "since. The same command with --resume makes it again"
    )
