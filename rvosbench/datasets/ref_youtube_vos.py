"""Ref-YouTube-VOS (Seo et al., ECCV 2020): frames and masks every fifth frame, palette masks.

`train` has ground truth; `valid` has it only for people who hold the masks. The first release of
the valid file holds 507 videos: the 202 that papers report and the 305 of the test file, to be
subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rvosbench.contracts import DatasetSpec
from rvosbench.datasets.ground_truth import LabelTruth
from rvosbench.datasets.meta import Clip, MetaFile
from rvosbench.datasets.opened import OpenedSplit, find_root, required
from rvosbench.errors import DatasetError
from rvosbench.records import DatasetCard, Json

NAME = "ref-youtube-vos"
META = "meta_expressions.json"
PROTOCOLS = ("ref-youtube-vos",)
VALID_VIDEOS = 202
FIRST_RELEASE = "valid-507"

_SPLITS = ("valid", "train", "test", FIRST_RELEASE)
_HIDDEN = (
    "the authors keep it (their server takes a zip of predictions). With the masks at hand, put "
    "them into {annotations}/<video>/<frame>.png and give every expression of {meta} its 'obj_id'"
)


def open_ref_youtube_vos(root: Path | None, split: str) -> OpenedSplit:
    """Open a split below `root` (or `root/ref-youtube-vos`).

    Raises:
        DatasetError: missing files, the wrong folder level, or a valid file of 507 videos without
            the test file beside it.
        AnnotationError: a train file without `obj_id`.
    """
    folder = find_root(NAME, root, ("meta_expressions",), (NAME, "rvos"))
    part = "valid" if split == FIRST_RELEASE else split
    advice = f"unpack the expressions of {part} there"
    meta = MetaFile(required(NAME, _path(folder, part), advice), NAME, split, "obj_id")
    videos = _valid_only(folder, meta) if split == "valid" else meta.videos()
    clips = meta.clips(videos, named=split == "train")
    annotations = folder / part / "Annotations"
    truth = _truth(annotations, split, clips)
    hidden = _HIDDEN.format(annotations=annotations, meta=meta.path)
    return OpenedSplit(NAME, split, PROTOCOLS, clips, _frames(folder, part), truth, hidden)


def _valid_only(folder: Path, meta: MetaFile) -> dict[str, Json]:
    videos = meta.videos()
    test = _path(folder, "test")
    if test.is_file():
        others = MetaFile(test, NAME, "test", "obj_id").videos()
        rest = {video: entry for video, entry in videos.items() if video not in others}
        if not rest:
            raise DatasetError(
                f"{NAME}: every video of {meta.path} is in {test} too, so no valid video is left: "
                "is one a copy of the other?"
            )
        return rest
    if len(videos) > VALID_VIDEOS:
        raise DatasetError(
            f"{NAME}: {meta.path} holds {len(videos)} videos: the {VALID_VIDEOS} of valid, which "
            f"papers report, and those of test. To tell them apart put the test file at {test} "
            f"(it comes with the same download). --split {FIRST_RELEASE} takes all of them"
        )
    return videos


def _truth(annotations: Path, split: str, clips: Mapping[str, Clip]) -> LabelTruth | None:
    if split == "train":
        required(NAME, annotations, "unpack the masks of train there", folder=True)
    named = all(clip.objects is not None for clip in clips.values())
    return LabelTruth(annotations) if named and annotations.is_dir() else None


def _frames(folder: Path, part: str) -> Path:
    """The frames of test come with those of valid in the first release."""
    own = folder / part / "JPEGImages"
    shared = folder / "valid" / "JPEGImages"
    return shared if part == "test" and not own.is_dir() else own


def _path(folder: Path, part: str) -> Path:
    return folder / "meta_expressions" / part / META


SPEC = DatasetSpec(
    splits=_SPLITS,
    open=open_ref_youtube_vos,
    card=DatasetCard(
        title="Ref-YouTube-VOS",
        licence="not stated by the authors",
        source="https://github.com/skynbe/Refer-Youtube-VOS",
        layout="meta_expressions/{train,valid,test}/meta_expressions.json, "
        "{train,valid}/JPEGImages/<video>/ and train/Annotations/<video>/",
        bibtex="@inproceedings{RefYouTubeVOS,\n"
        "  title={{URVOS}: Unified Referring Video Object Segmentation Network with a "
        "Large-Scale Benchmark},\n"
        "  author={Seo, Seonguk and Lee, Joon-Young and Han, Bohyung},\n"
        "  booktitle={ECCV},\n  year={2020}\n}",
    ),
    aliases={"val": "valid"},
    hidden=frozenset({"valid", "test", FIRST_RELEASE}),
)
