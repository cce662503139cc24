"""Files as commit 1c25e4b wrote them, which today's code must still open.

    git worktree add ../older 1c25e4b
    python tests/old/make.py ../older

makes `tests/old/files` again, with the code of that worktree alone: every file comes from one of
its commands, but for the object tokens of `tracks-toy`, which no network that fits into a
repository gives; its own functions write them. Do not make them with another commit: they are here
to be old.

    dataset/        three drawn videos of four frames, in the form of the dataset `folder`
    run/            `eval --method sola` on one video of the demo: predictions and a result
    scored/         `score` of that run: a result of predictions
    tracks/         `tracks build` with grid, box and truth prompts, two videos of the demo
    tracks-toy/     a cache of dataset/, with overlaps as `sola train` keeps them beside tracks
    selector/       `sola train` on it, finished
    run-toy/        `eval --method sola` on dataset/ with tracks-toy/ and selector/
    unfinished/     the same training, interrupted in its second epoch: `resume.pt`
    copy/           `corrupt` of dataset/
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.trees import Tree, commit_of

COMMIT = "1c25e4b"
FILES = Path(__file__).parent / "files"
VIDEOS = ("one", "two", "three")
SIZE = (36, 48)
LENGTH = 4

SMALL_TRACKS = (
    *("--set", "prompts.points_per_side=4", "--set", "prompts.max_grid_tracks=3"),
    *("--set", "prompts.max_box_tracks=1", "--set", "prompts.box_interval=10"),
)
SELECTOR = {
    "object_token_dim": 8,
    "lang_token_dim": 16,
    "n_negative": 2,
    "n_heads": 2,
    "n_groups": 2,
    "n_layers": 1,
}
TRAINING = (
    *("--dataset", "folder", "--split", "all", "--text-encoder", "toy/encoder"),
    *("--preset", "released", "--epochs", "3", "--set", "learning_rate=0.01"),
    *(part for k, v in SELECTOR.items() for part in ("--set", f"selector.{k}={v}")),
)
TOY_METHOD = (
    *("eval", "--method", "sola", "--dataset", "folder", "--split", "all", "--data", "dataset"),
    *("--tracks", "tracks-toy", "--set", "selector=selector", "--set", "tracker=toy/tracker"),
    *("--set", "grounder=", "--set", "text_encoder=toy/encoder"),
)

TOY_TRACKS = """
import sys
from pathlib import Path
import numpy as np
from rvosbench.datasets import load_dataset
from rvosbench.masks import MaskSequence
from rvosbench.records import Track
from rvosbench.tracks.cache_file import write_tracks
from rvosbench.tracks.header import Header
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.config import relevant
from rvosbench.tracks.header import frame_fingerprint
from rvosbench.tracks.identity import ModelIdentity
from rvosbench.tracks.text_tokens import write_words

data, out = Path(sys.argv[1]), Path(sys.argv[2])
dataset, rng, texts = load_dataset("folder", data, "all"), np.random.default_rng(0), {}
for sample in dataset:
    objects = dataset.objects(sample.video.id)
    tracks = []
    for row, (name, masks) in enumerate(objects.items()):
        for source in ("grid", "truth"):
            tokens = np.eye(8, dtype=np.float32)[np.full(len(masks), row)]
            tokens = tokens + rng.normal(0, 0.05, tokens.shape).astype(np.float32)
            tracks.append(Track(f"{source}-{name}", masks, 0.9, tokens, source, 0))
    header = Header(
        video=sample.video.id,
        frames=frame_fingerprint(sample.video),
        tracker=ModelIdentity("toy/tracker", "0" * 64),
        grounder=None,
        prompts=relevant(TrackConfig(), False),
        expressions=None,
        truth=True,
        corruption=None,
        made={"dtype": "float32"},
    )
    write_tracks(TrackCache(out).path(sample.video.id), header, tracks)
    for e in sample.expressions:
        texts[e.text] = rng.normal(size=(3, 16)).astype(np.float32)
write_words(out / "texts" / "toy.parquet", texts, ModelIdentity("toy/encoder", "2" * 64), "float32")
"""

INTERRUPTED = """
import signal, sys
import sola.training as training
from rvosbench.cli.app import main

step, done = training._step, []

def stopped(*given):
    done.append(given)
    if len(done) == 6:  # of 4 an epoch
        signal.raise_signal(signal.SIGINT)
    return step(*given)

training._step = stopped
sys.argv[0] = "rvosbench"
try:
    main()
except SystemExit as end:
    assert end.code == 1, end.code
"""


def draw(folder: Path) -> None:
    """The dataset: a red square and a blue one that move, two expressions a video."""
    meta: dict[str, object] = {}
    for number, video in enumerate(VIDEOS):
        names = [f"{t:05d}" for t in range(LENGTH)]
        for kind in ("JPEGImages", "Annotations"):
            (folder / kind / video).mkdir(parents=True)
        for t, name in enumerate(names):
            boxes = {
                1: (2 + 2 * t + number, 3, 9 + 2 * t + number, 10),
                2: (28 - t, 12 + number, 36 - t, 19 + number),
            }
            frame = Image.new("RGB", (SIZE[1], SIZE[0]), (90, 120 + 20 * number, 90))
            labels = Image.new("P", frame.size)
            labels.putpalette([0, 0, 0, 200, 30, 30, 30, 30, 200])
            for label, colour in ((1, (200, 30, 30)), (2, (30, 30, 200))):
                ImageDraw.Draw(frame).rectangle(boxes[label], fill=colour)
                ImageDraw.Draw(labels).rectangle(boxes[label], fill=label)
            frame.save(folder / "JPEGImages" / video / f"{name}.png")
            labels.save(folder / "Annotations" / video / f"{name}.png")
        texts = {"0": ("the red square", ["1"]), "1": ("the blue square", ["2"])}
        meta[video] = {
            "frames": names,
            "expressions": {k: {"exp": text, "objects": o} for k, (text, o) in texts.items()},
        }
    content = json.dumps({"videos": meta}, indent=1) + "\n"
    (folder / "meta_expressions.json").write_text(content, "utf-8")


def make(old: Tree, files: Path) -> None:
    """All files, by commands of the old tree; they run in `files`, so that no path is kept."""
    draw(files / "dataset")
    demo = ("--dataset", "demo", "--split", "valid")
    one = (*demo, "--videos", "valid-0000")
    old.rvosbench(["eval", "--method", "sola", *one, "--out", "run"], files)
    old.rvosbench(["score", "run", *one, "--out", "scored"], files)
    build = ("tracks", "build", "--out", "tracks", *demo, "--limit", "2", *SMALL_TRACKS)
    old.rvosbench([*build, "--truth", "--text-encoder", "demo"], files)
    data = ("--data", "dataset")
    old.python(["-c", TOY_TRACKS, "dataset", "tracks-toy"], files)
    train = ("sola", "train", "--tracks", "tracks-toy", *data, *TRAINING)
    old.rvosbench([*train, "--out", "selector"], files)
    old.python(["-c", INTERRUPTED, *train, "--out", "unfinished"], files)
    old.rvosbench([*TOY_METHOD, "--out", "run-toy"], files)
    kind = ("--type", "gaussian_noise", "--severity", "3", "--annotations", "copy")
    folder = ("--dataset", "folder", "--split", "all", *data)
    old.rvosbench(["corrupt", *kind, *folder, "--out", "copy"], files)


def main() -> None:
    """Replace `tests/old/files`."""
    root = Path(sys.argv[1]).resolve()
    if commit_of(root) != COMMIT:
        raise SystemExit(f"{root} is at {commit_of(root) or 'no commit'}, wanted {COMMIT}")
    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / "files"
        make(Tree(root, Path(name) / "scratch"), made)
        shutil.rmtree(FILES, ignore_errors=True)
        shutil.copytree(made, FILES)


if __name__ == "__main__":
    main()
