"""Ref-DAVIS17 (Khoreva et al., ACCV 2018), in the original layout and in that of ReferFormer.

Masks are those of DAVIS 2017 *Unsupervised*; 255 is void. Every object has four expressions, one
from each annotator set (`Expression.group` "0" to "3").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rvosbench.contracts import DatasetSpec
from rvosbench.datasets.davis_texts import FILES, NAME, clip_of, read_texts
from rvosbench.datasets.frames import image_files
from rvosbench.datasets.label_images import LabelTruth
from rvosbench.datasets.layout import find_root, require_file
from rvosbench.datasets.meta import Clip, MetaFile
from rvosbench.datasets.opened import OpenedSplit
from rvosbench.errors import DatasetError
from rvosbench.records import DatasetCard

PROTOCOLS = (
    "ref-davis17-annotators",
    "ref-davis17-expressions",
    "davis-unsup",
    "davis-semi",
    "sola-released",
)
_SETS = len(FILES)
_TEXTS = "davis_text_annotations"
_LISTS = {"train": "train.txt", "valid": "val.txt"}


def open_ref_davis17(root: Path | None, split: str) -> OpenedSplit:
    """Open a split; `root` holds `DAVIS/` or `meta_expressions/`, or is the parent of that folder.

    Raises:
        DatasetError: missing files or the wrong folder level.
        AnnotationError: texts that do not fit the videos.
    """
    markers = ("meta_expressions", _TEXTS)
    folder = find_root(NAME, root, markers, ("ref-davis", "ref-davis17", "davis17"))
    if (folder / "meta_expressions").is_dir():
        return _converted(folder, split)
    return _original(folder, split)


def _original(root: Path, split: str) -> OpenedSplit:
    davis = root / "DAVIS"
    frames = _folder(davis / "JPEGImages" / "480p", "unpack DAVIS-2017 trainval 480p")
    masks = _folder(
        davis / "Annotations_unsupervised" / "480p",
        "unpack DAVIS-2017-Unsupervised-trainval-480p (Annotations without _unsupervised holds "
        "other objects and does not fit the expressions)",
    )
    listed = davis / "ImageSets" / "2017" / _LISTS[split]
    videos = require_file(NAME, listed, "it lists the videos of the split").read_text().split()
    sets = [read_texts(root / _TEXTS / name) for name in FILES]
    clips = {v: clip_of(v, _names(frames / v), sets) for v in videos}
    return _opened(split, clips, frames, masks)


def _converted(root: Path, split: str) -> OpenedSplit:
    path = root / "meta_expressions" / split / "meta_expressions.json"
    meta = MetaFile(require_file(NAME, path, "convert the texts again"), NAME, split, "obj_id")
    clips = meta.clips(meta.videos())
    meta.require_objects(clips)
    grouped = {video: _grouped(clip) for video, clip in clips.items()}
    masks = _folder(root / split / "Annotations", "the conversion moves the masks there")
    return _opened(split, grouped, root / split / "JPEGImages", masks)


def _opened(split: str, clips: dict[str, Clip], frames: Path, masks: Path) -> OpenedSplit:
    truth = LabelTruth(masks, absent_is_empty=True)
    return OpenedSplit(NAME, split, PROTOCOLS, clips, frames, truth)


def _grouped(clip: Clip) -> Clip:
    """Annotator set from the id, as the conversion numbers them: 4 * object + set."""
    if not all(e.id.isdecimal() for e in clip.expressions):
        return clip
    groups = [replace(e, group=str(int(e.id) % _SETS)) for e in clip.expressions]
    return replace(clip, expressions=tuple(groups))


def _names(folder: Path) -> tuple[str, ...]:
    names: Sequence[str] = tuple(image_files(folder))
    if not names:
        raise DatasetError(
            f"{NAME}: {folder} holds no frames: unpack DAVIS-2017 trainval 480p. If the frames "
            "were moved by a conversion to the ReferFormer layout, pass that folder"
        )
    return tuple(names)


def _folder(path: Path, advice: str) -> Path:
    if path.is_dir():
        return path
    raise DatasetError(f"{NAME}: the folder {path} is missing: {advice}")


SPEC = DatasetSpec(
    splits=("valid", "train"),
    open=open_ref_davis17,
    card=DatasetCard(
        title="Ref-DAVIS17",
        licence="DAVIS: BSD; licence of the expressions not stated",
        source="https://davischallenge.org and the authors' davis_text_annotations",
        layout="DAVIS/{JPEGImages/480p,Annotations_unsupervised/480p,ImageSets/2017} and "
        "davis_text_annotations/, or {train,valid}/{JPEGImages,Annotations} and "
        "meta_expressions/{train,valid}/meta_expressions.json",
        bibtex="@inproceedings{RefDAVIS17,\n"
        "  title={Video Object Segmentation with Language Referring Expressions},\n"
        "  author={Khoreva, Anna and Rohrbach, Anna and Schiele, Bernt},\n"
        "  booktitle={ACCV},\n  year={2018}\n}",
    ),
    aliases={"val": "valid"},
)
