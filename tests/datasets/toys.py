"""Tiny datasets in the real layouts, written to a folder: 12x20 pixels, three frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco

HEIGHT, WIDTH = 12, 20
SIZE = (HEIGHT, WIDTH)
FRAMES = ("00003", "00004", "00005")  # not from 00000, as in real releases


def object_mask(object_id: int, frame: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A 3x4 box a column further right in every frame; objects do not overlap."""
    mask = np.zeros(SIZE, np.uint8)
    top = 4 * (object_id % 3)
    mask[top : top + 3, 2 + frame : 6 + frame] = 1
    return mask


def labels(objects: Sequence[int], frame: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """An index image of `objects`; 255 draws a void column at the right edge."""
    image = np.zeros(SIZE, np.uint8)
    for value in objects:
        if value == 255:
            image[:, -1] = 255
        else:
            image[object_mask(value, frame) > 0] = value
    return image


def rle(mask: np.ndarray[Any, np.dtype[np.uint8]]) -> dict[str, Any]:
    encoded = coco.encode(np.asfortranarray(mask))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode()}


def write_json(path: Path, content: object, indent: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=indent))
    return path


def write_frames(
    folder: Path, names: Sequence[str] = FRAMES, suffix: str = ".jpg", size: tuple[int, int] = SIZE
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        image = np.full((*size, 3), 10 * index, np.uint8)
        Image.fromarray(image).save(folder / f"{name}{suffix}")


def write_labels(folder: Path, images: Mapping[str, np.ndarray[Any, np.dtype[np.uint8]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        palette = Image.fromarray(image).convert("P")
        palette.putdata(image.ravel().tolist())
        palette.save(folder / f"{name}.png")


def video(expressions: Mapping[str, Any], frames: Sequence[str] = FRAMES) -> dict[str, Any]:
    return {"expressions": dict(expressions), "frames": list(frames)}


def mevis_expression(text: str, *annotations: int) -> dict[str, Any]:
    return {"exp": text, "obj_id": list(range(len(annotations))), "anno_id": list(annotations)}


def mevis_meta() -> dict[str, Any]:
    """Video b before a: file order counts. Expression 2 of b has no target."""
    return {
        "videos": {
            "b": video(
                {
                    "0": mevis_expression("The box", 1),
                    "1": mevis_expression("both boxes", 1, 2),
                    "2": mevis_expression("the cat"),
                }
            ),
            "a": video({"0": mevis_expression("one", 4)}),
        }
    }


def mevis_masks() -> dict[str, Any]:
    """Annotation 2 is not seen in the middle frame."""
    masks: dict[str, Any] = {
        str(i): [rle(object_mask(i, frame)) for frame in range(len(FRAMES))] for i in (1, 2, 4)
    }
    masks["2"][1] = None
    return masks


def write_mevis(
    root: Path, split: str = "valid_u", meta: object = None, masks: object = None
) -> Path:
    folder = root / split
    write_json(folder / "meta_expressions.json", mevis_meta() if meta is None else meta)
    write_json(folder / "mask_dict.json", mevis_masks() if masks is None else masks)
    for name in ("a", "b"):
        write_frames(folder / "JPEGImages" / name)
    return root


def without_objects(meta: dict[str, Any]) -> dict[str, Any]:
    """The same file as the authors publish it for a hidden split."""
    return {
        "videos": {
            name: video(
                {i: {"exp": e["exp"]} for i, e in entry["expressions"].items()}, entry["frames"]
            )
            for name, entry in meta["videos"].items()
        }
    }


def youtube_meta() -> dict[str, Any]:
    return {
        "videos": {
            "v1": video({"0": {"exp": "a box", "obj_id": "1"}, "1": {"exp": "b", "obj_id": "2"}}),
            "v2": video({"0": {"exp": "a box", "obj_id": "1"}}),
        }
    }


def write_youtube(root: Path, split: str = "train", masks: bool = True) -> Path:
    """Masks of v1 on the first and last frame only."""
    meta = youtube_meta()
    write_json(root / "meta_expressions" / split / "meta_expressions.json", meta)
    for name in meta["videos"]:
        write_frames(root / split / "JPEGImages" / name)
        if masks:
            images = {n: labels((1, 2), i) for i, n in enumerate(FRAMES) if n != FRAMES[1]}
            write_labels(root / split / "Annotations" / name, images)
    return root


TEXTS = {
    "Davis17_annot1.txt": 'classic-car 2 "the red car"\nclassic-car 1 "a man"\ndog 1 "a dog"\n',
    "Davis17_annot1_full_video.txt": (
        'clasic-car 1 "a man walks"\nclasic-car 2 "a car drives"\ndog 1 "a dog runs"\n'
    ),
    "Davis17_annot2.txt": 'classic-car 1 "a café"\nclassic-car 2 "car"\ndog 1 "dog"\n',
    "Davis17_annot2_full_video.txt": (
        'classic-car 1 "he said "go""\nclassic-car 2 "car 2"\ndog 1 "dog 2"\n'
    ),
}


def write_davis(root: Path) -> Path:
    """The original layout; annotator 2's files are latin-1, classic-car has void pixels."""
    davis = root / "DAVIS"
    for name, objects in (("classic-car", (1, 2, 255)), ("dog", (1,))):
        write_frames(davis / "JPEGImages" / "480p" / name)
        images = {n: labels(objects, i) for i, n in enumerate(FRAMES)}
        write_labels(davis / "Annotations_unsupervised" / "480p" / name, images)
    lists = davis / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("classic-car\ndog\n")
    (root / "davis_text_annotations").mkdir()
    for name, text in TEXTS.items():
        (root / "davis_text_annotations" / name).write_bytes(text.encode("latin-1"))
    return root


def convert_davis(original: Path, root: Path, meta: object) -> Path:
    """Move frames and masks as the ReferFormer conversion does, and write its meta file."""
    for source, target in (
        ("JPEGImages", "JPEGImages"),
        ("Annotations_unsupervised", "Annotations"),
    ):
        (root / "valid" / target).mkdir(parents=True)
        for name in ("classic-car", "dog"):
            folder = original / "DAVIS" / source / "480p" / name
            folder.rename(root / "valid" / target / name)
    write_json(root / "meta_expressions" / "valid" / "meta_expressions.json", meta)
    return root


def write_folder(root: Path, objects: Sequence[str] | None = ("1",), masks: bool = True) -> Path:
    entry: dict[str, Any] = {"exp": "a box", "tags": ["static"]}
    if objects is not None:
        entry["objects"] = list(objects)
    content = {"videos": {"my clip": {"expressions": {"0": entry}}}}
    write_json(root / "meta_expressions.json", content)
    write_frames(root / "JPEGImages" / "my clip", ("1", "2", "10"), ".png")
    if masks:
        write_labels(root / "Annotations" / "my clip", {"2": labels((1, 2)), "10": labels((1,))})
    return root
