"""Predictions that somebody made before, opened in whatever form: trees of PNGs are read here.

Accepted are masks as `<video>/<expression>/<frame>.png` and label images as `<video>/<frame>.png`,
each in a folder or in a zip that is read without unpacking, with one folder around (such as
`Annotations/`) or none; JSON files of run lengths; and runs of `rvosbench eval`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from rvosbench.errors import PredictionError, few, told_as
from rvosbench.files.archives import Tree, open_tree
from rvosbench.files.atomic import replacing
from rvosbench.files.names import relative_name
from rvosbench.masks import MaskSequence
from rvosbench.masks.label_images import label_masks
from rvosbench.masks.png import encode_mask, frame_files, png_masks
from rvosbench.missing import Missing, MissingPolicy
from rvosbench.records import Prediction, Sample, Video
from rvosbench.runs.prediction_sources import (
    Filled,
    PredictionSource,
    RleFile,
    RunSource,
    VideoPredictions,
    expression_ids,
    gap_of,
)
from rvosbench.runs.run_folder import RunFolder


def open_predictions(
    path: Path,
    missing: str = "error",
    samples: Iterable[Sample] = (),
    answers: Literal["expressions", "labels"] = "expressions",
) -> PredictionSource:
    """Open predictions in files.

    Args:
        path: a folder or zip, a JSON file of run lengths (see `RleFile`), or a run folder.
        missing: a `MissingPolicy`, or its name.
        samples: the videos that will be asked for. With them, files that fit none of them are
            refused at once, whatever the policy.
        answers: what a folder or zip holds: masks of expressions, or label images.

    Raises:
        PredictionError: nothing readable at `path`, or no video of `samples` in it.
    """
    with told_as(PredictionError):
        source = _source(path, answers, MissingPolicy(missing))
    wanted = [sample.video.id for sample in samples]
    if wanted and not any(source.holds(video) for video in wanted):
        raise PredictionError(
            f"{path}: holds none of the {len(wanted)} videos asked for; found "
            f"{few(source.extra([]))}, wanted {few(wanted)}. The layout is {source.layout}. "
            "Is it the right dataset and split?"
        )
    return source


def _source(path: Path, answers: str, missing: MissingPolicy) -> PredictionSource:
    if answers == "labels":
        return LabelTree(open_tree(path), missing)
    if RunFolder(path).is_run:
        return RunSource(RunFolder(path), missing)
    if path.suffix.lower() == ".json" and path.is_file():
        return RleFile(path, missing)
    return MaskTree(open_tree(path), missing)


@dataclass(frozen=True)
class MaskTree:
    """One PNG a frame and expression, in a folder or zip; one folder around is accepted."""

    tree: Tree
    missing: MissingPolicy = MissingPolicy.ERROR
    layout = "<video>/<expression>/<frame>.png"

    def predict(self, sample: Sample) -> VideoPredictions:
        """See `PredictionSource`."""
        read = partial(self._read, sample, self.place(sample.video.id))
        return VideoPredictions(expression_ids(sample), read)

    def holds(self, video_id: str) -> bool:
        """See `PredictionSource`."""
        return self.place(video_id) is not None

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """See `PredictionSource`; names such as "video/expression"."""
        places = {s.video.id: (self.place(s.video.id), expression_ids(s)) for s in samples}
        wanted = {f"{at}/{i}" for at, ids in places.values() if at for i in (*ids, "")}
        return _unasked(self.tree, wanted)

    def digest(self, sample: Sample) -> str:
        """See `PredictionSource`; from names, sizes and times, or checksums of a zip."""
        place = self.place(sample.video.id)
        return _digest(self.tree, [self._files(sample, place, i) for i in expression_ids(sample)])

    def place(self, video_id: str) -> str | None:
        """The video's folder in the tree, or None; raises PredictionError if there are two."""
        # An expression of another video may have the same name, but holds masks, not folders.
        return _place(self.tree, video_id, lambda name: bool(self.tree.folders(name)))

    def _read(self, sample: Sample, place: str | None, key: str) -> Filled:
        files = self._files(sample, place, key)
        masks, absent = png_masks(self.tree, files, sample.video.size), _absent(sample, files)
        if not absent:
            return Prediction(masks), Missing()
        where, there, wanted = str(self.tree.path), self.tree.folders(""), [sample.video.id]
        if place is not None:
            there, wanted = self.tree.files(f"{place}/{key}"), absent
            where += f": {place}/{key}"
        gap = gap_of(where, sample, key, len(absent), there, wanted)
        return Prediction(masks), self.missing.fill(*gap)

    def _files(self, sample: Sample, place: str | None, key: str) -> tuple[str | None, ...]:
        folder = None if place is None else f"{place}/{key}"
        return frame_files(self.tree, folder, sample.video.frame_names)


@dataclass(frozen=True)
class LabelTree:
    """One label image a frame, in a folder or zip; a key is a label, as text."""

    tree: Tree
    missing: MissingPolicy = MissingPolicy.ERROR
    layout = "<video>/<frame>.png"

    def predict(self, sample: Sample) -> VideoPredictions:
        """See `PredictionSource`; reads all images of the video."""
        files = self._files(sample)
        with told_as(PredictionError):
            _, masks = label_masks(self.tree, files, sample.video.size)
        missing = self._fill(sample, files) if None in files else Missing()
        found = {str(label): (Prediction(m), Missing()) for label, m in masks.items()}
        return VideoPredictions(tuple(found), found.__getitem__, missing)

    def holds(self, video_id: str) -> bool:
        """See `PredictionSource`."""
        place = self._place(video_id)
        return place is not None and self._has_images(place)

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """See `PredictionSource`; names of folders."""
        places = {self._place(sample.video.id) for sample in samples}
        return _unasked(self.tree, {place for place in places if place})

    def digest(self, sample: Sample) -> str:
        """See `PredictionSource`; from names, sizes and times, or checksums of a zip."""
        return _digest(self.tree, [self._files(sample)])

    def _place(self, video_id: str) -> str | None:
        return _place(self.tree, video_id, self._has_images)

    def _has_images(self, name: str) -> bool:
        return any(file.lower().endswith(".png") for file in self.tree.files(name))

    def _files(self, sample: Sample) -> tuple[str | None, ...]:
        return frame_files(self.tree, self._place(sample.video.id), sample.video.frame_names)

    def _fill(self, sample: Sample, files: Sequence[str | None]) -> Missing:
        absent, place = _absent(sample, files), self._place(sample.video.id)
        there = self.tree.folders("") if place is None else self.tree.files(place)
        where = str(self.tree.path)
        if len(absent) == len(files) and MaskTree(self.tree).holds(sample.video.id):
            where += f" (are these masks of expressions, {MaskTree.layout}?)"
        return self.missing.fill(*gap_of(where, sample, None, len(absent), there, absent))


def write_predictions(root: Path, video: Video, expression_id: str, masks: MaskSequence) -> Path:
    """Write `<root>/<video>/<expression>/<frame>.png`, gray with 0 and 255, as `MaskTree` reads it.

    The folder of the expression appears complete or not at all; an older one is replaced.

    Returns:
        The folder of the expression.

    Raises:
        PredictionError: not one mask for every frame, or an id that would leave `root`.
    """
    if len(masks) != len(video):
        raise PredictionError(
            f"video {video.id!r}, expression {expression_id!r}: got {len(masks)} masks to write, "
            f"wanted {len(video)}, one for every frame"
        )
    with told_as(PredictionError):
        place = root / relative_name(video.id, expression_id)
    with replacing(place) as beside:
        beside.mkdir()
        for name, mask in zip(video.frame_names, masks, strict=True):
            (beside / f"{name}.png").write_bytes(encode_mask(mask))
    return place


def _absent(sample: Sample, files: Sequence[str | None]) -> list[str]:
    named = zip(sample.video.frame_names, files, strict=True)
    return [f"{frame}.png" for frame, file in named if file is None]


def _place(tree: Tree, video_id: str, fits: Callable[[str], bool]) -> str | None:
    """The folder of a video: at the top, or in one folder around all videos."""
    if tree.is_folder(video_id):
        return video_id
    inside = [f"{top}/{video_id}" for top in tree.folders("")]
    found = [name for name in inside if fits(name)]
    if len(found) > 1:
        raise PredictionError(
            f"{tree.path}: video {video_id!r} is in {found[0]!r} and in {found[1]!r}; "
            "give the folder of one set of predictions"
        )
    return found[0] if found else None


def _unasked(tree: Tree, wanted: set[str]) -> tuple[str, ...]:
    """Folders that are neither wanted nor above a wanted one."""
    above = {"/".join(n.split("/")[:depth]) for n in wanted for depth in range(1, n.count("/") + 1)}

    def walk(at: str) -> Iterator[str]:
        for name in tree.folders(at):
            full = f"{at}/{name}" if at else name
            if full in above:
                yield from walk(full)
            elif full not in wanted:
                yield full

    return tuple(walk(""))


def _digest(tree: Tree, files: Sequence[Sequence[str | None]]) -> str:
    states = [[None if n is None else [n, tree.identity(n)] for n in names] for names in files]
    return hashlib.sha256(json.dumps(states).encode()).hexdigest()
