"""Ground truth in label images: `<video>/<frame>.png`, pixel value = object id, 255 = void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError, told_as
from rvosbench.files.trees import Tree, open_tree
from rvosbench.masks import MaskSequence
from rvosbench.masks.label_images import VOID, label_masks
from rvosbench.masks.png import frame_files
from rvosbench.records import Json, Target


@dataclass(frozen=True)
class LabelTruth:
    """Masks from `folder/<video>/<frame>.png`.

    Attributes:
        folder: the split's annotation folder.
        absent_is_empty: an object that no image shows has empty masks (Ref-DAVIS17, where
            expressions exist for objects without masks); otherwise it is an error.
    """

    folder: Path
    absent_is_empty: bool = False
    _latest: dict[tuple[str, tuple[str, ...]], Target] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def tree(self) -> Tree:
        """Where the images lie."""
        return open_tree(self.folder)

    def target(self, clip: Clip, ids: Sequence[str] | None, size: tuple[int, int] | None) -> Target:
        """The objects `ids` (None: all, ascending) on the frames that have an image.

        Raises:
            AnnotationError: no image, an image of the wrong kind or size, or an unknown object.
        """
        whole = self._whole(clip)
        if size is not None and whole.size != size:
            raise AnnotationError(
                f"{self.folder / clip.id}: masks are {whole.size[0]}x{whole.size[1]}, frames "
                f"{size[0]}x{size[1]} (height x width): were the frames resized?"
            )
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

    def _whole(self, clip: Clip) -> Target:
        """Of the last video only: its expressions are asked for one after the other."""
        key = (clip.id, clip.frame_names)
        if key not in self._latest:
            self._latest.clear()
            with told_as(AnnotationError):
                self._latest[key] = self._read(clip)
        return self._latest[key]

    def _read(self, clip: Clip) -> Target:
        files = {i: name for i, name in enumerate(self._files(clip)) if name is not None}
        if not files:
            raise AnnotationError(
                f"{self.folder / clip.id} has no mask for any of the {len(clip.frame_names)} "
                f"frames of video {clip.id!r} ({clip.frame_names[0]}.png, ...): unpack the "
                "annotations there"
            )
        size, masks = label_masks(self.tree, tuple(files.values()))
        void = masks.pop(VOID, None)
        return Target(size, tuple(files), {str(v): m for v, m in masks.items()}, void)

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
