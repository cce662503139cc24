"""Where the masks of a split come from: label images, or a JSON of run lengths.

Both answer `target(clip, ids, size)`: masks of the objects `ids`, or of all objects of the video
for None; `size` is that of the frames, None where the frames are not on disk. And both have an
`identity(clips)`: what tells two versions of the masks apart, without any absolute path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rvosbench.datasets.frames import natural
from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError, told_as
from rvosbench.files.archives import Tree, open_tree
from rvosbench.files.json_index import JsonIndex
from rvosbench.masks import MaskSequence, Rle
from rvosbench.masks.label_images import VOID, label_masks
from rvosbench.masks.png import frame_files
from rvosbench.masks.rle_json import read_rles, rle_masks, rle_size
from rvosbench.records import Json, Target


@dataclass(frozen=True)
class LabelTruth:
    """Masks from `folder/<video>/<frame>.png`, pixel value = object id, 255 = void.

    Attributes:
        folder: the split's annotation folder.
        absent_is_empty: an object that no image shows has empty masks (Ref-DAVIS17, where
            expressions exist for objects without masks); otherwise it is an error.
    """

    folder: Path
    absent_is_empty: bool = False
    _latest: dict[object, Target] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def tree(self) -> Tree:
        """Where the images lie."""
        return open_tree(self.folder)

    def target(self, clip: Clip, ids: Sequence[str] | None, size: tuple[int, int] | None) -> Target:
        """The objects `ids` (None: all, ascending) on the frames that have an image.

        Raises:
            AnnotationError: no image, an image of the wrong kind or size, or an unknown object.
        """
        whole = self._whole(clip, size)
        if ids is None:
            return whole
        objects = {i: self._object(clip, whole, i) for i in ids}
        return Target(whole.size, whole.annotated, objects, whole.void)

    def identity(self, clips: Sequence[Clip]) -> Json:
        """Sorted [name, bytes] of the images of the listed frames."""
        return [
            [f"{clip.id}/{frame}", self.tree.size(file)]
            for clip in clips
            for frame, file in sorted(zip(clip.frame_names, self._files(clip), strict=True))
            if file is not None
        ]

    def _files(self, clip: Clip) -> tuple[str | None, ...]:
        """The image of every frame, if there is one; those of unlisted frames do not count."""
        return frame_files(self.tree, clip.id, clip.frame_names)

    def _whole(self, clip: Clip, size: tuple[int, int] | None) -> Target:
        """Of the last video only: its expressions are asked for one after the other."""
        key = (clip.id, clip.frame_names, size)
        if key not in self._latest:
            self._latest.clear()
            with told_as(AnnotationError):
                self._latest[key] = self._read(clip, size)
        return self._latest[key]

    def _read(self, clip: Clip, size: tuple[int, int] | None) -> Target:
        files = {i: name for i, name in enumerate(self._files(clip)) if name is not None}
        if not files:
            raise AnnotationError(
                f"{self.folder / clip.id} has no mask for any of the {len(clip.frame_names)} "
                f"frames of video {clip.id!r} ({clip.frame_names[0]}.png, ...): unpack the "
                "annotations there"
            )
        found, masks = label_masks(self.tree, tuple(files.values()), size)
        void = masks.pop(VOID, None)
        return Target(found, tuple(files), {str(v): m for v, m in masks.items()}, void)

    def _object(self, clip: Clip, whole: Target, wanted: str) -> MaskSequence:
        if wanted in whole.objects:
            return whole.objects[wanted]
        if self.absent_is_empty:
            return MaskSequence.empty(len(whole.annotated), whole.size)
        hint = ""
        if not whole.objects and whole.void is not None:
            hint = ". Masks of 0 and 255 only: 255 means void here, write the object's id instead"
        raise AnnotationError(
            f"{self.folder / clip.id}: an expression names object {wanted!r}, the masks hold "
            f"{', '.join(whole.objects) or 'none'}{hint}"
        )


@dataclass(frozen=True)
class RleTruth:
    """Masks from an indexed `mask_dict.json`: annotation id -> one COCO RLE or null a frame.

    Every frame is annotated, objects are annotation ids.

    Attributes:
        index: where each annotation lies in the file.
    """

    index: JsonIndex

    def target(self, clip: Clip, ids: Sequence[str] | None, size: tuple[int, int] | None) -> Target:
        """The annotations `ids` (None: all that the video's expressions name).

        The size is that of the frames, or of the masks where the frames are not on disk.

        Raises:
            AnnotationError: an id that the file lacks, a wrong number of masks, a wrong size.
        """
        with told_as(AnnotationError):
            rles = {i: self._rles(clip, i) for i in (_all(clip) if ids is None else ids)}
            size = size or rle_size(rles.values()) or self._size_of_others(clip)
            objects = {i: rle_masks(r, size, self._where(clip, i)) for i, r in rles.items()}
        return Target(size, tuple(range(len(clip.frame_names))), objects)

    def identity(self, clips: Sequence[Clip]) -> Json:
        """SHA-256 of the mask file."""
        return self.index.sha256

    def _rles(self, clip: Clip, annotation: str) -> list[Rle | None]:
        if annotation not in self.index.spans:
            raise AnnotationError(
                f"{self.index.path}: video {clip.id!r} has an expression for annotation "
                f"{annotation!r}, which the file does not hold (it holds {len(self.index.spans)}). "
                "Are meta_expressions.json and mask_dict.json of the same split and release?"
            )
        masks = self.index.read(annotation)
        return read_rles(masks, len(clip.frame_names), self._where(clip, annotation))

    def _where(self, clip: Clip, annotation: str) -> str:
        return f"{self.index.path}: video {clip.id!r}, annotation {annotation!r}"

    def _size_of_others(self, clip: Clip) -> tuple[int, int]:
        """Size from the video's other objects, for an expression without target or mask."""
        size = rle_size(self._rles(clip, i) for i in _all(clip))
        if size is None:
            raise AnnotationError(
                f"{self.index.path}: no mask tells the size of video {clip.id!r}, and its frames "
                "are not on disk: unpack them"
            )
        return size


def _all(clip: Clip) -> list[str]:
    named = {i for ids in (clip.objects or {}).values() for i in ids}
    return sorted(named, key=natural)
