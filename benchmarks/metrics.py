"""Speed and memory of scoring, as ratios measured side by side in one run.

    python benchmarks/metrics.py               all figures (about a quarter of an hour)
    python benchmarks/metrics.py kernel        masks in memory, at three sizes
    python benchmarks/metrics.py files         from PNG predictions and RLE truth
    python benchmarks/metrics.py curve         1 000 to 60 000 mask pairs, with peak memory
    python benchmarks/metrics.py workers       one process against two

All but the last are pinned to one core. The plain reference does what the official evaluators do:
boundaries from shifted copies of the whole mask, cv2.dilate with the disk, sums of Boolean arrays;
from files cv2.imread and pycocotools. Every value of J and F must agree in every bit, or the run
stops. Reference and rvosbench alternate and a ratio is the median over the rounds, of the seconds
that the process itself computed (`workers`: of the clock), so that other programs on
the machine disturb little.
"""

from __future__ import annotations

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

import rvosbench
from rvosbench.masks import MaskSequence
from rvosbench.metrics import score_frames
from rvosbench.runs.evaluate import RunOptions, score

Mask = NDArray[np.bool_]
SIZES = {"480p": (480, 854), "720p": (720, 1280), "1080p": (1080, 1920)}
VIDEOS, EXPRESSIONS, PAIRS = 50, 793, 60_000  # the size of MeViS valid_u


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# Masks ------------------------------------------------------------------------------------------


def blob(size: tuple[int, int], rng: np.random.Generator, frames: int) -> NDArray[np.bool_]:
    """(frames, H, W): a moving blob with a wavy outline that covers a tenth of the image or so."""
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = rng.uniform(0.12, 0.3) * height
    start = rng.uniform(0.3, 0.7, 2) * (height, width)
    step = rng.uniform(-0.004, 0.004, 2) * (height, width)
    waves, phases = rng.uniform(0, 0.12, 5), rng.uniform(0, 2 * math.pi, 5)
    masks = []
    for t in range(frames):
        dy, dx = y - np.float32(start[0] + t * step[0]), x - np.float32(start[1] + t * step[1])
        angle = np.arctan2(dy, dx)
        ripple = sum(
            w * np.cos((k + 2) * angle + p)
            for k, (w, p) in enumerate(zip(waves, phases, strict=True))
        )
        masks.append(np.hypot(dy, dx) < radius * (1 + ripple))
    return np.stack(masks)


def guess(target: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A prediction of usual quality: off by some pixels, with bumps, now and then far off."""
    found = []
    for mask in target:
        far = rng.random() < 0.15
        shift = rng.integers(-40, 41, 2) if far else rng.integers(-4, 5, 2)
        moved = np.roll(mask, tuple(shift), (0, 1))
        for _ in range(3):
            y, x = rng.integers(0, mask.shape[0]), rng.integers(0, mask.shape[1])
            moved[y : y + 25, x : x + 25] ^= bool(rng.random() < 0.3)
        found.append(moved)
    return np.stack(found)


# The plain reference ----------------------------------------------------------------------------


def plain_pair(p: Mask, t: Mask) -> tuple[float, float]:
    """J and F of one pair, in the steps and the order of the official evaluators."""
    union = np.sum(p | t)
    j = 1.0 if np.isclose(union, 0) else float(np.sum(p & t) / union)
    radius = math.ceil(0.008 * float(np.linalg.norm(p.shape)))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = (y**2 + x**2 <= radius**2).astype(np.uint8)
    p_edge, t_edge = plain_boundary(p), plain_boundary(t)
    p_match = p_edge * cv2.dilate(t_edge.astype(np.uint8), disk)
    t_match = t_edge * cv2.dilate(p_edge.astype(np.uint8), disk)
    p_sum, t_sum = np.sum(p_edge), np.sum(t_edge)
    if p_sum == 0 or t_sum == 0:
        return j, float(p_sum == t_sum)
    precision, recall = np.sum(p_match) / float(p_sum), np.sum(t_match) / float(t_sum)
    both = precision + recall
    return j, float(2 * precision * recall / both) if both else 0.0


def plain_boundary(mask: Mask) -> Mask:
    """Pixels that differ from their right, lower or lower right neighbour."""
    right, below, corner = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
    right[:, :-1], below[:-1], corner[:-1, :-1] = mask[:, 1:], mask[1:], mask[1:, 1:]
    edge: Mask = (mask ^ right) | (mask ^ below) | (mask ^ corner)
    edge[-1] = mask[-1] ^ right[-1]
    edge[:, -1] = mask[:, -1] ^ below[:, -1]
    edge[-1, -1] = False
    return edge


def plain_files(root: Path) -> list[tuple[float, float]]:
    """J and F of every expression of a generated set, as the MeViS evaluator computes them."""
    meta = json.loads((root / "valid_u/meta_expressions.json").read_text())["videos"]
    truth = json.loads((root / "valid_u/mask_dict.json").read_text())
    found = []
    for video, content in meta.items():
        for key, expression in content["expressions"].items():
            scores = []
            for index, frame in enumerate(content["frames"]):
                path = str(root / "predictions" / video / key / f"{frame}.png")
                predicted = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
                assert predicted is not None, path
                target = np.zeros(predicted.shape, np.uint8)
                for annotation in expression["anno_id"]:
                    target += coco.decode(truth[str(annotation)][index])
                scores.append(plain_pair(predicted.astype(bool), target.astype(bool)))
            j, f = np.array(scores).T.copy()
            found.append((float(np.mean(j)), float(np.mean(f))))
    return found


# Generated sets ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extent:
    """How large a generated set is."""

    size: tuple[int, int]
    videos: int
    expressions: int
    pairs: int
    distinct: int  # predictions drawn; further ones are hard links to these


def generate(root: Path, extent: Extent) -> None:
    """Write a set in the layout of MeViS valid_u; two expressions share a target."""
    rng = np.random.default_rng(0)
    frames = [f"{i:05d}" for i in range(round(extent.pairs / extent.expressions))]
    pool, codes = _pool(root / "pool", extent, len(frames), rng)
    meta: dict[str, Any] = {}
    masks: dict[str, Any] = {}
    for index in range(extent.expressions):
        video, key = f"v{index % extent.videos:03d}", str(index // extent.videos)
        kind = index % len(pool)
        annotation = str(kind * extent.videos + index % extent.videos + 1)
        masks[annotation] = codes[kind]
        entry = meta.setdefault(video, {"frames": frames, "expressions": {}})
        entry["expressions"][key] = {"exp": f"blob {key}", "obj_id": [0], "anno_id": [annotation]}
        folder = root / "predictions" / video / key
        folder.mkdir(parents=True)
        for name, source in zip(frames, pool[kind], strict=True):
            os.link(source, folder / f"{name}.png")
    (root / "valid_u/JPEGImages").mkdir(parents=True)
    (root / "valid_u/meta_expressions.json").write_text(json.dumps({"videos": meta}))
    (root / "valid_u/mask_dict.json").write_text(json.dumps(masks))


def _pool(
    root: Path, extent: Extent, frames: int, rng: np.random.Generator
) -> tuple[list[list[Path]], list[list[Any]]]:
    """Distinct predictions as PNGs by Pillow (mode L, 0 and 255), and their truth as RLE."""
    root.mkdir(parents=True)
    pool, codes = [], []
    for kind in range(max(1, extent.distinct // frames)):
        target = blob(extent.size, rng, frames)
        paths, truth = [], []
        for t, (mask, found) in enumerate(zip(target, guess(target, rng), strict=True)):
            path = root / f"{kind}-{t}.png"
            Image.fromarray(found.astype(np.uint8) * 255).save(path)
            paths.append(path)
            rle = coco.encode(np.asfortranarray(mask, np.uint8))
            truth.append({"size": list(extent.size), "counts": rle["counts"].decode("ascii")})
        pool.append(paths)
        codes.append(truth)
    return pool, codes


# Measurements -----------------------------------------------------------------------------------


def timed(work: Callable[[], object], times: int = 1) -> float:
    """Seconds of this process for one call: waiting for other programs does not count."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def ratio(
    plain: Callable[[], object], ours: Callable[[], object], rounds: int
) -> tuple[float, float, float]:
    """(median ratio, best seconds of the reference, best seconds of ours), alternating."""
    ours()  # compiled or loaded from numba's cache
    again = max(1, int(timed(plain) / timed(ours)))  # so that both take about as long
    pairs = [(timed(plain), timed(ours, again)) for _ in range(rounds)]
    ratios = statistics.median(a / b for a, b in pairs)
    return ratios, min(a for a, _ in pairs), min(b for _, b in pairs)


def pin() -> None:
    """Keep this process on one core, where the system can."""
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def kernel() -> None:
    """Masks in memory: Boolean arrays in, J and F out."""
    pin()
    say("kernel, one core, masks in memory (Boolean arrays in, J and F out)")
    for name, size in SIZES.items():
        rng = np.random.default_rng(1)
        targets = np.concatenate([blob(size, rng, 3) for _ in range(4)])
        predictions = guess(targets, rng)
        pairs = list(zip(predictions, targets, strict=True))
        packed_p, packed_t = (MaskSequence.from_arrays(list(m)) for m in (predictions, targets))

        def plain(pairs: Sequence[tuple[Mask, Mask]] = pairs) -> list[tuple[float, float]]:
            return [plain_pair(p, t) for p, t in pairs]

        def ours(
            p: NDArray[np.bool_] = predictions, t: NDArray[np.bool_] = targets
        ) -> list[tuple[float, float]]:
            j, f = score_frames(
                MaskSequence.from_arrays(list(p)), MaskSequence.from_arrays(list(t))
            )
            return list(zip(j.tolist(), f.tolist(), strict=True))

        _must_agree(plain(), ours())
        _report(name, ratio(plain, ours, 9), len(pairs))
        packed = partial(score_frames, packed_p, packed_t)
        _report(f"{name}, packed before", ratio(plain, packed, 9), len(pairs))


def files() -> None:
    """From PNG predictions and RLE truth to the result, everything included."""
    pin()
    say("end to end, one core, PNG predictions (mode L) and RLE truth")
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            generate(root, Extent(size, 2, 8, 8 * 20, 80))

            def ours(root: Path = root) -> list[tuple[float, float]]:
                result = score_set(root)
                return [(e.score.j, e.score.f) for e in result.expressions]

            def plain(root: Path = root) -> list[tuple[float, float]]:
                return plain_files(root)

            _must_agree(plain(), ours())
            _report(name, ratio(plain, ours, 5), 160)


def score_set(root: Path, workers: int = 0, videos: Sequence[str] | None = None) -> Any:  # noqa: ANN401
    """Score a generated set, or its first videos, as `rvosbench score` does."""
    dataset = rvosbench.load_dataset("mevis", root, "valid_u")
    run = RunOptions(workers=workers)
    return score(
        root / "predictions",
        dataset,
        run=run,
        videos=videos,
    )


def _must_agree(plain: list[tuple[float, float]], ours: list[tuple[float, float]]) -> None:
    if plain != ours:
        raise SystemExit("the reference and rvosbench disagree: no figure is worth anything")


def _report(name: str, figures: tuple[float, float, float], pairs: int) -> None:
    times, plain, ours = figures
    say(
        f"  {name:22} {times:6.1f} x   reference {1e3 * plain / pairs:8.3f} ms a pair, "
        f"rvosbench {1e3 * ours / pairs:7.3f} ms"
    )


def curve() -> None:
    """Cost of a pair and peak memory as the set grows, every size in a process of its own."""
    pin()
    say(f"cost curve, one core, {VIDEOS} videos, {EXPRESSIONS} expressions, 854x480")
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), Extent(SIZES["480p"], VIDEOS, EXPRESSIONS, PAIRS, 1500))
        first = None
        for videos in (1, 4, 13, VIDEOS):
            pairs, seconds, peak = _child(folder, videos, 0)
            cost = 1e3 * seconds / pairs
            first = first or cost
            say(
                f"  {pairs:6d} pairs  {cost:.3f} ms a pair ({cost / first:.2f})  peak {peak:.0f} MB"
            )


def workers() -> None:
    """One process against two; means something on an idle machine only."""
    say(f"workers, load of the machine before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), Extent(SIZES["480p"], VIDEOS, EXPRESSIONS, PAIRS, 1500))
        times = {
            n: statistics.median(_child(folder, VIDEOS, n)[1] for _ in range(3)) for n in (1, 2)
        }
        say(f"  one {times[1]:.1f} s, two {times[2]:.1f} s: {times[1] / times[2]:.2f} x")


def _child(folder: str, videos: int, processes: int) -> tuple[int, float, float]:
    command = [sys.executable, __file__, "child", folder, str(videos), str(processes)]
    pairs, seconds, peak = json.loads(
        subprocess.run(command, check=True, capture_output=True).stdout
    )
    return pairs, seconds, peak


def child(folder: str, videos: str, processes: str) -> None:
    """Score the first videos of a set and print [pairs, seconds, peak memory in MB]."""
    cv2.setNumThreads(1)
    chosen = [f"v{i:03d}" for i in range(int(videos))]
    score_set(Path(folder), videos=chosen[:1])  # compiled functions and the mask index are there
    start, busy = time.perf_counter(), time.process_time()
    found = score_set(Path(folder), int(processes), chosen)
    # One process is timed by its own work, several by the clock.
    one = int(processes) == 0
    seconds = time.process_time() - busy if one else time.perf_counter() - start
    pairs = sum(len(e.score.frames) for e in found.expressions)
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
    say(json.dumps([pairs, seconds, peak]))


def main() -> None:
    """Run the benchmarks that the command line names, or all."""
    commands = {"kernel": kernel, "files": files, "curve": curve, "workers": workers}
    asked = sys.argv[1:]
    if asked[:1] == ["child"]:
        child(*asked[1:])
        return
    for name in asked or commands:
        if name not in commands:
            raise SystemExit(f"unknown benchmark {name!r}: wanted {', '.join(commands)}")
        commands[name]()


if __name__ == "__main__":
    main()
