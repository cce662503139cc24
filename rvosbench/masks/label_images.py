"""Label images: one PNG a frame, whose pixel value is the number of an object or proposal.

The form in which DAVIS takes predictions: palette images (the value is the palette index) or gray
ones, `<video>/<frame>.png`. 0 is background.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.files.trees import Storage
from rvosbench.masks import MaskSequence, Words, pack
from rvosbench.masks.png import read_indices
from rvosbench.runs.source import PredictionFiles
from rvosbench.predictions.source import MissingPolicy
from rvosbench.predictions.wording import few
from rvosbench.records import Prediction, Sample


@dataclass
class _Latest:
    """The last video read: its labels are asked for one after the other."""

    video: str | None = None
    answers: dict[str, Prediction] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelFiles:
    """Label images in a folder or zip; an answer is the masks of one label.

    `missing` decides about frames and videos that are not there.
    """

    storage: Storage
    missing: MissingPolicy = "error"
    _latest: _Latest = field(default_factory=_Latest, repr=False, compare=False)

    def predict(self, sample: Sample) -> dict[str, Prediction]:
        """Label -> prediction, for every label that a frame of the video shows, ascending.

        Raises:
            IncompletePredictionError: a frame has no image and `missing` is "error".
            PredictionError: an image that cannot be read, or of another kind or size.
        """
        if self._latest.video != sample.video.id:
            answers = self._read(sample)
            self._latest.video, self._latest.answers = sample.video.id, answers
        return dict(self._latest.answers)

    def answers(self, sample: Sample) -> tuple[str, ...]:
        """The labels of the video, ascending."""
        return tuple(self.predict(sample))

    def answer(self, sample: Sample, key: str) -> Prediction:
        """The masks of the label `key`; raises as `predict`."""
        return self.predict(sample)[key]

    def digest(self, sample: Sample) -> str:
        """Changes when an image of the video changes; reads none of them."""
        content = hashlib.sha256()
        for name in self._names(sample):
            identity = "missing" if name is None else self.storage.identity(name)
            content.update(f"{name}\0{identity}\n".encode())
        return content.hexdigest()

    def holds(self, video_id: str) -> bool:
        """Whether there is a folder with an image for the video."""
        place = self._folder(video_id)
        return place is not None and any(n.endswith(".png") for n in self.storage.files(place))

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """Folders at the level of the videos that none of the samples asks for."""
        wanted = {self._folder(sample.video.id) for sample in samples} - {None}
        prefixes = {name.rpartition("/")[0] for name in wanted if name} or {""}
        found = [
            f"{prefix}/{name}" if prefix else name
            for prefix in sorted(prefixes)
            for name in self.storage.folders(prefix)
        ]
        parents = tuple(f"{name}/" for name in wanted if name)
        return tuple(
            name
            for name in found
            if name not in wanted and not any(p.startswith(f"{name}/") for p in parents)
        )

    def _folder(self, video_id: str) -> str | None:
        if self.storage.is_folder(video_id):
            return video_id
        tops = [f"{top}/{video_id}" for top in self.storage.folders("")]
        found = [name for name in tops if self.storage.is_folder(name)]
        return found[0] if len(found) == 1 else None

    def _names(self, sample: Sample) -> list[str | None]:
        place = self._folder(sample.video.id)
        if place is None:
            return [None] * len(sample.video)
        there = set(self.storage.files(place))
        wanted = [f"{frame}.png" for frame in sample.video.frame_names]
        return [f"{place}/{name}" if name in there else None for name in wanted]

    def _read(self, sample: Sample) -> dict[str, Prediction]:
        names = self._names(sample)
        if self.missing == "error" and None in names:
            raise self._incomplete(sample, names)
        size, planes = sample.video.size, dict[int, dict[int, Words]]()
        for index, name in enumerate(names):
            if name is not None:
                where = f"{self.storage.path}: {name}"
                for label, words in _planes(self.storage.read(name), where, size).items():
                    planes.setdefault(label, {})[index] = words
        nothing = MaskSequence.empty(1, size).words(0)
        return {
            str(label): Prediction(
                MaskSequence.from_words([found.get(i, nothing) for i in range(len(names))], size)
            )
            for label, found in sorted(planes.items())
        }

    def _incomplete(self, sample: Sample, names: list[str | None]) -> IncompletePredictionError:
        frames = zip(sample.video.frame_names, names, strict=True)
        absent = [f"{frame}.png" for frame, name in frames if name is None]
        hint = ""
        if PredictionFiles(self.storage).holds(sample.video.id) and len(absent) == len(names):
            hint = ". Are these masks of expressions (<video>/<expression>/<frame>.png)?"
        return IncompletePredictionError(
            f"{self.storage.path}: {len(absent)} of {len(names)} label images of video "
            f"{sample.video.id!r} are missing, wanted {few(absent)}. Write one for every frame, or "
            f"count what is missing as background with --missing zero{hint}"
        )


def _planes(content: bytes, where: str, size: tuple[int, int]) -> dict[int, Words]:
    """Label -> packed mask of one image, for every label but 0."""
    values = read_indices(content, where, size)
    if values.dtype != np.uint8 and values.dtype != np.bool_:
        raise PredictionError(
            f"{where}: {values.dtype} values, wanted a palette or 8-bit gray image of labels"
        )
    labels = np.flatnonzero(np.bincount(values.ravel().astype(np.uint8), minlength=2))
    return {int(label): pack(values == label) for label in labels if label}
