"""Ground truth in a `mask_dict.json`: annotation id -> one COCO RLE or null a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rvosbench.datasets.frames import natural
from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError, told_as
from rvosbench.files.json_index import JsonIndex
from rvosbench.masks import Rle
from rvosbench.masks.rle_json import read_rles, rle_masks, rle_size
from rvosbench.records import Json, Target


@dataclass(frozen=True)
class RleTruth:
    """Masks from an indexed mask file: every frame is annotated, objects are annotation ids.

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
