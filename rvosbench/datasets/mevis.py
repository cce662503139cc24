"""MeViS v1 (Ding et al., ICCV 2023): motion expressions, masks in one `mask_dict.json` a split.

`train` and `valid_u` have ground truth; `valid` is hidden and scored by the authors' server.
Objects are annotation ids; the ground truth of an expression is the union of its annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rvosbench.contracts import DatasetSpec
from rvosbench.datasets.ground_truth import RleTruth
from rvosbench.datasets.meta import MetaFile
from rvosbench.datasets.opened import OpenedSplit, find_root, given, required
from rvosbench.errors import DatasetError
from rvosbench.files.json_index import open_index
from rvosbench.records import DatasetCard

NAME = "mevis"
META = "meta_expressions.json"
MASKS = "mask_dict.json"
PROTOCOLS = ("mevis", "sola-released")
SPLITS = ("valid_u", "train", "valid")

CHECKSUMS: Mapping[str, str] = {
    "train": "f9d9b01a2a6d7a004e2e7a664ce2b9b1576218e975030f8e4df4f66111fb253f",
    "valid_u": "6e711a3f713cd95a825f536323e434b4d80f85a8e4e66d0cd662408e8779db50",
}
"""Split -> SHA-256 of mask_dict.json as the authors published it (MeViS issue 4)."""

_V2 = ("meta_expressions_v2.json", "meta_expressions_v2_release.json")
_HIDDEN = (
    "the authors keep it and score predictions on their server. Predictions can be written and "
    "packed for it; valid_u is the public validation split"
)


def open_mevis(root: Path | None, split: str) -> OpenedSplit:
    """Open a split below `root` (or `root/mevis`, `root/MeViS`).

    Raises:
        DatasetError: missing files, MeViS v2 files, or the wrong folder level.
        AnnotationError: a meta file without `anno_id` where ground truth is promised.
    """
    folder = _root(given(NAME, root)) / split
    meta = MetaFile(_meta_path(folder, split), NAME, split, "anno_id")
    shown = split not in SPEC.hidden
    clips, truth = meta.clips(meta.videos(), named=shown), None
    if shown:
        masks = required(NAME, folder / MASKS, "download it: it holds the split's ground truth")
        truth = RleTruth(open_index(masks))
    return OpenedSplit(NAME, split, PROTOCOLS, clips, folder / "JPEGImages", truth, _HIDDEN)


def _root(root: Path) -> Path:
    markers = [f"{split}/{name}" for split in SPLITS for name in (META, *_V2)]
    if any((root / name).exists() for name in (META, *_V2)):
        raise DatasetError(
            f"{NAME}: {root} is the folder of one split (it holds a meta file): pass its parent "
            f"{root.resolve().parent}, and the split by name ({', '.join(SPLITS)})"
        )
    return find_root(NAME, root, markers, ("mevis", "MeViS"))


def _meta_path(folder: Path, split: str) -> Path:
    path = folder / META
    newer = [folder / name for name in _V2 if (folder / name).exists()]
    if newer and not path.exists():
        raise DatasetError(
            f"{NAME}: {newer[0]} belongs to MeViS v2, this loader reads v1 ({META}); v2 has other "
            "expressions and some without target, and its numbers do not compare with v1's. "
            "MeViS v2 (mevis-v2) is not supported yet"
        )
    return required(NAME, path, f"unpack MeViS {split} there")


SPEC = DatasetSpec(
    splits=SPLITS,
    open=open_mevis,
    card=DatasetCard(
        title="MeViS v1",
        licence="CC BY-NC-SA 4.0, non-commercial",
        source="https://github.com/henghuiding/MeViS",
        layout="{train,valid_u,valid}/{JPEGImages/<video>/, meta_expressions.json} and "
        "{train,valid_u}/mask_dict.json",
        bibtex="@inproceedings{MeViS,\n"
        "  title={{MeViS}: A Large-scale Benchmark for Video Segmentation with Motion "
        "Expressions},\n"
        "  author={Ding, Henghui and Liu, Chang and He, Shuting and Jiang, Xudong and "
        "Loy, Chen Change},\n"
        "  booktitle={ICCV},\n  year={2023}\n}",
    ),
    aliases={"val_u": "valid_u", "val": "valid"},
    hidden=frozenset({"valid"}),
)
