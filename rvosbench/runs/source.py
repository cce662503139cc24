"""Predictions read from files: lazily, mask by mask, with nothing missing unless it is allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.files.trees import Storage
from rvosbench.masks import MaskSequence, Words
from rvosbench.masks.png import decode_words
from rvosbench.predictions.source import MissingPolicy
from rvosbench.predictions.wording import few
from rvosbench.records import Prediction, Sample


@dataclass(frozen=True)
class PredictionFiles:
    """Predictions in a folder or zip, as if a method had answered.

    Masks are decoded when they are read: an unreadable file, or one of the wrong size, raises
    PredictionError then.
    """

    storage: Storage
    missing: MissingPolicy = "error"

    def predict(self, sample: Sample) -> dict[str, Prediction]:
        """Expression id -> prediction, for every expression of the sample.

        Raises:
            IncompletePredictionError: the video, an expression or a frame is not there, and
                `missing` is "error".
            PredictionError: the video is there twice.
        """
        place = self.folder(sample.video.id)
        return {e.id: self._answer(sample, e.id, place) for e in sample.expressions}

    def answers(self, sample: Sample) -> tuple[str, ...]:
        """The ids of the sample's expressions."""
        return tuple(expression.id for expression in sample.expressions)

    def answer(self, sample: Sample, key: str) -> Prediction:
        """The prediction for the expression `key`; raises as `predict`."""
        return self._answer(sample, key, self.folder(sample.video.id))

    def holds(self, video_id: str) -> bool:
        """Whether there is a folder for the video."""
        return self.folder(video_id) is not None

    def digest(self, sample: Sample) -> str:
        """Changes when a file of the sample's predictions changes; reads none of them."""
        content, place = hashlib.sha256(), self.folder(sample.video.id)
        for expression in sample.expressions:
            for name in self._names(sample, expression.id, place):
                identity = "missing" if name is None else self.storage.identity(name)
                content.update(f"{expression.id}\0{name}\0{identity}\n".encode())
        return content.hexdigest()

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """Folders that no expression of `samples` asks for, such as "video/expression"."""
        asked, above = set(), set()
        for sample in samples:
            place = self.folder(sample.video.id)
            if place is not None:
                names = {f"{place}/{e.id}" for e in sample.expressions}
                asked |= names
                above |= {parent for name in names | {f"{place}/x"} for parent in _parents(name)}
        return tuple(self._unasked("", asked, above)) if above else self.storage.folders("")

    def folder(self, video_id: str) -> str | None:
        """Where the video's predictions lie in the storage, or None.

        Raises:
            PredictionError: they are in two places.
        """
        if self.storage.is_folder(video_id):
            return video_id
        inside = [f"{top}/{video_id}" for top in self.storage.folders("")]
        # An expression of another video may have the same name, but holds masks, not folders.
        found = [name for name in inside if self.storage.folders(name)]
        if len(found) > 1:
            raise PredictionError(
                f"{self.storage.path}: video {video_id!r} is in {found[0]!r} and in {found[1]!r}; "
                "give the folder of one set of predictions"
            )
        return found[0] if found else None

    def _answer(self, sample: Sample, expression_id: str, place: str | None) -> Prediction:
        names = self._names(sample, expression_id, place)
        if self.missing == "error" and None in names:
            raise self._incomplete(sample, expression_id, place, names)
        size = sample.video.size
        return Prediction(MaskSequence(*size, _PngFrames(self.storage, size, tuple(names))))

    def _names(self, sample: Sample, expression_id: str, place: str | None) -> list[str | None]:
        """The file of every frame of the video, None where there is none."""
        if place is None:
            return [None] * len(sample.video)
        at = f"{place}/{expression_id}"
        there = set(self.storage.files(at))
        wanted = [f"{frame}.png" for frame in sample.video.frame_names]
        return [f"{at}/{name}" if name in there else None for name in wanted]

    def _incomplete(
        self, sample: Sample, expression_id: str, place: str | None, names: Sequence[str | None]
    ) -> IncompletePredictionError:
        frames = zip(sample.video.frame_names, names, strict=True)
        absent = [f"{frame}.png" for frame, name in frames if name is None]
        found, at = self.storage.folders(""), ""
        if place is not None:
            found, at = self.storage.files(f"{place}/{expression_id}"), f"{place}/{expression_id}: "
        return IncompletePredictionError(
            f"{self.storage.path}: {at}{len(absent)} of {len(names)} masks of video "
            f"{sample.video.id!r}, expression {expression_id!r} are missing; found {few(found)}, "
            f"wanted {few(absent) if place else sample.video.id}. Write one mask for every frame, "
            "or count what is missing as empty with --missing zero"
        )

    def _unasked(self, at: str, asked: set[str], above: set[str]) -> Iterable[str]:
        for name in self.storage.folders(at):
            full = f"{at}/{name}" if at else name
            if full in above:
                yield from self._unasked(full, asked, above)
            elif full not in asked:
                yield full


def _parents(name: str) -> Iterable[str]:
    parts = name.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


@dataclass(frozen=True)
class _PngFrames:
    """Frames of a MaskSequence, decoded from their files when they are read; None is empty."""

    storage: Storage
    size: tuple[int, int]
    names: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.names)

    def words(self, index: int) -> Words:
        name = self.names[index]
        if name is None:
            return MaskSequence.empty(1, self.size).words(0)
        content = self.storage.read(name)
        return decode_words(content, f"{self.storage.path}: {name}", self.size)

    def counts(self, index: int) -> bytes | None:
        words = self.words(index)
        if not words.any():
            return None
        counts = MaskSequence.from_words([words], self.size).rle(0)["counts"]
        return str(counts).encode("ascii")

    def at(self, indices: Sequence[int]) -> _PngFrames:
        return _PngFrames(self.storage, self.size, tuple(self.names[i] for i in indices))
