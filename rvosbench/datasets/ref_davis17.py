"""Ref-DAVIS17 (Khoreva et al., ACCV 2018), in the original layout and in that of ReferFormer.

Masks are those of DAVIS 2017 *Unsupervised*; 255 is void. Every object has four expressions, one
from each annotator set (`Expression.group` "0" to "3").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rvosbench.contracts import DatasetSpec
from rvosbench.datasets.frames import image_files
from rvosbench.datasets.ground_truth import LabelTruth
from rvosbench.datasets.meta import Clip, MetaFile
from rvosbench.datasets.opened import OpenedSplit, find_root, required
from rvosbench.errors import AnnotationError, DatasetError, did_you_mean
from rvosbench.records import DatasetCard, Expression

NAME = "ref-davis17"
FILES = (
    "Davis17_annot1.txt",
    "Davis17_annot1_full_video.txt",
    "Davis17_annot2.txt",
    "Davis17_annot2_full_video.txt",
)
"""Annotator set k is file k; expression 4 * (index of the object) + k is its text."""

MISSPELT: Mapping[str, str] = {
    "clasic-car": "classic-car",
    "dog-scale": "dogs-scale",
    "motor-bike": "motorbike",
}
"""Names in the text files -> names of the DAVIS folders."""

PROTOCOLS = (
    "ref-davis17-annotators",
    "ref-davis17-expressions",
    "davis-unsup",
    "davis-semi",
    "sola-released",
)
_TEXTS = "davis_text_annotations"
_LINE = re.compile(r"(\S+)\s+(\d+)\s+(\S.*)")
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
    unpack = "unpack DAVIS-2017 trainval 480p"
    frames = required(NAME, davis / "JPEGImages" / "480p", unpack, folder=True)
    unpack = (
        "unpack DAVIS-2017-Unsupervised-trainval-480p (Annotations without _unsupervised holds "
        "other objects and does not fit the expressions)"
    )
    masks = required(NAME, davis / "Annotations_unsupervised" / "480p", unpack, folder=True)
    listed = davis / "ImageSets" / "2017" / _LISTS[split]
    videos = required(NAME, listed, "it lists the videos of the split").read_text().split()
    sets = [_read_texts(root / _TEXTS / name) for name in FILES]
    clips = {v: _clip_of(v, _names(frames / v), sets) for v in videos}
    return _opened(split, clips, frames, masks)


def _converted(root: Path, split: str) -> OpenedSplit:
    path = root / "meta_expressions" / split / "meta_expressions.json"
    meta = MetaFile(required(NAME, path, "convert the texts again"), NAME, split, "obj_id")
    clips = meta.clips(meta.videos(), named=True)
    grouped = {video: _grouped(clip) for video, clip in clips.items()}
    masks = root / split / "Annotations"
    required(NAME, masks, "the conversion moves the masks there", folder=True)
    return _opened(split, grouped, root / split / "JPEGImages", masks)


def _opened(split: str, clips: dict[str, Clip], frames: Path, masks: Path) -> OpenedSplit:
    truth = LabelTruth(masks, absent_is_empty=True)
    return OpenedSplit(NAME, split, PROTOCOLS, clips, frames, truth)


def _grouped(clip: Clip) -> Clip:
    """Annotator set from the id, as the conversion numbers them: 4 * object + set."""
    if not all(e.id.isdecimal() for e in clip.expressions):
        return clip
    groups = [replace(e, group=str(int(e.id) % len(FILES))) for e in clip.expressions]
    return replace(clip, expressions=tuple(groups))


def _names(folder: Path) -> tuple[str, ...]:
    names = tuple(image_files(folder))
    if not names:
        raise DatasetError(
            f"{NAME}: {folder} holds no frames: unpack DAVIS-2017 trainval 480p. If the frames "
            "were moved by a conversion to the ReferFormer layout, pass that folder"
        )
    return names


def _read_texts(path: Path) -> dict[tuple[str, str], str]:
    """(video, object id) -> text: all lines `<video> <object id> "<text>"`, names put right."""
    required(NAME, path, "all four Davis17_annot*.txt files are needed")
    found: dict[tuple[str, str], str] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise AnnotationError(f'{path}:{number}: wanted <video> <id> "<text>", got {line!r}')
        video, object_id, text = match.groups()
        key = (MISSPELT.get(video, video), str(int(object_id)))
        if key in found:
            raise AnnotationError(
                f"{path}:{number}: a second text for object {key[1]} of video {key[0]!r}"
            )
        found[key] = _unquoted(text)
    return found


def _clip_of(
    video: str, frame_names: tuple[str, ...], sets: Sequence[Mapping[tuple[str, str], str]]
) -> Clip:
    """Objects are sorted as text ("10" before "2"), as ReferFormer numbers them."""
    objects = sorted({o for texts in sets for v, o in texts if v == video})
    if not objects:
        known = {v for texts in sets for v, _ in texts}
        raise AnnotationError(
            f"{NAME}: no text file has a text for video {video!r}"
            f"{did_you_mean(video, known)}. Check {', '.join(FILES)}"
        )
    expressions, referents = [], {}
    for index, number in enumerate(objects):
        for k, texts in enumerate(sets):
            if (video, number) in texts:
                name = str(len(FILES) * index + k)
                expressions.append(Expression(name, texts[video, number], group=str(k)))
                referents[name] = (number,)
    return Clip(video, frame_names, tuple(expressions), referents)


def _text(path: Path) -> str:
    """The files of annotator 2 are latin-1, the others UTF-8."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _unquoted(text: str) -> str:
    inner = text.strip()
    return inner[1:-1] if len(inner) > 1 and inner[0] == inner[-1] == '"' else inner.strip('"')


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
