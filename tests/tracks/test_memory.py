"""Memory of tracking: what grows with the video is small."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from rvosbench.models.sam2.decoding import FrameOutput
from rvosbench.models.sam2.memory import attention_bytes
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.tracks.config import Compute

from .worlds import LENGTH, SIZE, make_sample, random_sam2, truth_tracks

ROOT = Path(__file__).parents[2]
MEASURE = """
import json, resource, sys
import numpy as np, torch
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.models.sam2.checkpoint import build_sam2
from recipes.tracker.network import tiny_config
from rvosbench.records import Video
from rvosbench.tracks.config import Compute
from tests.tracks.worlds import truth_tracks

torch.set_num_threads(1)
size = (480, 852)
sam2 = Sam2(build_sam2(tiny_config(image_size=64)).requires_grad_(False), "random")
masks = np.zeros((4, *size), bool)
for index in range(4):
    masks[index, 40:400, 40 + 120 * index : 300 + 120 * index] = True

def peak(frames):
    names = tuple(map(str, range(frames)))
    read = lambda i: np.random.default_rng(i).integers(0, 255, (*size, 3), np.uint8)
    video = Video("v", names, read, lambda: size)
    made = truth_tracks(sam2, video, 0, masks, Compute(feature_budget=2**20))
    assert [len(t.masks) for t in made] == [frames] * 4
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )

print(json.dumps([peak(100), peak(400)]))
"""


@pytest.mark.slow
def test_four_times_the_frames_need_no_more_memory() -> None:
    """Kept as bits even, the masks of 300 more frames would be 61 MB; as bools 491.

    Run lengths and tokens of these frames are about 3 MB; allocators differ by a few more.
    """
    run = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    short, long = json.loads(run.stdout)
    assert long - short < 40e6


def test_large_networks_compute_few_objects_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sam2, sample = random_sam2(), make_sample()
    sizes: list[int | None] = []
    propagate = Sam2.propagate

    def watched(self: Sam2, *given: object, batch_size: int | None = None) -> Iterator[FrameOutput]:
        sizes.append(batch_size)
        return propagate(self, *given, batch_size=batch_size)  # type: ignore[arg-type]

    monkeypatch.setattr(Sam2, "propagate", watched)
    masks = np.zeros((3, *SIZE), bool)
    masks[0, :20, :20] = masks[1, 10:40, 20:50] = masks[2, 30:, 40:] = True
    budgets = (2**30, 2 * attention_bytes(64, 128, 7), 0)
    whole, pairs, single = (
        truth_tracks(sam2, sample.video, 2, masks, Compute(step_budget=b)) for b in budgets
    )
    assert sizes[0] is not None
    assert (sizes[0] > 3, sizes[1:]) == (True, [2, 1])
    for other in (pairs, single):
        assert [t.masks for t in other] == [t.masks for t in whole]
        for a, b in zip(whole, other, strict=True):
            assert a.tokens.shape == (LENGTH, sam2.token_dim)
            torch.testing.assert_close(
                torch.tensor(a.tokens), torch.tensor(b.tokens), atol=1e-4, rtol=0
            )
