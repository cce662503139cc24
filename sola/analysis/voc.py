"""PASCAL VOC: every object mask prompts SAM2 on its image; what class is its token?

    VOCdevkit/VOC2012/
        JPEGImages/2007_000032.jpg
        SegmentationObject/2007_000032.png   palette image: number of the object, 0 none, 255 void
        SegmentationClass/2007_000032.png    palette image: class 1 to 20, 0 background, 255 void
        ImageSets/Segmentation/train.txt, val.txt

Source: SOLA paper, section 4.5; Everingham et al., "The PASCAL Visual Object Classes (VOC)
Challenge", IJCV 2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rvosbench.errors import AnnotationError, DatasetError, UsageError, told_as
from rvosbench.files.archives import Folder
from rvosbench.masks import BoolArray
from rvosbench.masks.label_images import VOID, read_labels
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Frame, Json
from rvosbench.tracks.candidates import RELEASED_TRACKER
from sola.analysis.probe_data import ObjectTokens, SourceFacts

CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
"""Values 1 to 20 of a class image, in order."""

_QUESTION = "class"
_HOW_TO_GET = (
    "Unpack VOCtrainval_11-May-2012.tar of http://host.robots.ox.ac.uk/pascal/VOC/voc2012/ and "
    "give --data VOCdevkit/VOC2012"
)


@dataclass(frozen=True)
class VocObjects:
    """The segmented objects of PASCAL VOC; satisfies `ObjectSource`.

    Attributes:
        root: the folder that holds JPEGImages, see `open_voc`.
    """

    root: Path

    @property
    def facts(self) -> SourceFacts:
        """One question with 20 answers; splits as the authors of VOC name them."""
        return SourceFacts(
            f"PASCAL {self.root.name}",
            splits=("train", "val"),
            classes={_QUESTION: CLASSES},
            values=(),
            tracker=RELEASED_TRACKER,
            limit=None,
            things="images",
        )

    def keys(self, split: str) -> Sequence[str]:
        """Image names of a list in ImageSets/Segmentation.

        Raises:
            DatasetError: no such list, or an empty one.
        """
        path = self.root / "ImageSets" / "Segmentation" / f"{split}.txt"
        try:
            names = path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{path} cannot be read ({error}). {_HOW_TO_GET}") from error
        if not names:
            raise DatasetError(f"{path} names no image. {_HOW_TO_GET}")
        return names

    def identity(self, split: str, key: str) -> Json:
        """Name and sizes in bytes of the three files.

        Raises:
            DatasetError: one is missing.
        """
        paths = (self._image(key), self._labels("Object", key), self._labels("Class", key))
        try:
            return [key, *(path.stat().st_size for path in paths)]
        except OSError as error:
            raise DatasetError(
                f"{error.filename} is missing, though {split}.txt lists {key}. {_HOW_TO_GET}"
            ) from error

    def objects(self, sam2: Sam2, split: str, key: str) -> ObjectTokens:
        """The pointer that SAM2 gives each object mask of an image.

        Raises:
            AnnotationError: label images that contradict each other or the image.
        """
        frame = _read_image(self._image(key))
        masks, labels = self.truth(key, (frame.shape[0], frame.shape[1]))
        tokens = np.zeros((0, sam2.token_dim), np.float32)
        if len(masks):
            features = sam2.encode(frame)
            output = next(sam2.propagate(lambda _: features, 1, 0, masks))
            tokens = output.pointers.float().cpu().numpy()
        return ObjectTokens(tokens, {_QUESTION: labels}, np.zeros((len(masks), 0), np.float32))

    def truth(self, key: str, size: tuple[int, int]) -> tuple[BoolArray, NDArray[np.int64]]:
        """Masks (N, H, W) of the objects of an image, and their classes (N,) counted from 0.

        Args:
            key: name of the image.
            size: its (height, width).

        Raises:
            AnnotationError: label images of another size, or an object without a class.
        """
        numbers = self._values("Object", key)
        classes = self._values("Class", key)
        for kind, labels in (("Object", numbers), ("Class", classes)):
            if labels.shape != size:
                raise AnnotationError(
                    f"{self._labels(kind, key)} is {labels.shape[0]}x{labels.shape[1]}, the image "
                    f"{size[0]}x{size[1]} (height x width): was one of them resized?"
                )
        known = [int(n) for n in np.unique(numbers) if n not in (0, VOID)]
        masks = np.array([numbers == n for n in known], bool).reshape(len(known), *size)
        found = [self._class(key, n, classes[mask]) for n, mask in zip(known, masks, strict=True)]
        return masks, np.array(found, np.int64)

    def _class(self, key: str, number: int, values: NDArray[np.uint8]) -> int:
        """The class of most of an object's pixels."""
        counts = np.bincount(values, minlength=VOID + 1)[1:VOID]
        best = int(counts.argmax())
        if not counts.any() or best >= len(CLASSES):
            raise AnnotationError(
                f"{self._labels('Class', key)}: the pixels of object {number} have the value "
                f"{int(np.bincount(values).argmax())}, wanted a class from 1 to {len(CLASSES)}"
            )
        return best

    def _image(self, key: str) -> Path:
        return self.root / "JPEGImages" / f"{key}.jpg"

    def _values(self, kind: str, key: str) -> NDArray[np.uint8]:
        with told_as(AnnotationError):
            return read_labels(Folder(self._labels(kind, key).parent), f"{key}.png")

    def _labels(self, kind: str, key: str) -> Path:
        return self.root / f"Segmentation{kind}" / f"{key}.png"


def _read_image(path: Path) -> Frame:
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise DatasetError(f"{path} cannot be read as an image ({error}). {_HOW_TO_GET}") from error


def open_voc(root: Path | None) -> VocObjects:
    """Find VOC in a folder: VOC2012 itself, VOCdevkit, or what VOCdevkit was unpacked into.

    Raises:
        UsageError: no folder given.
        DatasetError: no VOC there.
    """
    if root is None:
        raise UsageError(f"PASCAL VOC needs its folder. {_HOW_TO_GET}")
    for folder in (root, root / "VOC2012", root / "VOCdevkit" / "VOC2012"):
        if (folder / "SegmentationObject").is_dir():
            return VocObjects(folder.resolve())
    raise DatasetError(f"{root} has no SegmentationObject folder. {_HOW_TO_GET}")
