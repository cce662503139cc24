"""What a training step of the selector costs: the released loop against ours, in one run.

    python benchmarks/train.py            official sizes: 48 tracks, 80 frames, 14 text tokens
    python benchmarks/train.py --quick    one repetition

The released loop reads 48 token files and 48 JSON files a step, runs RoBERTa-large inside the step
with autograd (nothing stops its gradients, and nothing uses them), and takes one expression a step.
Ours reads a video's tokens from the track cache and text tokens that were computed once. Selector,
loss and clipping are the same code on both sides. Networks are random, of the official
sizes; the text encoder has RoBERTa-large's. Times are the seconds that the process computed on one
core, so that other programs on the machine disturb little; reading is also timed by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rvosbench.masks import MaskSequence
from rvosbench.models.weights import ModelIdentity
from rvosbench.records import Track
from rvosbench.tracks.cache_file import read_tokens, read_tracks, write_tracks
from rvosbench.tracks.header import Header
from sola.config import LossConfig, SelectorConfig
from sola.data.batches import Batch, Item, collate
from sola.model import TrackSelector
from sola.network.losses import positive_anchor, selection_loss

TRACKS, FRAMES, WORDS, CHANNELS = 48, 80, 14, 256
SIZE = (480, 854)
Floats = NDArray[np.float32]


def say(text: str) -> None:
    """A line of the report."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Training:
    """A selector and its optimizer, of the official sizes."""

    model: TrackSelector
    optimizer: torch.optim.Optimizer

    @staticmethod
    def new(fused: bool) -> Training:
        """Random weights; the released loop has torch's default AdamW, which is not fused."""
        torch.manual_seed(0)
        model = TrackSelector(SelectorConfig()).train()
        return Training(model, torch.optim.AdamW(model.parameters(), lr=5e-6, fused=fused))

    def step(self, batch: Batch) -> None:
        """Loss, backward pass, clipping, update."""
        output = self.model(batch.objects, batch.text, video=batch.video)
        anchors = positive_anchor(batch.text), self.model.negative_anchors
        loss = selection_loss(output, batch.labels, anchors, LossConfig()).total
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()


def roberta_large() -> Any:  # noqa: ANN401 - transformers' type
    """Random weights, in training mode as in the released loop."""
    from transformers import RobertaConfig, RobertaModel

    config = RobertaConfig(
        vocab_size=50265,
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    return RobertaModel(config, add_pooling_layer=False).train()


# Reading ----------------------------------------------------------------------------------------


def write_released(folder: Path, tracks: Sequence[Track]) -> None:
    """A `.npy` of tokens and a JSON of masks a track, as the released code keeps them."""
    for track in tracks:
        np.save(folder / f"{track.id}.npy", track.tokens)
        masks = [track.masks.rle(t) for t in range(len(track.masks))]
        kept = {"iou": 0.5, "masks": [{**m, "counts": _text(m["counts"])} for m in masks]}
        (folder / f"{track.id}.json").write_text(json.dumps(kept), encoding="utf-8")


def read_released(folder: Path) -> Floats:
    """Tokens (N, T, D); every JSON is parsed, to read one number of it."""
    rows = []
    for path in sorted(folder.glob("*.npy")):
        json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["iou"]
        rows.append(np.load(path))
    return np.stack(rows)


def make_tracks() -> list[Track]:
    """Random tokens, and masks of a realistic size."""
    rng = np.random.default_rng(0)
    tracks = []
    for index in range(TRACKS):
        mask = np.zeros((FRAMES, *SIZE), bool)
        for t in range(FRAMES):
            x, y = rng.integers(0, 500), rng.integers(0, 250)
            edge = rng.integers(120, 200, 200)
            for row, width in enumerate(edge):
                mask[t, y + row, x : x + width] = True
        tokens = rng.standard_normal((FRAMES, CHANNELS)).astype(np.float32)
        masks = MaskSequence.from_rle([_rle(m) for m in mask], SIZE)
        tracks.append(Track(f"{index:02d}", masks, 0.9, tokens, "grid", 0, (0.0, 0.0)))
    return tracks


def _rle(mask: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - COCO's dictionary
    from pycocotools import mask as coco

    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


def _text(counts: bytes | str | list[int]) -> str | list[int]:
    return counts.decode("ascii") if isinstance(counts, bytes) else counts


# Timing -----------------------------------------------------------------------------------------


def seconds(run: Callable[[], object], times: int) -> tuple[float, float]:
    """Medians of processor and clock seconds, after one run to warm up."""
    run()
    rows = []
    for _ in range(times):
        clock, start = time.perf_counter(), time.process_time()
        run()
        rows.append((time.process_time() - start, time.perf_counter() - clock))
    return statistics.median(r[0] for r in rows), statistics.median(r[1] for r in rows)


def batch_of(objects: Floats, texts: Sequence[Floats]) -> Batch:
    """A video's expressions; a tenth of the tracks is positive."""
    labels = np.zeros((len(texts), len(objects)), bool)
    labels[:, ::10] = True
    return collate([Item(objects, tuple(texts), labels, np.ones_like(labels))])


def released(folder: Path, times: int) -> float:
    """Seconds of a step of the released loop: one expression, encoded with autograd."""
    training, roberta = Training.new(fused=False), roberta_large()
    words = torch.randint(5, 50000, (1, WORDS))
    empty = np.zeros((WORDS, 1024), np.float32)

    def step() -> None:
        batch = batch_of(read_released(folder), [empty])
        training.step(batch._replace(text=roberta(words).last_hidden_state))

    return seconds(step, times)[0]


def compare(folder: Path, times: int) -> None:
    """Both loops, step by step."""
    tracks = make_tracks()
    write_released(folder, tracks)
    cache = folder / "video.parquet"
    nobody = ModelIdentity("random", None)
    write_tracks(cache, Header("v", "", nobody, None, {}, None, False, None, {}), tracks)
    rng = np.random.default_rng(1)
    texts = [rng.standard_normal((WORDS, 1024)).astype(np.float32) for _ in range(8)]
    base = released(folder, times)
    training = Training.new(fused=True)
    say(f"released: {base:.2f} s an expression, text encoder with autograd inside the step")

    def ours(count: int) -> float:
        run = lambda: training.step(batch_of(read_tokens(cache), texts[:count]))  # noqa: E731
        took = seconds(run, times)[0]
        each = took / count
        say(f"ours, {count} of a video a step: {each:.2f} s each, {base / each:.1f} times faster")
        return took

    step = ours(1)
    ours(8)
    report_reading(folder, cache, step)


def report_reading(folder: Path, cache: Path, step: float) -> None:
    """How long it takes to read a sample, and its share of a step with one expression."""
    if not np.array_equal(read_tokens(cache), read_released(folder)):
        raise SystemExit("the cache does not hold the tokens that were written")
    for name, run in (
        ("released files", lambda: read_released(folder)),
        ("track cache, whole tracks", lambda: read_tracks(cache)),
        ("track cache, tokens", lambda: read_tokens(cache)),
    ):
        took, clock = seconds(run, 9)
        took, clock = 1e3 * took, 1e3 * clock
        share = took / step / 10
        say(f"reading, {name}: {took:.1f} ms (clock {clock:.1f}), {share:.2f} % of a step")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one repetition instead of three")
    given = parser.parse_args(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), 1 if given.quick else 3)


if __name__ == "__main__":
    main()
