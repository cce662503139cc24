from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rvosbench.masks import pack
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.grid import box_of, suppress
from rvosbench.tracks.prompts import largest_first, overlaps, prompt_of, without_parts

from .worlds import square

SIZE = (10, 40)


def test_boxes_are_tight_and_zero_for_empty_masks() -> None:
    assert box_of(pack(square(3, 7, 2, 5)), 40).tolist() == [3, 2, 6, 4]
    assert box_of(pack(square(0, 0)), 40).tolist() == [0, 0, 0, 0]


def test_suppression_keeps_the_better_of_two_boxes_and_the_first_of_equals() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 10]], float)
    assert suppress(boxes, np.array([0.5, 0.9, 0.1, 0.5]), 0.7) == [1, 2]
    assert suppress(boxes, np.array([0.5, 0.5, 0.1, 0.5]), 0.7) == [0, 2]
    assert suppress(boxes, np.array([0.5, 0.5, 0.1, 0.5]), 0.95) == [0, 1, 2]
    assert suppress(np.zeros((0, 4)), np.zeros(0), 0.7) == []


def test_larger_masks_come_first_and_empty_ones_not_at_all() -> None:
    masks = [square(0, 2), square(0, 0), square(0, 9), square(5, 7)]
    prompts = [prompt_of(i, pack(mask), 40) for i, mask in enumerate(masks)]
    assert [p.frame for p in largest_first(prompts)] == [2, 0, 3]


def test_a_mask_inside_a_larger_one_is_a_part() -> None:
    masks = [square(0, 20), square(12, 28), square(0, 10), square(30, 35)]
    prompts = [prompt_of(i, pack(mask), 40) for i, mask in enumerate(masks)]
    assert [p.frame for p in without_parts(prompts, 0.7)] == [0, 1, 3]
    assert [p.frame for p in without_parts(prompts, 1.0)] == [0, 1, 2, 3]
    assert [p.frame for p in without_parts(prompts, 0.4)] == [0, 3]


def test_overlaps_and_shares_count_pixels() -> None:
    rng = np.random.default_rng(0)
    masks: NDArray[np.bool_] = rng.random((6, *SIZE)) > rng.random((6, 1, 1))
    counts = [prompt_of(0, pack(mask), 40).counts for mask in masks]
    both = [int((masks[0] & m).sum()) for m in masks]
    either = [int((masks[0] | m).sum()) for m in masks]
    assert overlaps(counts[0], counts, SIZE).tolist() == pytest.approx(np.divide(both, either))
    assert overlaps(counts[0], counts, SIZE, shares=True).tolist() == pytest.approx(
        np.divide(both, masks[0].sum())
    )
    assert len(overlaps(counts[0], [], SIZE)) == 0


def test_a_prompt_gives_its_mask_back() -> None:
    prompt = prompt_of(3, pack(square(4, 9)), 40, 0.5, (4.0, 5.0))
    assert (prompt.mask() == square(4, 9)).all()
    assert (prompt.area, prompt.size, prompt.place) == (50, SIZE, (4.0, 5.0))


def test_the_released_code_prompts_the_first_and_the_middle_frames() -> None:
    config = TrackConfig()
    assert config.prompt_frames(10) == (0, 5)
    assert config.prompt_frames(11) == (0, 5, 10)
    assert config.prompt_frames(1) == (0,)
    assert TrackConfig(frame_interval=4).prompt_frames(10) == (0, 4, 8)
    assert (config.group(200), config.group(201), TrackConfig(filter_group=1).group(9)) == (4, 2, 1)
    assert config.box_frames(9) == (0, 4, 8)


@pytest.mark.parametrize(
    "field", ["points_per_side", "max_grid_tracks", "max_box_tracks", "box_interval"]
)
def test_impossible_configurations_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TrackConfig(**{field: 0})  # type: ignore[arg-type]


def test_impossible_batches_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Compute(batch_size=0)
