"""Predictions as trees of PNGs, in a folder or zip: masks of expressions, and label images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rvosbench.errors import PredictionError, told_as
from rvosbench.files.atomic import replacing
from rvosbench.files.names import relative_name
from rvosbench.files.trees import Tree
from rvosbench.masks import MaskSequence
from rvosbench.masks.label_images import label_masks
from rvosbench.masks.png import encode_mask, frame_files, png_masks
from rvosbench.records import Prediction, Sample, Video
from rvosbench.runs.prediction_sources import Found, Gap, expression_ids, gap_of


@dataclass(frozen=True)
class MaskTree:
    """One PNG a frame and expression, in a folder or zip; one folder around is accepted."""

    tree: Tree
    layout = "<video>/<expression>/<frame>.png"

    def find(self, sample: Sample) -> Found:
        """See `PredictionSource`."""
        read = partial(self._read, sample, self.place(sample.video.id))
        return Found(expression_ids(sample), read)

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

    def _read(self, sample: Sample, place: str | None, key: str) -> tuple[Prediction, Gap | None]:
        files = self._files(sample, place, key)
        masks = png_masks(self.tree, files, sample.video.size)
        if None not in files:
            return Prediction(masks), None
        return Prediction(masks), self._gap(sample, place, key, _absent(sample, files))

    def _gap(self, sample: Sample, place: str | None, key: str, absent: Sequence[str]) -> Gap:
        where, there, wanted = str(self.tree.path), self.tree.folders(""), [sample.video.id]
        if place is not None:
            there, wanted = self.tree.files(f"{place}/{key}"), list(absent)
            where += f": {place}/{key}"
        return gap_of(where, sample, key, len(absent), there, wanted)

    def _files(self, sample: Sample, place: str | None, key: str) -> tuple[str | None, ...]:
        folder = None if place is None else f"{place}/{key}"
        return frame_files(self.tree, folder, sample.video.frame_names)


@dataclass(frozen=True)
class LabelTree:
    """One label image a frame, in a folder or zip; a key is a label, as text."""

    tree: Tree
    layout = "<video>/<frame>.png"

    def find(self, sample: Sample) -> Found:
        """See `PredictionSource`; reads all images of the video."""
        files = self._files(sample)
        _, masks = label_masks(self.tree, files, sample.video.size)
        found = {str(label): Prediction(m) for label, m in masks.items()}
        gap = self._gap(sample, files) if None in files else None
        return Found(tuple(found), partial(_complete, found), gap)

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

    def _gap(self, sample: Sample, files: Sequence[str | None]) -> Gap:
        absent, place = _absent(sample, files), self._place(sample.video.id)
        there = self.tree.folders("") if place is None else self.tree.files(place)
        where = str(self.tree.path)
        if len(absent) == len(files) and MaskTree(self.tree).holds(sample.video.id):
            where += f" (are these masks of expressions, {MaskTree.layout}?)"
        return gap_of(where, sample, None, len(absent), there, absent)


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


def _complete(found: Mapping[str, Prediction], key: str) -> tuple[Prediction, None]:
    return found[key], None


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
