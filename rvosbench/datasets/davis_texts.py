"""The text files of Ref-DAVIS17: two annotators, for the first frame and for the full video."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rvosbench.datasets.layout import require_file
from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError, did_you_mean
from rvosbench.records import Expression

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

_LINE = re.compile(r"(\S+)\s+(\d+)\s+(\S.*)")

Texts = Mapping[tuple[str, str], str]
"""(video, object id) -> text."""


def read_texts(path: Path) -> dict[tuple[str, str], str]:
    """All lines `<video> <object id> "<text>"` of one file, names put right.

    The files of annotator 2 are latin-1, the others UTF-8.

    Raises:
        DatasetError: no such file.
        AnnotationError: a line of another form, or two texts for one object.
    """
    require_file(NAME, path, "all four Davis17_annot*.txt files are needed")
    found: dict[tuple[str, str], str] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise AnnotationError(f'{path}:{number}: wanted <video> <id> "<text>", got {line!r}')
        video, number_of_object, text = match.groups()
        key = (MISSPELT.get(video, video), str(int(number_of_object)))
        if key in found:
            raise AnnotationError(
                f"{path}:{number}: a second text for object {key[1]} of video {key[0]!r}"
            )
        found[key] = _unquoted(text)
    return found


def clip_of(video: str, frame_names: tuple[str, ...], sets: Sequence[Texts]) -> Clip:
    """The clip of one video: objects sorted as text ("10" before "2"), as ReferFormer numbers them.

    Raises:
        AnnotationError: no file has a text for the video.
    """
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
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _unquoted(text: str) -> str:
    inner = text.strip()
    return inner[1:-1] if len(inner) > 1 and inner[0] == inner[-1] == '"' else inner.strip('"')
