"""How fast frames are corrupted, against `imagecorruptions-imaug`, side by side in one thread.

    pip install --no-deps --target rival imagecorruptions-imaug   # it wants another OpenCV wheel
    pip install scikit-image                                      # what it needs besides ours
    python benchmarks/corruptions.py --rival rival

Times are the best of calls in turn, which a busy machine disturbs least: read the ratios. `--check`
exits 1 if a ratio is below what `docs/corruptions.md` promises.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Optional

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

from rvosbench.corruptions import CORRUPTIONS, Plan, corrupt
from rvosbench.corruptions.storage import Storage, encode
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.datasets import load_dataset
from rvosbench.datasets.frames import FrameFolder
from rvosbench.records import Frame

PROMISED = {
    **dict.fromkeys(("motion_blur", "zoom_blur", "brightness", "contrast", "saturate"), 10.0),
    **dict.fromkeys(("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"), 5.0),
    **dict.fromkeys(("glass_blur", "frost", "gaussian_blur", "elastic_transform"), 4.0),
    **dict.fromkeys(("snow", "fog", "spatter"), 3.0),
    "defocus_blur": 1.0,
    **dict.fromkeys(("pixelate", "jpeg_compression"), 0.5),
}
"""Times as fast as the rival, at 854 x 480 and severity 5."""

END_TO_END = 3.0
NOTES = {
    "elastic_transform": "another algorithm there: weaker, no affine map",
    "pixelate": "another filter there (nearest)",
    "frost": "always enlarges its picture",
}
Rival = Callable[[Frame, int, str], Frame]


def scene(width: int, height: int, index: int = 0) -> Frame:
    """A frame of the demo enlarged, with the fine texture that real frames have."""
    video = next(iter(load_dataset("demo"))).video
    large = cv2.resize(video.read(index), (width, height), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(index).normal(0, 6, large.shape)
    soft = cv2.GaussianBlur(grain, (0, 0), 0.8)
    frame: Frame = np.clip(large + 2 * soft, 0, 255).astype(np.uint8)
    return frame


def load_rival(folder: Path | None) -> Rival | None:
    """The rival's `corrupt`, from a folder of its own or from the environment."""
    if folder is not None:
        sys.path.append(str(folder.resolve()))  # behind ours: only what is missing comes from there
    try:
        import imagecorruptions
    except ImportError:
        return None
    return lambda frame, severity, name: imagecorruptions.corrupt(
        frame, severity=severity, corruption_name=name
    )


def in_turn(calls: Iterable[Callable[[], object]], repeat: int) -> list[float]:
    """Least milliseconds of each call, called in turn `repeat` times and for a second at least."""
    chosen = list(calls)
    times: list[list[float]] = [[] for _ in chosen]
    for call in chosen:
        call()  # compiles, and reads what is kept
    began = time.perf_counter()
    while len(times[0]) < repeat or (time.perf_counter() < began + 1 and len(times[0]) < 200):
        for call, mine in zip(chosen, times, strict=True):
            start = time.perf_counter()
            call()
            mine.append(1000 * (time.perf_counter() - start))
    return [min(mine) for mine in times]


def kernels(size: tuple[int, int], severity: int, repeat: int, rival: Rival | None) -> list[dict]:  # type: ignore[type-arg]
    """One row for each corruption."""
    frame = scene(*size)
    rows = []
    for name in CORRUPTIONS:
        rng = np.random.default_rng(0)
        calls: list[Callable[[], object]] = [lambda n=name, r=rng: corrupt(frame, n, severity, r)]  # type: ignore[misc]
        if rival is not None:
            calls.append(lambda n=name, c=rival: c(frame, severity, n))  # type: ignore[misc]
        times = in_turn(calls, repeat)
        rows.append({"corruption": name, "ms": times[0], "rival_ms": times[1] if rival else None})
    return rows


def end_to_end(
    size: tuple[int, int], severity: int, repeat: int, rival: Rival | None
) -> list[dict]:  # type: ignore[type-arg]
    """JPEG from disk, corrupt, PNG to disk, for the two corruptions of the paper's Table A.1."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = tuple(f"{i:05d}" for i in range(8))
        for index, frame in enumerate(names):
            Image.fromarray(scene(*size, index)).save(folder / f"{frame}.jpg", quality=90)
        frames = FrameFolder("benchmark", folder, names)
        for kind in ("gaussian_noise", "motion_blur"):
            plan = Plan(kind, severity)

            def ours(plan: Plan = plan) -> None:
                for i, frame in enumerate(names):
                    out = corrupted_frame(plan, "video", frame, i, frames.read(i))
                    (folder / "ours.png").write_bytes(encode(out, Storage()))

            def theirs(kind: str = kind) -> None:
                for frame in names:
                    image = np.array(Image.open(folder / f"{frame}.jpg").convert("RGB"))
                    assert rival is not None
                    Image.fromarray(rival(image, severity, kind)).save(folder / "theirs.png")

            times = in_turn([ours, theirs] if rival else [ours], max(2, repeat // 3))
            each = [t / len(names) for t in times]
            row = {"corruption": f"{kind}, file to file", "ms": each[0]}
            rows.append({**row, "rival_ms": each[1] if rival else None})
    return rows


def main(
    rival: Annotated[
        Optional[Path],  # noqa: UP045 typer reads the annotation at run time
        typer.Option(help="Folder that imagecorruptions-imaug was installed into."),
    ] = None,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT.")] = "854x480",
    severity: int = 5,
    repeat: int = 15,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 below a promised ratio.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Time all corruptions of the fast mode, and from file to file."""
    warnings.simplefilter("ignore")
    cv2.setNumThreads(1)
    width, height = (int(n) for n in size.split("x"))
    theirs = load_rival(rival)
    rows = kernels((width, height), severity, repeat, theirs)
    rows += end_to_end((width, height), severity, repeat, theirs)
    for row in rows:
        row["ratio"] = row["rival_ms"] / row["ms"] if row["rival_ms"] else None
        row["promised"] = PROMISED.get(row["corruption"], END_TO_END)
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        show(rows, f"{size}, severity {severity}, one thread")
    if check and (theirs is None or any(r["ratio"] < r["promised"] for r in rows)):
        raise typer.Exit(1)


def show(rows: list[dict], title: str) -> None:  # type: ignore[type-arg]
    """The table for people."""
    table = Table(title=title, title_justify="left")
    for column in ("corruption", "ours ms", "rival ms", "times as fast", "promised", "note"):
        table.add_column(column, justify="left" if column in ("corruption", "note") else "right")
    for row in rows:
        figures = [row["ms"], row["rival_ms"], row["ratio"], row["promised"]]
        cells = ["-" if f is None else f"{f:.1f}" for f in figures]
        table.add_row(row["corruption"], *cells, NOTES.get(row["corruption"], ""))
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
