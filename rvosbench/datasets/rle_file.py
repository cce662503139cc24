"""Truth in a `mask_dict.json`: annotation id -> one COCO RLE a frame, null where it is not seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rvosbench.datasets.frames import natural
from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError
from rvosbench.files.json_index import JsonIndex
from rvosbench.masks import MaskSequence, Rle
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
        wanted = _all(clip) if ids is None else ids
        frames = {i: self._frames(clip, i) for i in wanted}
        size = size or _size(frames.values()) or self._size_of_others(clip)
        objects = {i: self._masks(i, masks, size) for i, masks in frames.items()}
        return Target(size, tuple(range(len(clip.frame_names))), objects)

    def identity(self, clips: Sequence[Clip]) -> Json:
        """SHA-256 of the mask file."""
        return self.index.sha256

    def _frames(self, clip: Clip, annotation: str) -> list[Rle | None]:
        if annotation not in self.index.spans:
            raise AnnotationError(
                f"{self.index.path}: video {clip.id!r} has an expression for annotation "
                f"{annotation!r}, which the file does not hold (it holds {len(self.index.spans)}). "
                "Are meta_expressions.json and mask_dict.json of the same split and release?"
            )
        masks = self.index.read(annotation)
        if len(masks) != len(clip.frame_names):
            raise AnnotationError(
                f"{self.index.path}: annotation {annotation!r} has {len(masks)} masks, video "
                f"{clip.id!r} has {len(clip.frame_names)} frames: wanted one (or null) a frame"
            )
        return [self._rle(annotation, frame, mask) for frame, mask in enumerate(masks)]

    def _rle(self, annotation: str, frame: int, mask: Json) -> Rle | None:
        if mask is None:
            return None
        if not isinstance(mask, dict) or "counts" not in mask or not _is_size(mask.get("size")):
            raise AnnotationError(
                f"{self.index.path}: frame {frame} of annotation {annotation!r} is "
                f'{str(mask)[:60]}, wanted null or {{"size": [h, w], "counts": "..."}}'
            )
        return {"size": mask["size"], "counts": mask["counts"]}

    def _masks(
        self, annotation: str, frames: Sequence[Rle | None], size: tuple[int, int]
    ) -> MaskSequence:
        for frame, rle in enumerate(frames):
            if rle is not None and tuple(rle["size"]) != size:
                raise AnnotationError(
                    f"{self.index.path}: frame {frame} of annotation {annotation!r} is "
                    f"{rle['size'][0]}x{rle['size'][1]}, the video's frames {size[0]}x{size[1]} "
                    "(height x width): were the frames resized?"
                )
        return MaskSequence.from_rle(frames, size)

    def _size_of_others(self, clip: Clip) -> tuple[int, int]:
        """Size from the video's other objects, for an expression without target or mask."""
        size = _size(self._frames(clip, i) for i in _all(clip))
        if size is None:
            raise AnnotationError(
                f"{self.index.path}: no mask tells the size of video {clip.id!r}, and its frames "
                "are not on disk: unpack them"
            )
        return size


def _is_size(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value)


def _all(clip: Clip) -> list[str]:
    named = {i for ids in (clip.objects or {}).values() for i in ids}
    return sorted(named, key=natural)


def _size(objects: Iterable[Sequence[Rle | None]]) -> tuple[int, int] | None:
    for frames in objects:
        for rle in frames:
            if rle is not None:
                return rle["size"][0], rle["size"][1]
    return None
